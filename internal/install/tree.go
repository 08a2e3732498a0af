package install

import (
	"encoding/json"

	"windlass/internal/config"
	"windlass/internal/input"
)

// A config travels as a tree of maps, lists and values while a mask or a patch
// changes it, because both lead to any place in it. It becomes a [config.Config] when
// its form has been checked.

// treeOf turns a config into a tree of its own.
func treeOf(c config.Config) (map[string]any, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	return input.Tree(text)
}

// longTexts are the keys of a config's texts that are for people, or are values of
// records. All others are names.
var longTexts = []string{"value", "stringValue", "prompt"}

// otherSpelling is a key that documents spell differently.
const (
	spelling      = "inheritFieldsAndMappings"
	otherSpelling = "inheritFieldsAndMapping"
)

// respell replaces the other spelling of a key, wherever objects that are subscribed
// to have it.
func respell(tree map[string]any) {
	found, _ := input.Lookup(tree, []string{"subscribe", "objects"})
	objects, _ := found.(map[string]any)
	for _, found := range objects {
		object, _ := found.(map[string]any)
		if value, there := object[otherSpelling]; there {
			delete(object, otherSpelling)
			object[spelling] = value
		}
	}
}
