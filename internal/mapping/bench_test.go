package mapping_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"windlass/internal/mapping"
)

// BenchmarkAppendEntry maps one repository of 2.5 kB, and reports how many times
// longer the same takes with encoding/json, by way of map[string]any.
func BenchmarkAppendEntry(b *testing.B) {
	record, err := os.ReadFile(filepath.Join("testdata", "repository.json"))
	if err != nil {
		b.Fatal(err)
	}
	for _, row := range []struct {
		name      string
		selection mapping.Selection
	}{{"selected", repository}, {"all", everything()}} {
		b.Run(row.name, func(b *testing.B) {
			plan, err := mapping.Compile(row.selection)
			if err != nil {
				b.Fatal(err)
			}
			var out []byte
			b.SetBytes(int64(len(record)))
			b.ReportAllocs()
			for b.Loop() {
				if out, err = plan.AppendEntry(out[:0], record); err != nil {
					b.Fatal(err)
				}
			}
			ours := b.Elapsed() / time.Duration(b.N)
			const rounds = 200
			start := time.Now()
			for range rounds {
				if err := plainly(record, row.selection); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(time.Since(start)/rounds)/float64(max(ours, 1)), "x-encoding/json")
		})
	}
}

// plainly is what one would write at first, without paths and value mappings.
func plainly(record []byte, s mapping.Selection) error {
	var decoded map[string]any
	if err := json.Unmarshal(record, &decoded); err != nil {
		return err
	}
	plain, mapped := map[string]any{}, map[string]any{}
	for target, from := range s.SelectedFieldMappings {
		if value, found := decoded[from]; found {
			mapped[target] = value
		}
	}
	for name, value := range decoded {
		if s.SelectedFields[name] || s.SelectedFieldsAuto != "" {
			plain[strings.ToLower(name)] = value
		}
	}
	_, err := json.Marshal(map[string]any{"fields": plain, "mappedFields": mapped, "raw": json.RawMessage(record)})
	return err
}
