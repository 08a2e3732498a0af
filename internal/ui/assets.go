package ui

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"windlass"
)

//go:embed assets
var assetFiles embed.FS

//go:embed templates
var templateFiles embed.FS

const assetPrefix = "/dashboard/assets/"

// assetPaths leads from an asset's name to its address, which has a hash of its
// content in it: a browser may keep it for good.
var assetPaths = func() map[string]string {
	paths := map[string]string{}
	entries, err := assetFiles.ReadDir("assets")
	if err != nil {
		return paths // embedded: it is there
	}
	for _, entry := range entries {
		content, _ := assetFiles.ReadFile("assets/" + entry.Name()) // likewise
		sum := sha256.Sum256(content)
		paths[entry.Name()] = assetPrefix + hex.EncodeToString(sum[:6]) + "/" + entry.Name()
	}
	return paths
}()

// assetHandler serves what pages are made of besides HTML, by its address only.
func assetHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := path.Base(r.URL.Path)
		if assetPaths[name] != r.URL.Path {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		http.ServeFileFS(w, r, assetFiles, "assets/"+name)
	})
}

// parsePages reads the templates: each page's stands in a set of its own with the
// layout.
func parsePages() (map[string]*template.Template, error) {
	fail := func(err error) (map[string]*template.Template, error) {
		return nil, &windlass.Error{Kind: windlass.Internal, Op: "read the templates", Err: err}
	}
	layout, err := template.New("").Funcs(functions).ParseFS(templateFiles, "templates/layout.html")
	if err != nil {
		return fail(err)
	}
	names, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		return fail(err)
	}
	pages := map[string]*template.Template{}
	for _, name := range names {
		set, err := layout.Clone()
		if err == nil {
			set, err = set.ParseFS(templateFiles, name)
		}
		if err != nil {
			return fail(err)
		}
		pages[strings.TrimSuffix(path.Base(name), ".html")] = set
	}
	return pages, nil
}

// functions are what templates may call.
var functions = template.FuncMap{
	"iso":   func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"ago":   func(t time.Time) string { return ago(t, time.Now()) },
	"count": count,
	"parts": partsOf,
	"list":  func(all ...string) []string { return all },
	"pace":  pace,
	"clock": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") },
	"words": func(s string) string { return strings.ReplaceAll(s, "_", " ") },
}

// ago is a time as people say it, near to now.
func ago(t, now time.Time) string {
	d := now.Sub(t)
	suffix := " ago"
	if d < 0 {
		d, suffix = -d, ""
	}
	var text string
	switch {
	case d < 10*time.Second && suffix != "":
		return "just now"
	case d < time.Minute:
		text = many(int(d/time.Second), "second")
	case d < time.Hour:
		text = many(int(d/time.Minute), "minute")
	case d < 48*time.Hour:
		text = many(int(d/time.Hour), "hour")
	case d < 60*24*time.Hour:
		text = many(int(d/(24*time.Hour)), "day")
	default:
		return t.UTC().Format("2 Jan 2006")
	}
	if suffix == "" {
		return "in " + text
	}
	return text + suffix
}

// pace is how long something takes, roughly.
func pace(d time.Duration) string {
	switch {
	case d < time.Minute:
		return many(max(int(d/time.Second), 1), "second")
	case d < time.Hour:
		return many(int(d/time.Minute), "minute")
	default:
		return many(int(d/time.Hour), "hour")
	}
}

func many(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// count writes a number with thin groups of three: 1,234,567.
func count(n any) string {
	digits := fmt.Sprint(n)
	negative := strings.HasPrefix(digits, "-")
	digits = strings.TrimPrefix(digits, "-")
	var groups []string
	for len(digits) > 3 {
		groups = append([]string{digits[len(digits)-3:]}, groups...)
		digits = digits[:len(digits)-3]
	}
	text := strings.Join(append([]string{digits}, groups...), ",")
	if negative {
		return "-" + text
	}
	return text
}
