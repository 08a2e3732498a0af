package cli_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"windlass/internal/server"
	"windlass/internal/store/storetest"
)

// BenchmarkServe reports how long windlass serve takes from its start until it is
// ready, with a database that exists, how much memory it holds while it has nothing
// to do, and how large the program is.
func BenchmarkServe(b *testing.B) {
	const (
		maxReady = 300 * time.Millisecond
		maxIdle  = 60.0 // MiB
		settle   = 3 * time.Second
	)
	if runtime.GOOS != "linux" {
		b.Skip("the kernel's own account of a process's memory is read from /proc")
	}
	folder := b.TempDir()
	build := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", filepath.Join(folder, "windlass"), "windlass/cmd/windlass")
	build.Env, build.Stderr = append(os.Environ(), "CGO_ENABLED=0"), os.Stderr
	if err := build.Run(); err != nil {
		b.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(folder, "windlass"))
	if err != nil {
		b.Fatal(err)
	}
	for _, driver := range []string{"sqlite", "postgres"} {
		b.Run(driver, func(b *testing.B) {
			keyset, err := server.NewKeyset()
			if err != nil {
				b.Fatal(err)
			}
			env := []string{"PATH=" + folder, "HOME=" + folder, "WINDLASS_DATA_DIR=" + b.TempDir(), "WINDLASS_KEYSET=" + keyset.Reveal()}
			if driver == "postgres" {
				env = append(env, "WINDLASS_DATABASE_URL="+storetest.New(b, driver).URL)
			}
			untilReady(b, env) // makes the database
			var times []time.Duration
			for b.Loop() {
				times = append(times, untilReady(b, env))
			}
			p, err := startProcess(env)
			if err != nil {
				b.Fatal(err)
			}
			time.Sleep(settle)
			idle := resident(b, p.command.Process.Pid)
			if _, err := p.end(syscall.SIGTERM); err != nil {
				b.Fatal(err)
			}
			slices.Sort(times)
			ready := times[len(times)/2]
			b.ReportMetric(float64(ready.Microseconds())/1000, "ms-ready")
			b.ReportMetric(idle, "MiB-idle")
			b.ReportMetric(float64(info.Size())/1e6, "MB-binary")
			b.ReportMetric(0, "ns/op") // it says nothing beside the rest
			if ready > maxReady || idle > maxIdle {
				b.Errorf("ready after %s with %.1f MiB: want under %s and %.0f MiB", ready, idle, maxReady, maxIdle)
			}
		})
	}
}

// untilReady starts a server, waits until it says that it is ready, and stops it.
func untilReady(b *testing.B, env []string) time.Duration {
	b.Helper()
	begun := time.Now()
	p, err := startProcess(env)
	if err != nil {
		b.Fatal(err)
	}
	for {
		resp, err := http.Get(p.url + "/readyz")
		if err == nil {
			resp.Body.Close()
		}
		if err == nil && resp.StatusCode == http.StatusOK {
			break
		}
		if time.Since(begun) > 20*time.Second {
			b.Fatal("it was never ready: ", p.stderr)
		}
		time.Sleep(time.Millisecond)
	}
	took := time.Since(begun)
	if code, err := p.end(syscall.SIGTERM); code != 0 || err != nil {
		b.Fatalf("it ended with %d, %v: %s", code, err, p.stderr)
	}
	return took
}

// resident is the memory of a process in MiB.
func resident(b *testing.B, pid int) float64 {
	b.Helper()
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	found := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(status)
	if err != nil || found == nil {
		b.Fatal("no memory of the process: ", err)
	}
	kib, err := strconv.Atoi(string(found[1]))
	if err != nil {
		b.Fatal(err)
	}
	return float64(kib) / 1024
}
