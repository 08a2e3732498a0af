package mapping_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"windlass/internal/mapping"
)

var update = flag.Bool("update", false, "write the golden files anew")

// repository is a selection such as a product would have.
var repository = mapping.Selection{
	Object: object{
		ObjectName: "repositories",
		RequiredFields: fields{
			{FieldName: "uuid", MapToName: "id"},
			{FieldName: "full_name"},
			{FieldName: "$['mainbranch']['name']", MapToName: "$['branch']['default']"},
			{MapToName: "title"},
			{MapToName: "visibility"},
		},
		OptionalFields: fields{{FieldName: "updated_on"}, {FieldName: "website"}, {FieldName: "language"}},
	},
	SelectedFields:        picks{"updated_on": true, "website": true, "language": false, "size": true, "project.key": true},
	SelectedFieldMappings: names{"title": "name", "visibility": "fork_policy", "$['urls']['clone']": "$['links']['clone'][*]['href']", "$['urls']['web']": "$['links']['html']['href']"},
	SelectedValueMappings: values{"visibility": {"inside": "no_public_forks", "open": "allow_forks"}},
	Dynamic:               []mapping.DynamicMapping{{MapToName: "notes", FieldName: "description"}, {MapToName: "unchosen"}},
}

func everything() mapping.Selection {
	all := repository
	all.SelectedFieldsAuto = "all"
	return all
}

// What goes to receivers is kept as it was: a change of it is seen in a diff.
func TestEntriesAreAsTheyWere(t *testing.T) {
	t.Parallel()
	record, err := os.ReadFile(filepath.Join("testdata", "repository.json"))
	if err != nil {
		t.Fatal(err)
	}
	record = bytes.TrimSpace(record)
	for name, selection := range map[string]mapping.Selection{"selected": repository, "all": everything()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan, err := mapping.Compile(selection)
			if err != nil {
				t.Fatal(err)
			}
			entry, err := plan.AppendEntry(nil, record)
			if err != nil {
				t.Fatal(err)
			}
			head, found := bytes.CutSuffix(entry, append(append([]byte(`,"raw":`), record...), '}'))
			if !found {
				t.Error("the entry does not end in the record, byte for byte")
			}
			var got bytes.Buffer
			if err := json.Indent(&got, append(head, '}'), "", "  "); err != nil {
				t.Fatal(err)
			}
			got.WriteByte('\n')
			golden := filepath.Join("testdata", name+".golden.json")
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil || !bytes.Equal(got.Bytes(), want) {
				t.Errorf("%v\ngot  %s\nwant %s", err, got.Bytes(), want)
			}
		})
	}
}
