package manifest_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"windlass"
	"windlass/manifest"
)

func TestJSONProblemsSayThePath(t *testing.T) {
	t.Parallel()
	const begin = `{"specVersion": "1.0.0", "integrations": [{"name": "a", "provider": "bitbucket", `
	for _, test := range []struct{ name, text, want string }{
		{
			"a value", begin + `"read": {"objects": [{"objectName": "x", "destination": "d", "schedule": "*/5 * * * *"}]}}]}`,
			`body:integrations[0].read.objects[0].schedule: schedule "*/5 * * * *" runs every 5 minutes`,
		},
		{"a missing key", begin + `"read": {"objects": [{"objectName": "x"}]}}]}`, "body:integrations[0].read.objects[0].destination: destination is missing"},
		{"a null", begin + `"proxy": null}]}`, "body:integrations[0].proxy: proxy has no value"},
		{"an unknown key", begin + `"raed": {}}]}`, `body:integrations[0]: unknown key "raed": write "read"`},
		{"a key that is there twice", begin + `"name": "b"}]}`, `body:integrations[0].name: key "name" is here twice: remove one of the two`},
		{
			"a name that is taken", begin + `"proxy": {"enabled": true}}, {"name": "a", "provider": "b", "proxy": {"enabled": true}}]}`,
			`body:integrations[1].name: integration "a" is in integrations[0].name already`,
		},
		{"no JSON", `{"specVersion": 1.0.0}`, "body:1:20: not valid JSON"},
		{"half of it", "{\"specVersion\":\n\"1.0.0\",", "body:2:9: not valid JSON: it ends too early"},
		{"nothing", "", "body:1:1: not valid JSON: it ends too early"},
		{"too much of it", "{} {}", "something follows the end of the manifest"},
		{"too deep", strings.Repeat("[", 100), "it is nested deeper than 64 levels"},
		{"YAML", "specVersion: 1.0.0", "body:1:1: not valid JSON"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := manifest.FromJSON([]byte(test.text), &manifest.Options{File: "body"})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got:\n%v\nwant:\n%s", err, test.want)
			}
		})
	}
}

func TestManifestSurvivesTheWayThroughJSON(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/accepted-*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no accepted manifest", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := manifest.Parse(data, nil)
		if err != nil {
			t.Fatal(err)
		}
		text, err := parsed.ToJSON()
		if err != nil {
			t.Fatal(err)
		}
		again, err := manifest.FromJSON(text, nil)
		if err != nil || !reflect.DeepEqual(parsed, again) {
			t.Errorf("%s: after JSON got %+v (%v), want %+v", file, again, err, parsed)
		}
	}
}

func TestManifestMadeInGoIsChecked(t *testing.T) {
	t.Parallel()
	m := manifest.Manifest{SpecVersion: manifest.SpecVersion, Integrations: []manifest.Integration{{
		Name: "a", Provider: "bitbucket", Read: &manifest.Read{Objects: []manifest.ReadObject{{ObjectName: "projects"}}},
	}}}
	err := m.Check(nil)
	if !errors.Is(err, windlass.Invalid) || !strings.HasPrefix(err.Error(), "integrations[0].read.objects[0].destination: destination is missing") {
		t.Errorf("got %v", err)
	}
	m.Integrations[0].Read.Objects[0].Destination = "hook"
	if err := m.Check(nil); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestProblemWithoutAPlaceIsStillASentence(t *testing.T) {
	t.Parallel()
	problem := manifest.Problem{Message: "it is broken"}
	if got := problem.String(); got != "it is broken" {
		t.Errorf("got %q", got)
	}
}
