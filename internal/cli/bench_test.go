package cli_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"testing"
	"time"
)

// BenchmarkReadMemory reports the most memory that a `windlass read
// repositories --output` ever held, for a thousand and for half a million
// repositories: what it holds is a page, and the identity of each record.
func BenchmarkReadMemory(b *testing.B) {
	const (
		few, many = 1_000, 500_000
		maxMiB    = 64
		identity  = 48 // bytes a record: 20, and what the collector takes
	)
	if runtime.GOOS != "linux" {
		b.Skip("the kernel's own account of a process's memory is read from /proc")
	}
	binary := filepath.Join(b.TempDir(), "windlass")
	build := exec.CommandContext(b.Context(), "go", "build", "-o", binary, "windlass/cmd/windlass")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		b.Fatal(err)
	}
	var small, large, seconds float64
	for b.Loop() {
		s, _ := peakOfRead(b, binary, few)
		l, took := peakOfRead(b, binary, many)
		small, large, seconds = max(small, s), max(large, l), took.Seconds()
	}
	b.ReportMetric(small, "MiB-1k")
	b.ReportMetric(large, "MiB-500k")
	b.ReportMetric(large/small, "ratio")
	b.ReportMetric(many/seconds, "records/s")
	b.ReportMetric(0, "ns/op") // it says nothing beside the rest
	if grown := (large - small) * (1 << 20) / (many - few); large > maxMiB || grown > identity {
		b.Errorf("%.1f MiB for %d repositories and %.1f MiB for %d, %.0f bytes a record more: want under %d MiB and under %d bytes", small, few, large, many, grown, maxMiB, identity)
	}
}

// peakOfRead reads so many repositories from a sandbox of its own, in processes
// of their own, and returns the reader's peak in MiB and the time it took.
func peakOfRead(b *testing.B, binary string, repositories int) (float64, time.Duration) {
	b.Helper()
	server := exec.CommandContext(b.Context(), binary, "sandbox", "--limit", "0", "--repositories", strconv.Itoa(repositories))
	stdout, err := server.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := server.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	}()
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		b.Fatal(err)
	}
	var where struct {
		APIURL    string `json:"api_url"`
		Token     string `json:"access_token"`
		Workspace string `json:"workspace"`
	}
	if err := json.Unmarshal(line, &where); err != nil {
		b.Fatal(err)
	}
	out := filepath.Join(b.TempDir(), "out.jsonl")
	read := exec.CommandContext(b.Context(), binary, "read", "repositories", "--quiet", "--output", out)
	read.Env = []string{"BITBUCKET_API_URL=" + where.APIURL, "BITBUCKET_TOKEN=" + where.Token, "BITBUCKET_WORKSPACE=" + where.Workspace}
	read.Stderr = os.Stderr
	begun := time.Now()
	if err := read.Start(); err != nil {
		b.Fatal(err)
	}
	peak := watch(read.Process.Pid)
	if err := read.Wait(); err != nil {
		b.Fatal(err)
	}
	took := time.Since(begun)
	if err := checkLines(out, repositories); err != nil {
		b.Fatal(err)
	}
	return float64(<-peak) / 1024, took
}

// watch returns the high-water mark of a process, in KiB, once it has ended. It
// asks the kernel over and over, because the mark is gone with the process; the
// one that wait reports begins with the memory of the process that started it.
func watch(pid int) <-chan int {
	mark := regexp.MustCompile(`VmHWM:\s+(\d+) kB`)
	result := make(chan int, 1)
	go func() {
		peak := 0
		for {
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			found := mark.FindSubmatch(status)
			if errors.Is(err, fs.ErrNotExist) || (found == nil && peak > 0) {
				result <- peak
				return
			}
			if found != nil {
				kib, _ := strconv.Atoi(string(found[1]))
				peak = max(peak, kib)
			}
			time.Sleep(2 * time.Millisecond)
		}
	}()
	return result
}

func checkLines(path string, want int) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := 0
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		lines++
	}
	if lines != want {
		return fmt.Errorf("%s has %d lines, want %d", path, lines, want)
	}
	return scanner.Err()
}
