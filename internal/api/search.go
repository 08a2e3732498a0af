package api

import (
	"bytes"
	"encoding/json"
	"reflect"

	"windlass/internal/read"
)

// searchAnswer is what a search answers. Documents say result, clients that were
// made of later ones say results: both are there, and the same.
type searchAnswer struct {
	Result  []searchEntry `json:"result"`
	Results []searchEntry `json:"results"`
}

// searchEntry is one record, as it would be in a message.
type searchEntry struct {
	Fields       map[string]any `json:"fields"`
	MappedFields map[string]any `json:"mappedFields"`
	Raw          map[string]any `json:"raw"`
}

// searches is the operation that searches. Its answer is put together of entries
// that hold the provider's own bytes, nulls included.
func searches() operation {
	op := takes(func(a *API, c *call, r read.SearchRequest) (json.RawMessage, error) {
		r.GroupRef = c.query.Get("groupRef")
		found, err := a.reads.Search(c.ctx(), c.project.ID, c.param("integrationIdOrName"), r)
		if err != nil {
			return nil, err
		}
		entries := make([][]byte, len(found))
		for i := range found {
			entries[i] = found[i]
		}
		list := bytes.Join(entries, []byte(","))
		return bytes.Join([][]byte{[]byte(`{"result":[`), list, []byte(`],"results":[`), list, []byte(`]}`)}, nil), nil
	})
	op.out = reflect.TypeFor[searchAnswer]()
	return op
}
