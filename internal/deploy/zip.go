package deploy

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"windlass/internal/input"
)

// The limits of a zip. An amp.yaml is text of a few kilobytes; its folder may
// hold other files, of which nothing but the names is read.
const (
	maxZip        = 10 << 20 // bytes, packed
	maxZipEntries = 1000
	maxUnpacked   = 50 << 20 // bytes that all entries say they have
	maxManifest   = 1 << 20
	maxRatio      = 200 // of unpacked to packed; text rarely reaches 20
)

// ManifestName is the name of the file that a source holds.
const ManifestName = "amp.yaml"

const zipRemedy = "zip the folder that contains amp.yaml, or only that file"

// unzip returns the one manifest in a zip.
func unzip(op string, data []byte) ([]byte, error) {
	if len(data) > maxZip {
		return nil, input.Invalid(op, fmt.Sprintf("the zip has more than %d MiB", maxZip>>20), zipRemedy)
	}
	if n := entriesOf(data); n > maxZipEntries { // before a list of them is made
		return nil, input.Invalid(op, fmt.Sprintf("the zip has %d entries, more than %d", n, maxZipEntries), zipRemedy)
	}
	// An entry with a name such as ../amp.yaml is an error of its own, which is
	// no worry here: no entry is ever written to a disk.
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, input.Invalid(op, "the file is not a zip, or it is damaged", zipRemedy)
	}
	if len(archive.File) > maxZipEntries {
		return nil, input.Invalid(op, fmt.Sprintf("the zip has %d entries, more than %d", len(archive.File), maxZipEntries), zipRemedy)
	}
	var unpacked uint64
	var found []*zip.File
	var misnamed string
	for _, file := range archive.File {
		if unpacked += min(file.UncompressedSize64, maxUnpacked+1); unpacked > maxUnpacked {
			return nil, input.Invalid(op, fmt.Sprintf("the zip unpacks to more than %d MiB", maxUnpacked>>20), zipRemedy)
		}
		name := path.Clean(strings.ReplaceAll(file.Name, `\`, "/"))
		depth := strings.Count(name, "/")
		switch base := path.Base(name); {
		case file.FileInfo().IsDir() || strings.HasPrefix(name, "__MACOSX/") || depth > 1 || strings.HasPrefix(name, ".."):
		case base == ManifestName:
			found = append(found, file)
		case slices.Contains([]string{"amp.yml", "amp.yaml.txt"}, strings.ToLower(base)) || strings.EqualFold(base, ManifestName):
			misnamed = name
		}
	}
	switch {
	case len(found) == 1:
		return extract(op, found[0])
	case len(found) > 1:
		return nil, input.Invalid(op, fmt.Sprintf("the zip has %d files named %s: %q and %q", len(found), ManifestName, input.Shorten(found[0].Name), input.Shorten(found[1].Name)), "keep one of them")
	case misnamed != "":
		return nil, input.Invalid(op, fmt.Sprintf("the zip has no %s, but %q", ManifestName, input.Shorten(misnamed)), "rename it to "+ManifestName)
	default:
		return nil, input.Invalid(op, fmt.Sprintf("the zip has no %s at its top or one folder deep", ManifestName), zipRemedy)
	}
}

// entriesOf reads how many entries a zip says that it has, from the record at its
// end; 0 where there is no such record. A zip that lies about it is damaged to
// package zip.
func entriesOf(data []byte) int {
	const size, count = 22, 10 // of the record, and where the number stands in it
	at := bytes.LastIndex(data, []byte("PK\x05\x06"))
	if at < 0 || len(data)-at < size {
		return 0
	}
	return int(binary.LittleEndian.Uint16(data[at+count:]))
}

// extract unpacks one entry, whatever size it says it has.
func extract(op string, file *zip.File) ([]byte, error) {
	const encrypted = 1
	switch {
	case file.Flags&encrypted != 0:
		return nil, input.Invalid(op, ManifestName+" is encrypted in the zip", "zip it without a password")
	case !file.Mode().IsRegular():
		return nil, input.Invalid(op, ManifestName+" is not a regular file in the zip, but a link or a device", zipRemedy)
	case file.UncompressedSize64 > maxManifest:
		return nil, input.Invalid(op, fmt.Sprintf("%s has more than %d MiB", ManifestName, maxManifest>>20), "split its integrations over several projects")
	case file.UncompressedSize64 > maxRatio*max(file.CompressedSize64, 1<<10):
		return nil, input.Invalid(op, ManifestName+" has a compression ratio that text does not have", zipRemedy)
	}
	in, err := file.Open()
	if err != nil {
		return nil, input.Invalid(op, ManifestName+" uses an unknown compression method", "zip it with the method deflate")
	}
	defer in.Close()
	text, err := io.ReadAll(io.LimitReader(in, maxManifest+1))
	if err != nil || len(text) > maxManifest {
		return nil, input.Invalid(op, ManifestName+" is damaged in the zip", zipRemedy)
	}
	return text, nil
}
