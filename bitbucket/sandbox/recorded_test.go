package sandbox_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestRecordedShapes compares our bodies with bodies that Bitbucket returned:
// the same keys, all the way down, holding the same kinds of values.
func TestRecordedShapes(t *testing.T) {
	c := newClient(t, nil)
	repo := "/repositories/acme/" + c.get("/repositories/acme").at("values.0.slug").(string)
	for _, row := range []struct{ file, path string }{
		{"members.json", "/workspaces/acme/members"},
		{"projects.json", "/workspaces/acme/projects"},
		{"repositories.json", "/repositories/acme?pagelen=100"},
		{"repositories_sorted.json", "/repositories/acme?sort=updated_on&pagelen=100"},
		{"repository.json", repo},
		{"repository_hooks.json", repo + "/hooks"},
		{"user.json", "/user"},
		{"user_workspaces.json", "/user/workspaces"},
		{"workspace.json", "/workspaces/acme"},
	} {
		t.Run(row.file, func(t *testing.T) {
			var recorded struct{ Body map[string]any }
			if err := json.Unmarshal(readShared(t, "recorded/2026-06/"+row.file), &recorded); err != nil {
				t.Fatal(err)
			}
			var ours map[string]any
			if err := json.Unmarshal([]byte(c.get(row.path).text), &ours); err != nil {
				t.Fatal(err)
			}
			want, got := shapes(recorded.Body), shapes(ours)
			for key, kinds := range want {
				if len(got[key]) == 0 {
					t.Errorf("%s was recorded as %s and is not there", key, kinds)
				}
			}
			for key, kinds := range got {
				if reason := beyondRecorded(key); len(want[key]) == 0 && reason == "" {
					t.Errorf("%s is %s and was not recorded", key, kinds)
				}
				for _, kind := range kinds {
					if !slices.Contains(want[key], kind) && kind != "null" && !slices.Contains(want[key], "null") && len(want[key]) > 0 {
						t.Errorf("%s is %s and was recorded as %s", key, kind, want[key])
					}
				}
			}
		})
	}
}

// TestRecordedBodiesAreServed gives the server what Bitbucket returned, and
// reads it back unchanged, errors included.
func TestRecordedBodiesAreServed(t *testing.T) {
	c := newClient(t, nil)
	for _, row := range []struct {
		file, path string
		status     int
	}{
		{"recorded/2026-06/repositories.json", "/repositories/recorded", 200},
		{"recorded/errors/error-privileges.json", "/workspaces/recorded/projects", 403},
		{"recorded/errors/error-badrequest.json", "/workspaces/recorded/projects/X", 400},
	} {
		want := readShared(t, row.file)
		c.server.ServeBody("GET", "/2.0"+row.path, row.status, want)
		if r := c.do("GET", row.path+"?pagelen=100", nil); r.status != row.status || r.text != string(want) {
			t.Errorf("%s: %d, %d bytes of %d", row.file, r.status, len(r.text), len(want))
		}
	}
}

// beyondRecorded gives the reason why a key may be there though no recorded
// body has it.
func beyondRecorded(key string) string {
	for _, e := range []struct{ key, reason string }{
		{"next", "the recorded lists were one page long"},
		{"previous", "the recorded lists were one page long"},
		{"values[].parent.", "no recorded repository is a fork"},
		{"parent.", "no recorded repository is a fork"},
		{"values[].owner.account_id", "an owner may be a user"},
		{"values[].owner.nickname", "an owner may be a user"},
		{"owner.account_id", "an owner may be a user"},
		{"owner.nickname", "an owner may be a user"},
		{"values[].mainbranch", "recorded ones had one"},
	} {
		if strings.HasPrefix(key, e.key) {
			return e.reason
		}
	}
	return ""
}

// shapes lists the kinds of values at each path of a document.
func shapes(v any) map[string][]string {
	kinds := map[string]map[string]bool{}
	var visit func(path string, v any)
	visit = func(path string, v any) {
		kind := fmt.Sprintf("%T", v)
		switch x := v.(type) {
		case nil:
			kind = "null"
		case map[string]any:
			for name, child := range x {
				visit(strings.TrimPrefix(path+"."+name, "."), child)
			}
		case []any:
			for _, child := range x {
				visit(path+"[]", child)
			}
		}
		if kinds[path] == nil {
			kinds[path] = map[string]bool{}
		}
		kinds[path][kind] = true
	}
	visit("", v)
	out := map[string][]string{}
	for path, set := range kinds {
		out[path] = slices.Sorted(maps.Keys(set))
	}
	return out
}

// readShared reads a file of the shared material about Bitbucket, which is no
// part of the product.
func readShared(t *testing.T, name string) []byte {
	t.Helper()
	shared := os.Getenv("WINDLASS_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "shared")
	}
	b, err := os.ReadFile(filepath.Join(shared, "bitbucket", filepath.FromSlash(name)))
	if err == nil {
		return b
	}
	if os.Getenv("WINDLASS_SHARED_REQUIRED") != "" {
		t.Fatal("the material about Bitbucket is required here: ", err)
	}
	t.Skip("the material about Bitbucket is not on this machine (set WINDLASS_SHARED to its folder): ", err)
	return nil
}
