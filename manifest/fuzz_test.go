package manifest_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"windlass/manifest"
)

// Whatever the text, Parse returns either a manifest that survives the way
// through JSON, or problems that each have a place within the text.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		f.Fatal("no manifest under testdata", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("a: &x [*x, <<: *x]\n? {}\n: !!binary x\n--- |\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := manifest.Parse(data, known("amp.yaml"))
		if err == nil {
			roundTrip(t, m)
			return
		}
		problems, found := errors.AsType[manifest.Problems](err)
		if !found || len(problems) == 0 || m != nil {
			t.Fatalf("got %v and an error that holds no problem: %v", m, err)
		}
		for _, problem := range problems {
			if problem.Message == "" || len(problem.Message) > 1000 {
				t.Errorf("a message of %d bytes: %v", len(problem.Message), problem)
			}
		}
	})
}

func FuzzFromJSON(f *testing.F) {
	files, err := filepath.Glob("testdata/accepted-*.golden")
	if err != nil || len(files) == 0 {
		f.Fatal("no JSON under testdata", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"a": [1, "x", null, {"b": true}], "a": 1e9}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if m, err := manifest.FromJSON(data, nil); err == nil {
			roundTrip(t, m)
		}
	})
}

func roundTrip(t *testing.T, m *manifest.Manifest) {
	t.Helper()
	text, err := m.ToJSON()
	if err != nil {
		t.Fatal(err)
	}
	again, err := manifest.FromJSON(text, nil)
	if err != nil {
		t.Fatalf("%s was accepted before it was JSON: %v", text, err)
	}
	if second, err := again.ToJSON(); err != nil || string(second) != string(text) {
		t.Errorf("%s became %s (%v)", text, second, err)
	}
	if err := again.Check(nil); err != nil {
		t.Errorf("%s is no longer accepted: %v", text, err)
	}
}

// A schedule that is accepted runs, never earlier than promised, and means the
// same when it is written and read again.
func FuzzParseSchedule(f *testing.F) {
	for _, text := range []string{"*/10 * * * *", "0,5 1-3/2 * JAN 7", "59 23 29 2 */7", "@daily", "1/1 * * * FRI-SUN"} {
		f.Add(text, int64(1764000000))
	}
	f.Fuzz(func(t *testing.T, text string, seconds int64) {
		schedule, err := manifest.ParseSchedule(text)
		if err != nil {
			return
		}
		const limit = 1 << 36 // beyond the year 4000
		after := time.Unix(seconds%limit, 0)
		first := schedule.Next(after)
		second := schedule.Next(first)
		if !first.After(after) || second.Sub(first) < schedule.MinGap() || schedule.MinGap() < time.Minute {
			t.Errorf("%q after %v runs at %v and %v, and its shortest gap is %v", text, after, first, second, schedule.MinGap())
		}
		if again, err := manifest.ParseSchedule(schedule.String()); err != nil || again != schedule {
			t.Errorf("%q became %q, which becomes %v (%v)", text, schedule, again, err)
		}
	})
}
