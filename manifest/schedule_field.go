package manifest

import (
	"fmt"
	"strconv"
	"strings"
)

// A cronField is one of the five fields of a schedule.
type cronField struct {
	name        string
	least, most int
	names       []string // of the values from least on
}

// cronFields are the fields in their order. The week has eight days here,
// because Sunday is both 0 and 7.
var cronFields = [5]cronField{
	{name: "minute", least: 0, most: 59},
	{name: "hour", least: 0, most: 23},
	{name: "day of the month", least: 1, most: 31},
	{name: "month", least: 1, most: 12, names: []string{
		"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
	}},
	{name: "day of the week", least: 0, most: 7, names: []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}},
}

func (f cronField) isWeek() bool { return f.most == 7 }

// parse returns the set of values that a field stands for, or else what is
// wrong with it and what to do.
func (f cronField) parse(text string) (set uint64, wrong, remedy string) {
	for part := range strings.SplitSeq(text, ",") {
		from, to, step, wrong, remedy := f.bounds(part)
		if wrong != "" {
			return 0, wrong, remedy
		}
		for value := from; value <= to; value += step {
			set |= 1 << value
		}
	}
	if f.isWeek() {
		set = set&0x7f | set>>7 // 7 is 0
	}
	return set, "", ""
}

// bounds reads one element of a field's list.
func (f cronField) bounds(part string) (from, to, step int, wrong, remedy string) {
	span, stepText, stepped := strings.Cut(part, "/")
	step = 1
	if stepped {
		var err error
		step, err = strconv.Atoi(stepText)
		values := f.most - f.least + 1
		if f.isWeek() {
			values = 7
		}
		if err != nil || step < 1 || step > values || stepText[0] == '+' {
			return 0, 0, 0, fmt.Sprintf("has the step %s in its %s", quote(stepText), f.name), fmt.Sprintf("write a step of 1 to %d", values)
		}
	}
	if span == "*" {
		to = f.most
		if f.isWeek() {
			to = 6 // or else */2 would mean Sunday twice, as 0 and as 7
		}
		return f.least, to, step, "", ""
	}
	fromText, toText, isRange := strings.Cut(span, "-")
	from, valid := f.value(fromText)
	if !valid {
		return 0, 0, 0, f.not(fromText), f.remedy()
	}
	switch {
	case isRange:
		if to, valid = f.value(toText); !valid {
			return 0, 0, 0, f.not(toText), f.remedy()
		}
		if f.isWeek() && to == 0 && from > 0 {
			to = 7 // FRI-SUN
		}
	case stepped:
		to = f.most
		if f.isWeek() {
			to = 6
		}
	default:
		to = from
	}
	if from > to {
		return 0, 0, 0, fmt.Sprintf("has the range %s in its %s, which runs backwards", quote(span), f.name),
			fmt.Sprintf("write it as two: %s-%d,%d-%s", fromText, f.most, f.least, toText)
	}
	return from, to, step, "", ""
}

func (f cronField) value(text string) (int, bool) {
	for i, name := range f.names {
		if strings.EqualFold(text, name) {
			return f.least + i, true
		}
	}
	value, err := strconv.Atoi(text)
	return value, err == nil && value >= f.least && value <= f.most && text[0] != '+' && text[0] != '-'
}

func (f cronField) not(text string) string {
	return fmt.Sprintf("has %s as its %s", quote(text), f.name)
}

func (f cronField) remedy() string {
	remedy := fmt.Sprintf("write a number from %d to %d", f.least, f.most)
	if f.names != nil {
		remedy += fmt.Sprintf(" or a name from %s to %s", f.names[0], f.names[len(f.names)-1])
	}
	return remedy + ", a range of them, a list, or *"
}
