package fault

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ParseFault reads a fault from its text: items separated by commas, of which
// exactly one names the kind (a latency may stand alone or beside one).
//
//	status=502  redirect  redirect=307  latency=2s  hang  cut  cut=100  malformed  html  html=503
//	foreign-next  foreign-next=other.example  duplicate-page
//	shift-page  shift-page=-2  unstable=100  skew=-5m  reset
//	lossy-next  lossy-next=fields  no-next  bad-next
//
// The others say for which requests and how:
//
//	method=GET  path=/2.0/repositories/*  after=3  times=1  retry-after=30s  text
//	to=/2.0/repositories/acme/new
func ParseFault(text string) (Fault, error) {
	var f Fault
	for item := range strings.SplitSeq(text, ",") {
		key, value, given := strings.Cut(strings.TrimSpace(item), "=")
		if err := setKey(&f, key, value, given); err != nil {
			return Fault{}, fmt.Errorf("fault %q: %w", text, err)
		}
	}
	if f.Kind == "" && f.Latency > 0 {
		f.Kind = Latency
	}
	if f.Kind == "" {
		return Fault{}, fmt.Errorf("fault %q: says not what goes wrong; name one of %s", text, kindNames())
	}
	return f, nil
}

func kindNames() string {
	names := make([]string, 0, len(Kinds()))
	for _, k := range Kinds() {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

func setKey(f *Fault, key, value string, given bool) error {
	var err error
	switch key {
	case "method":
		f.Method = strings.ToUpper(value)
		err = needs(value != "", "a method such as GET")
	case "path":
		f.Path = value
		err = needs(strings.HasPrefix(value, "/") || strings.HasPrefix(value, "*"), "a path such as /2.0/repositories/*")
	case "after":
		f.After, err = count(value)
	case "times":
		f.Times, err = count(value)
	case "retry-after":
		f.RetryAfter, err = duration(value, 0)
	case "latency":
		f.Latency, err = duration(value, 0)
	case "to":
		f.To = value
		err = needs(value != "", "the place that a redirect leads to")
	case "text":
		f.Text = true
		err = needs(!given, "no value")
	default:
		err = setKind(f, Kind(key), value, given)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

func setKind(f *Fault, kind Kind, value string, given bool) error {
	if f.Kind != "" {
		return fmt.Errorf("not beside %s: one fault does one thing", f.Kind)
	}
	f.Kind = kind
	var err error
	switch kind {
	case Status:
		f.Status, err = status(value)
	case Redirect, HTML:
		if given {
			f.Status, err = status(value)
		}
	case Skew:
		f.Skew, err = duration(value, minSkew)
	case Cut:
		if given {
			f.Amount, err = count(value)
		}
	case ShiftPage, Unstable:
		if given {
			f.Amount, err = strconv.Atoi(value)
			err = needs(err == nil && f.Amount != 0, "a number of records other than 0")
		}
	case ForeignNext:
		f.Host = value
		err = needs(!given || value != "", "a host")
	case LossyNext:
		f.Parameter = value
		err = needs(!given || value != "", "the name of a parameter")
	case Hang, Malformed, DuplicatePage, NoNext, BadNext, Reset:
		err = needs(!given, "no value")
	default:
		return fmt.Errorf("no such key; use %s, or one of method, path, after, times, retry-after, to, text", kindNames())
	}
	return err
}

const minSkew = -1 << 62 // any clock error will do

type needError string

func (e needError) Error() string { return "needs " + string(e) }

func needs(ok bool, what string) error {
	if ok {
		return nil
	}
	return needError(what)
}

func count(value string) (int, error) {
	n, err := strconv.Atoi(value)
	return n, needs(err == nil && n >= 0, "a whole number from 0")
}

func status(value string) (int, error) {
	code, err := strconv.Atoi(value)
	return code, needs(err == nil && code >= http.StatusOK && code <= 599, "a status from 200 to 599")
}

func duration(value string, atLeast time.Duration) (time.Duration, error) {
	d, err := time.ParseDuration(value)
	return d, needs(err == nil && d >= atLeast, "a duration such as 250ms or 5m")
}

// String writes the fault as ParseFault reads it.
func (f Fault) String() string {
	items := []string{f.kindText()}
	add := func(given bool, key string, value any) {
		if given {
			items = append(items, fmt.Sprintf("%s=%v", key, value))
		}
	}
	add(f.Latency > 0 && f.Kind != Latency, "latency", f.Latency)
	add(f.Method != "", "method", f.Method)
	add(f.Path != "", "path", f.Path)
	add(f.After > 0, "after", f.After)
	add(f.Times > 0, "times", f.Times)
	add(f.RetryAfter > 0, "retry-after", f.RetryAfter)
	add(f.To != "", "to", f.To)
	if f.Text {
		items = append(items, "text")
	}
	return strings.Join(items, ",")
}

func (f Fault) kindText() string {
	switch {
	case f.Kind == Latency:
		return fmt.Sprintf("latency=%v", f.Latency)
	case f.Kind == Skew:
		return fmt.Sprintf("skew=%v", f.Skew)
	case f.Status != 0:
		return fmt.Sprintf("%s=%d", f.Kind, f.Status)
	case f.Amount != 0:
		return fmt.Sprintf("%s=%d", f.Kind, f.Amount)
	case f.Parameter != "":
		return fmt.Sprintf("%s=%s", f.Kind, f.Parameter)
	case f.Host != "":
		return fmt.Sprintf("%s=%s", f.Kind, f.Host)
	default:
		return string(f.Kind)
	}
}
