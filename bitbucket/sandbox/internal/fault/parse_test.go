package fault_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"windlass/bitbucket/sandbox/internal/fault"
)

func TestParseFault(t *testing.T) {
	tests := []struct{ reads, text, want string }{
		{"a status for some requests", "status=502,path=/2.0/repositories/*,after=3,times=1", "status=502,path=/2.0/repositories/*,after=3,times=1"},
		{"spaces around items", "times=1, cut=100", "cut=100,times=1"},
		{"a latency alone", "latency=250ms", "latency=250ms"},
		{"a latency beside a kind", "latency=1s,hang", "hang,latency=1s"},
		{"a slow clock", "skew=-5m", "skew=-5m0s"},
		{"a page that begins earlier", "shift-page=-2", "shift-page=-2"},
		{"a host of one's own", "foreign-next=other.example", "foreign-next=other.example"},
		{"a next that loses a parameter", "lossy-next=fields,times=2", "lossy-next=fields,times=2"},
		{"a next that loses the usual one", "lossy-next", "lossy-next"},
		{"a next that is not there", "no-next", "no-next"},
		{"a next that is wrong", "bad-next", "bad-next"},
		{"a list in another order", "unstable=-100,after=1", "unstable=-100,after=1"},
		{"a redirect to a place", "redirect=307,to=/2.0/repositories/acme/new", "redirect=307,to=/2.0/repositories/acme/new"},
		{"an overload in plain text", "status=429,retry-after=30s,text", "status=429,retry-after=30s,text"},
	}
	for _, tt := range tests {
		t.Run(tt.reads, func(t *testing.T) {
			f, err := fault.ParseFault(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if f.String() != tt.want {
				t.Errorf("got %s, want %s", f, tt.want)
			}
		})
	}
}

func TestParseFaultRefuses(t *testing.T) {
	tests := []struct {
		reads, text string
		says        []string
	}{
		{"a key that does not exist", "staus=502", []string{"staus", "no such key", "status, latency", "retry-after"}},
		{"nothing that goes wrong", "path=/x,times=1", []string{"not what goes wrong", "duplicate-page"}},
		{"two things at once", "hang,cut", []string{"cut", "hang", "one thing"}},
		{"a status out of range", "status=99", []string{"status", "200 to 599"}},
		{"a negative count", "hang,times=-1", []string{"times", "whole number"}},
		{"a time without a unit", "latency=5", []string{"latency", "250ms"}},
		{"a negative wait", "latency=-5s", []string{"latency", "250ms"}},
		{"a path without a slash", "hang,path=2.0", []string{"path", "/2.0/repositories/*"}},
		{"a value for a kind that takes none", "reset=1", []string{"reset", "no value"}},
		{"a list turned by nothing", "unstable=0", []string{"unstable", "other than 0"}},
		{"a next that loses nothing", "lossy-next=", []string{"lossy-next", "parameter"}},
		{"a page shifted by nothing", "shift-page=0", []string{"shift-page", "other than 0"}},
		{"an empty text", "", []string{"no such key"}},
	}
	for _, tt := range tests {
		t.Run(tt.reads, func(t *testing.T) {
			f, err := fault.ParseFault(tt.text)
			if err == nil {
				t.Fatalf("parsed to %s", f)
			}
			for _, part := range tt.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("%q is more than one line", err)
			}
		})
	}
}

func TestEveryKindIsParsed(t *testing.T) {
	for _, kind := range fault.Kinds() {
		text := string(kind)
		switch kind {
		case fault.Status:
			text += "=500"
		case fault.Latency, fault.Skew:
			text += "=1s"
		}
		if f, err := fault.ParseFault(text); err != nil || f.Kind != kind {
			t.Errorf("%s: %v, %v", text, f, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("status=502,path=/2.0/repositories/*,after=3,times=1")
	f.Add("skew=-5m,method=GET,latency=1s")
	f.Add("foreign-next=x,text,retry-after=1h")
	f.Fuzz(func(t *testing.T, text string) {
		first, err := fault.ParseFault(text)
		if err != nil {
			return
		}
		second, err := fault.ParseFault(first.String())
		if err != nil || second != first {
			t.Fatalf("%q is %q, which is %q: %v", text, first, second, err)
		}
		var set fault.Set
		set.Add(first)
		set.Take(httptest.NewRequest(http.MethodGet, "/2.0/repositories/acme", nil))
	})
}
