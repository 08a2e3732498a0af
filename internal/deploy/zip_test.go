package deploy_test

import (
	"archive/zip"
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"windlass"
	"windlass/internal/deploy"
	"windlass/internal/flowtest"
)

// zipped makes a zip of names and texts, in pairs.
func zipped(t *testing.T, pairs ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i := 0; i < len(pairs); i += 2 {
		entry, err := w.Create(pairs[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := entry.Write([]byte(pairs[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestZips(t *testing.T) {
	w := flowtest.Once(t)
	w.Destination("hook")
	link := func() []byte {
		var out bytes.Buffer
		writer := zip.NewWriter(&out)
		header := &zip.FileHeader{Name: "amp.yaml"}
		header.SetMode(fs.ModeSymlink | 0o777)
		entry, err := writer.CreateHeader(header)
		w.OK(err)
		_, err = entry.Write([]byte("/etc/passwd"))
		w.OK(err)
		w.OK(writer.Close())
		return out.Bytes()
	}
	many := make([]string, 0, 2002)
	for i := range 1001 {
		many = append(many, fmt.Sprintf("%d.txt", i), "")
	}
	huge := func() []byte {
		var pairs []string
		for i := range 6 {
			pairs = append(pairs, fmt.Sprintf("%d.bin", i), strings.Repeat("\x00", 10<<20))
		}
		return zipped(t, append(pairs, "amp.yaml", flowtest.Reader)...)
	}
	damaged := zipped(t, "amp.yaml", flowtest.Reader)
	damaged[60] ^= 0xff
	lying := zipped(t, "amp.yaml", strings.Repeat("#", 2<<20))
	// Both of the places that say how long the entry is are made to lie.
	for at := range len(lying) - 4 {
		if bytes.Equal(lying[at:at+4], []byte{0, 0, 0x20, 0}) {
			copy(lying[at:], []byte{100, 0, 0, 0})
		}
	}
	for _, test := range []struct {
		name string
		zip  []byte
		want string // empty: it deploys
	}{
		{"at the top", zipped(t, "amp.yaml", flowtest.Reader), ""},
		{"one folder deep", zipped(t, "source/", "", "source/amp.yaml", flowtest.Reader, "source/README.md", "x"), ""},
		{"what a Mac adds is left alone", zipped(t, "amp.yaml", flowtest.Reader, "__MACOSX/amp.yaml", "x", ".DS_Store", "x"), ""},
		{"another one deeper is another's", zipped(t, "amp.yaml", flowtest.Reader, "a/b/amp.yaml", "x"), ""},
		{"a path that leads out", zipped(t, "../amp.yaml", "x", "amp.yaml", flowtest.Reader), ""},
		{"two", zipped(t, "a/amp.yaml", flowtest.Reader, "b/amp.yaml", flowtest.Reader), `the zip has 2 files named amp.yaml: "a/amp.yaml" and "b/amp.yaml"; keep one of them`},
		{"none", zipped(t, "readme.txt", "x"), "has no amp.yaml at its top or one folder deep; zip the folder that contains amp.yaml"},
		{"empty", zipped(t), "has no amp.yaml"},
		{"too deep", zipped(t, "a/b/amp.yaml", flowtest.Reader), "has no amp.yaml at its top or one folder deep"},
		{"misspelt", zipped(t, "a/amp.yml", flowtest.Reader), `has no amp.yaml, but "a/amp.yml"; rename it to amp.yaml`},
		{"a folder of that name", zipped(t, "amp.yaml/", ""), "has no amp.yaml"},
		{"no zip", []byte("specVersion: 1.0.0"), "is not a zip, or it is damaged"},
		{"cut", zipped(t, "amp.yaml", flowtest.Reader)[:300], "is not a zip, or it is damaged"},
		{"damaged", damaged, "amp.yaml is damaged in the zip"},
		{"a link", link(), "amp.yaml is not a regular file in the zip"},
		{"too many entries", zipped(t, many...), "the zip has 1001 entries, more than 1000"},
		{"a bomb of many", huge(), "the zip unpacks to more than 50 MiB"},
		{"a bomb of one", zipped(t, "amp.yaml", strings.Repeat("#", 1<<20)), "has a compression ratio that text does not have"},
		{"a text too long", zipped(t, "amp.yaml", strings.Repeat("#", 1<<20+1)), "amp.yaml has more than 1 MiB"},
		{"a bomb that lies", lying, "amp.yaml is damaged in the zip"},
		{"too large", make([]byte, 10<<20+1), "the zip has more than 10 MiB"},
		{"a manifest with a mistake", zipped(t, "amp.yaml", "specVersion: 2"), "the manifest has"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := w.In(t)
			_, err := w.Deploys.Deploy(w.Context(), w.Project.ID, deploy.Source{Zip: test.zip}, false)
			if test.want == "" {
				w.OK(err)
				return
			}
			w.Refused(err, windlass.Invalid, test.want)
		})
	}
}

func TestUploads(t *testing.T) {
	flowtest.Each(t, func(w *flowtest.World) {
		t := w.T
		w.Destination("hook")
		data := zipped(t, "amp.yaml", flowtest.Reader)
		digest := md5.Sum(data)
		sum := base64.StdEncoding.EncodeToString(digest[:])
		ticket := func() deploy.UploadTicket {
			u, err := w.Deploys.NewUpload(w.Context(), w.Project.ID, sum)
			w.OK(err)
			return u
		}
		receive := func(u deploy.UploadTicket, token, sum string, data []byte) error {
			return w.Deploys.ReceiveUpload(w.Context(), u.ID, token, sum, bytes.NewReader(data))
		}
		u := ticket()
		w.Refused(receive(u, "wrong", sum, data), windlass.Unauthorized)
		w.Refused(receive(u, u.Token.Reveal(), "nonsense", data), windlass.Invalid, "Content-MD5: is not an MD5 sum in base64")
		w.Refused(receive(u, u.Token.Reveal(), sum, data[1:]), windlass.Invalid, "it was damaged on the way")
		w.Refused(receive(u, u.Token.Reveal(), "", data[1:]), windlass.Invalid, "it was damaged on the way")
		w.Refused(receive(u, u.Token.Reveal(), "", make([]byte, 10<<20+1)), windlass.Invalid, "more than 10 MiB")
		w.OK(receive(u, u.Token.Reveal(), sum, data))
		w.Refused(receive(u, u.Token.Reveal(), sum, data), windlass.Conflict)
		address := "gs://" + u.Bucket + "/" + u.Path
		d, err := w.Deploys.Deploy(w.Context(), w.Project.ID, deploy.DeployRequest{SourceZipURL: address}.Source(""), false)
		w.OK(err)
		if len(d.Changed) != 1 {
			t.Errorf("got %+v", d)
		}
		_, err = w.Deploys.Deploy(w.Context(), w.Project.ID, deploy.Source{Upload: address}, false)
		w.Refused(err, windlass.NotFound, "there is no upload at "+address, "upload the zip again")
		for _, address := range []string{"https://example.com/a.zip", "gs://elsewhere/a", "gs://", "../etc"} {
			_, err = w.Deploys.Deploy(w.Context(), w.Project.ID, deploy.Source{Upload: address}, false)
			w.Refused(err, windlass.Invalid, "sourceZipUrl: is not the URL of an upload")
		}
		late := ticket()
		w.Now = w.Now.Add(16 * time.Minute)
		w.Refused(receive(late, late.Token.Reveal(), "", data), windlass.Gone)
		_, err = w.Deploys.NewUpload(w.Context(), w.Project.ID, "abc")
		w.Refused(err, windlass.Invalid, "md5: is not an MD5 sum")
	})
}

func TestZipOfManyEntriesIsRefusedUnread(t *testing.T) { //nolint:paralleltest // it counts what is allocated
	w := flowtest.Once(t)
	var b bytes.Buffer
	archive := zip.NewWriter(&b)
	for i := range 65000 {
		_, err := archive.CreateRaw(&zip.FileHeader{Name: fmt.Sprint(i)})
		w.OK(err)
	}
	w.OK(archive.Close())
	var failure error
	allocated := testing.AllocsPerRun(1, func() {
		_, failure = w.Deploys.Deploy(w.Context(), w.Project.ID, deploy.Source{Zip: b.Bytes()}, false)
	})
	w.Refused(failure, windlass.Invalid, "the zip has 65000 entries")
	if allocated > 5000 {
		t.Errorf("%v allocations: the entries were read", allocated)
	}
}
