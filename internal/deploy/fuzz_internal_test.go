package deploy

import (
	"archive/zip"
	"bytes"
	"strings"
	"testing"
)

// Whatever a zip holds, what comes out of it is a text that is not too long, or
// a failure that says something.
func FuzzUnzip(f *testing.F) {
	var good bytes.Buffer
	w := zip.NewWriter(&good)
	for _, name := range []string{"a/amp.yaml", "readme"} {
		entry, err := w.Create(name)
		if err == nil {
			_, err = entry.Write([]byte("specVersion: 1.0.0\n"))
		}
		if err != nil {
			f.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(good.Bytes())
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Add([]byte("PK\x03\x04\x14\x00\x08\x00\x08\x00"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		text, err := unzip("deploy", data)
		if len(text) > maxManifest || err == nil && text == nil || err != nil && !strings.Contains(err.Error(), ": ") {
			t.Errorf("got %d bytes and %v", len(text), err)
		}
	})
}
