package api

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"windlass/internal/read"
	"windlass/internal/setup"
	"windlass/internal/sink/sinktest"
)

// Checking stops at the last issue that is said: what follows costs nothing.
func TestCheckingStopsWhenThereIsNoRoomForMore(t *testing.T) {
	t.Parallel()
	sinks, _ := sinktest.Webhook(t, nil)
	s := newSchemaSet(routes(), sinks)
	for name, body := range map[string]string{
		"keys that are unknown": `{"label":"a",` + strings.Repeat(`"k%d":1,`, 1500) + `"scopes":[]}`,
		"texts with a NUL":      `{"label":"a","scopes":["\u0000"` + strings.Repeat(`,"\u0000"`, 999) + `]}`,
	} {
		for i := 0; strings.Contains(body, "%d"); i++ {
			body = strings.Replace(body, "%d", fmt.Sprint(i), 1)
		}
		var value any
		if err := json.Unmarshal([]byte(body), &value); err != nil {
			t.Fatal(err)
		}
		var found faults
		s.check(reflect.TypeFor[setup.APIKeyRequest](), value, &found)
		if len(found.issues) != maxIssues || found.looked > maxIssues+10 {
			t.Errorf("%s: %d issues of %d values that were looked at", name, len(found.issues), found.looked)
		}
		if err := found.err(); !strings.Contains(err.Error(), "100 issues or more") {
			t.Errorf("%s: %v", name, err)
		}
	}

	// So does the reading of the text.
	var found faults
	if _, err := parseJSON([]byte(`{"a":{`+strings.Repeat(`"b":1,`, 1500)+`"b":1},"c":[`+strings.Repeat("1,", 1500)+`1]}`), &found); err != nil {
		t.Fatal(err)
	}
	if len(found.issues) != maxIssues || found.values > maxIssues+10 {
		t.Errorf("%d issues of %d values", len(found.issues), found.values)
	}
}

// Of each body that an operation takes, every text and every list has a limit.
func TestTextsAndListsHaveLimits(t *testing.T) {
	t.Parallel()
	sinks, _ := sinktest.Webhook(t, nil)
	s := newSchemaSet(routes(), sinks)
	for _, test := range []struct {
		of   reflect.Type
		body string
		want string // the place and what is wrong, nothing where it is all right
	}{
		{reflect.TypeFor[setup.GroupRequest](), `{"groupRef":"` + strings.Repeat("ä", 256) + `"}`, ""},
		{reflect.TypeFor[setup.GroupRequest](), `{"groupRef":"` + strings.Repeat("ä", 257) + `"}`, "groupRef it is longer than 256 characters"},
		{reflect.TypeFor[setup.APIKeyRequest](), `{"label":"a","scopes":["` + strings.Repeat("a", 257) + `"]}`, "scopes[0] it is longer than 256 characters"},
		{reflect.TypeFor[setup.APIKeyRequest](), `{"label":"a","scopes":["a"` + strings.Repeat(`,"a"`, 1000) + `]}`, "scopes it has 1001 entries: at most 1000 are allowed"},
		{reflect.TypeFor[setup.CreateDestinationRequest](), `{"name":"a","type":"webhook","metadata":{"url":"` + strings.Repeat("u", 4096) + `"}}`, ""},
		{reflect.TypeFor[setup.CreateDestinationRequest](), `{"name":"a","type":"webhook","metadata":{"url":"` + strings.Repeat("u", 4097) + `"}}`, "metadata.url it is longer than 4096 characters"},
		{reflect.TypeFor[setup.CreateDestinationRequest](), `{"name":"a","type":"webhook","metadata":{"headers":{"X":"` + strings.Repeat("h", 4096) + `"}}}`, ""},
		{reflect.TypeFor[setup.CreateDestinationRequest](), `{"name":"a","type":"webhook","metadata":{"headers":{"X":"` + strings.Repeat("h", 4097) + `"}}}`, "metadata.headers.X it is longer than 4096 characters"},
		{reflect.TypeFor[setup.ProviderAppRequest](), `{"provider":"b","clientId":"c","clientSecret":"` + strings.Repeat("s", 16385) + `"}`, "clientSecret it is longer than 16384 characters"},
		{reflect.TypeFor[read.PauseRequest](), `{"note":"` + strings.Repeat("n", 4097) + `"}`, "note it is longer than 4096 characters"},
		{reflect.TypeFor[read.PauseRequest](), `{"objects":["o"` + strings.Repeat(`,"o"`, 1000) + `]}`, "objects it has 1001 entries: at most 1000 are allowed"},
	} {
		var value any
		if err := json.Unmarshal([]byte(test.body), &value); err != nil {
			t.Fatal(err)
		}
		var found faults
		s.check(test.of, value, &found)
		var got []string
		for _, issue := range found.issues {
			got = append(got, issue.Name+" "+issue.Message)
		}
		if strings.Join(got, "; ") != test.want {
			t.Errorf("%.60s…: got %q, want %q", test.body, got, test.want)
		}
	}
}

func TestBodiesOfTooManyValues(t *testing.T) {
	t.Parallel()
	for n, fits := range map[int]bool{maxValues - 1: true, maxValues: false} {
		var found faults
		_, err := parseJSON([]byte(`[0`+strings.Repeat(",0", n-1)+`]`), &found)
		if (err == nil) != fits {
			t.Errorf("%d values and their list: %v", n, err)
		}
	}
}
