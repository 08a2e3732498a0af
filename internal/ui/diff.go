package ui

import (
	"slices"
	"strings"
)

// A diffLine is a line of the difference between two texts.
type diffLine struct {
	Mark string // "+", "-", " ", or "…" for lines that are left out
	Text string
}

const (
	diffContext = 3       // unchanged lines shown around each change
	diffCells   = 4 << 20 // the largest table; beyond it two texts count as entirely different
)

// diff compares two texts line by line.
func diff(before, after string) []diffLine {
	a, b := strings.Split(before, "\n"), strings.Split(after, "\n")
	start := 0
	for start < len(a) && start < len(b) && a[start] == b[start] {
		start++
	}
	end := 0
	for end < len(a)-start && end < len(b)-start && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	lines := mark(" ", a[:start])
	lines = append(lines, differ(a[start:len(a)-end], b[start:len(b)-end])...)
	return fold(append(lines, mark(" ", a[len(a)-end:])...))
}

func mark(sign string, texts []string) []diffLine {
	lines := make([]diffLine, 0, len(texts))
	for _, text := range texts {
		lines = append(lines, diffLine{sign, text})
	}
	return lines
}

// differ finds the longest common subsequence of two texts, by the table of its
// lengths.
func differ(a, b []string) []diffLine {
	if len(a) == 0 || len(b) == 0 || len(a) > diffCells/len(b) {
		return append(mark("-", a), mark("+", b)...)
	}
	width := len(b) + 1
	longest := make([]int32, (len(a)+1)*width)
	for i, line := range slices.Backward(a) {
		for j, other := range slices.Backward(b) {
			if line == other {
				longest[i*width+j] = longest[(i+1)*width+j+1] + 1
			} else {
				longest[i*width+j] = max(longest[(i+1)*width+j], longest[i*width+j+1])
			}
		}
	}
	var lines []diffLine
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		switch {
		case a[i] == b[j]:
			lines = append(lines, diffLine{" ", a[i]})
			i, j = i+1, j+1
		case longest[(i+1)*width+j] >= longest[i*width+j+1]:
			lines = append(lines, diffLine{"-", a[i]})
			i++
		default:
			lines = append(lines, diffLine{"+", b[j]})
			j++
		}
	}
	return append(append(lines, mark("-", a[i:])...), mark("+", b[j:])...)
}

// fold leaves unchanged lines out that are far from every change. Equal texts give nothing.
func fold(lines []diffLine) []diffLine {
	near := make([]bool, len(lines))
	for i, line := range lines {
		if line.Mark == " " {
			continue
		}
		for n := max(0, i-diffContext); n <= min(len(lines)-1, i+diffContext); n++ {
			near[n] = true
		}
	}
	var folded []diffLine
	for i, line := range lines {
		switch {
		case near[i]:
			folded = append(folded, line)
		case len(folded) > 0 && folded[len(folded)-1].Mark != "…":
			folded = append(folded, diffLine{Mark: "…"})
		}
	}
	if len(folded) > 0 && folded[len(folded)-1].Mark == "…" {
		folded = folded[:len(folded)-1]
	}
	return folded
}
