package ui

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"windlass"
	"windlass/connector"
	"windlass/internal/deploy"
	"windlass/manifest"
)

type deployView struct {
	Text        string // of the manifest, as it was entered
	Destructive bool
	Problem     *Problem
	Places      []place
	Done        *deploy.Deployment
}

// A place is a problem of a manifest, with the lines around it.
type place struct {
	Line, Column int // 0: it has none
	Message      string
	Remedy       string
	Lines        []sourceLine
}

// A sourceLine is a line of a manifest.
type sourceLine struct {
	Number int
	Text   string
	Here   bool
}

const (
	maxPlaces   = 50 // of all problems, how many are shown at their lines
	placeMargin = 2  // lines shown above and below
	maxLine     = 200
)

func (r *request) deployPage() error {
	v := deployView{}
	if r.URL.Query().Has("template") {
		destinations, err := r.ui.config.Setup.Destinations(r.Context(), r.Project.ID, windlass.Page{Limit: 1})
		if err != nil {
			return err
		}
		destination := "webhook"
		if len(destinations) > 0 {
			destination = destinations[0].Name
		}
		v.Text = r.template(destination)
	}
	return r.ok("deploy", "Deploy", v)
}

// template is a manifest with every object, to start from.
func (r *request) template(destination string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "specVersion: %s\nintegrations:\n", manifest.SpecVersion)
	for _, provider := range slices.Sorted(maps.Keys(r.ui.config.Setup.Catalog())) {
		integration(&text, provider, r.ui.config.Setup.Objects(provider), destination)
	}
	return text.String()
}

// integration writes an entry of a manifest, with everything that a provider has.
func integration(text *strings.Builder, provider string, objects []connector.Object, destination string) {
	fmt.Fprintf(text, "  - name: %s\n    provider: %s\n    read:\n      objects:\n", provider, provider)
	for i := range objects {
		o := &objects[i]
		comment(text, o.DisplayName+". "+o.Description)
		fmt.Fprintf(text, "        - objectName: %s\n          destination: %q\n          schedule: \"*/30 * * * *\"\n          optionalFieldsAuto: all\n"+
			"          backfill:\n            defaultPeriod:\n              fullHistory: true\n", o.Name, destination)
	}
	text.WriteString("    write:\n      objects:\n")
	for i := range objects {
		if o := &objects[i]; o.Create || o.Update || o.Delete {
			fmt.Fprintf(text, "        - objectName: %s\n", o.Name)
		}
	}
}

// comment writes a text in lines of a comment.
func comment(to *strings.Builder, text string) {
	const width = 90
	line := "        #"
	for word := range strings.FieldsSeq(text) {
		if len(line)+len(word) > width {
			to.WriteString(line + "\n")
			line = "        #"
		}
		line += " " + word
	}
	to.WriteString(line + "\n")
}

// entered is the manifest that was pasted or uploaded.
func (r *request) entered() (from deploy.Source, err error) {
	from.YAML = []byte(r.PostFormValue("manifest")) // which reads the whole form
	file, _, err := r.FormFile("file")
	switch {
	case err == nil:
		defer func() { _ = file.Close() }() // it was only read
	case errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart):
		return from, nil
	default:
		return from, &windlass.Error{Kind: windlass.Invalid, Message: "the form cannot be read: " + err.Error(), Remedy: "a manifest has at most a megabyte"}
	}
	data, err := io.ReadAll(file)
	switch {
	case err != nil:
		return from, err
	case len(data) == 0: // a browser sends an empty file where none was chosen
	case bytes.HasPrefix(data, []byte("PK")):
		from = deploy.Source{Zip: data}
	default:
		from = deploy.Source{YAML: data}
	}
	return from, nil
}

func (r *request) deploy() error {
	from, err := r.entered()
	if err != nil {
		return err
	}
	v := deployView{Text: string(from.YAML), Destructive: r.PostFormValue("destructive") != ""}
	var done deploy.Deployment
	err = r.change("integrations.deploy", "", map[string]string{"destructive": cmp.Or(r.PostFormValue("destructive"), "no")}, func(ctx context.Context) (err error) {
		done, err = r.ui.config.Deploy.Deploy(ctx, r.Project.ID, from, v.Destructive)
		return err
	})
	if shown, problem := wrong(err); shown {
		if problems, found := errors.AsType[manifest.Problems](err); found {
			problem.Issues, v.Places = nil, places(problems, v.Text)
			if len(problems) > maxPlaces {
				problem.Remedy = fmt.Sprintf("These are the first %d.", maxPlaces)
			}
		}
		v.Problem = problem
		return r.page(statusOf(err), "deploy", "Deploy", v)
	}
	if err != nil {
		return err
	}
	v.Done = &done
	return r.ok("deploy", "Deploy", v)
}

// places shows problems at their lines.
func places(problems manifest.Problems, text string) []place {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	all := make([]place, 0, min(len(problems), maxPlaces))
	for _, p := range problems[:min(len(problems), maxPlaces)] {
		at := place{Line: p.Line, Column: p.Column, Message: sentence(p.Message), Remedy: sentence(p.Remedy)}
		for n := max(1, p.Line-placeMargin); p.Line > 0 && text != "" && n <= min(len(lines), p.Line+placeMargin); n++ {
			line := []rune(lines[n-1])
			at.Lines = append(at.Lines, sourceLine{n, string(line[:min(len(line), maxLine)]), n == p.Line})
		}
		all = append(all, at)
	}
	return all
}
