package ui_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"windlass/internal/ui"
)

// Whatever comes from outside lands in three places: text, a string of the
// script, and an object of the script.
func TestNothingFromOutsideBecomesMarkup(t *testing.T) {
	t.Parallel()
	for _, evil := range []string{
		`<script>alert(1)</script>`, `</script><script>alert(1)</script>`, `</title><svg onload=alert(1)>`, `"><img src=x onerror=alert(1)>`,
		`';alert(1)//`, `\u003cscript\u003e`, "\u2028alert(1)", `<!--<script>`, `${alert(1)}`, `]]>`,
	} {
		w := httptest.NewRecorder()
		err := ui.Consent{
			Status: 400, Title: evil, Text: evil, Remedy: evil, Origin: evil, Reference: evil,
			Message: map[string]any{"message": evil, evil: evil},
		}.Write(w)
		if err != nil {
			t.Fatal(err)
		}
		page := w.Body.String()
		if strings.Count(page, "<script") != 1 || strings.Count(page, "</script>") != 1 || strings.Count(page, "<style") != 1 {
			t.Errorf("%q became markup: %s", evil, page)
		}
		for _, markup := range []string{"<svg", "<img", "<!--"} {
			if strings.Contains(page, markup) {
				t.Errorf("%q left %q in the page: %s", evil, markup, page)
			}
		}
		if strings.Contains(scriptOf(page), "\u2028") { // a line's end to older scripts
			t.Errorf("%q ends a line of the script: %s", evil, page)
		}
	}
}

func TestNothingFromOutsideBecomesMarkupOnTheFirstPage(t *testing.T) {
	t.Parallel()
	for _, evil := range []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `javascript:alert(1)`, `';alert(1)//`, `</script><svg onload=alert(1)>`} {
		w := httptest.NewRecorder()
		err := ui.Opening{
			Product: evil, Provider: evil, Workspace: evil, GroupRef: evil, GroupName: evil, Origin: evil, Continue: evil,
			Canceled: map[string]any{"message": evil},
		}.Write(w)
		if err != nil {
			t.Fatal(err)
		}
		page := w.Body.String()
		if strings.Count(page, "<script") != 1 || strings.Contains(page, "<svg") || strings.Contains(page, "<img") || strings.Contains(page, `href="javascript`) {
			t.Errorf("%q became markup: %s", evil, page)
		}
	}
}

func TestFirstPageSaysWhatIsAsked(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	err := ui.Opening{
		Product: "Mail", Provider: "Bitbucket", Workspace: "acme", GroupRef: "customer-1", GroupName: "Acme",
		Origin: "https://app.example.com", Continue: "https://windlass.example.com/on?x=1&y=2",
	}.Write(w)
	if err != nil {
		t.Fatal(err)
	}
	body, script, _ := strings.Cut(w.Body.String(), "<script")
	for _, part := range []string{
		`<html lang="en">`, "<title>Connect Bitbucket to Mail</title>", "Acme (customer-1)", "<dd>acme</dd>", "https://app.example.com",
		`href="https://windlass.example.com/on?x=1&amp;y=2"`, `name="viewport"`, "<main>",
	} {
		if !strings.Contains(body, part) {
			t.Errorf("the page has no %q: %s", part, body)
		}
	}
	if strings.Contains(body+script, "src=") || strings.Contains(body, "style=") {
		t.Errorf("the page loads something, or its policy shuts some of it out: %s", body)
	}
}

func scriptOf(page string) string {
	_, script, _ := strings.Cut(page, "<script")
	script, _, _ = strings.Cut(script, "</script>")
	return script
}

func TestPageCanBeReadWithoutItsScript(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	if err := (ui.Consent{Status: 200, Title: "Connected", Text: "All is well.", Remedy: "Go on.", Reference: "r-1"}).Write(w); err != nil {
		t.Fatal(err)
	}
	page := w.Body.String()
	body, _, _ := strings.Cut(page, "<script")
	for _, part := range []string{
		`<html lang="en">`, "<title>Connected</title>", `<h1 id="outcome" role="status"`, "All is well.", "Go on.", "r-1",
		"You can close this window.", `<button id="close" type="button" hidden>`, "<main>", `name="viewport"`,
	} {
		if !strings.Contains(body, part) {
			t.Errorf("the page has no %q: %s", part, body)
		}
	}
	if strings.Contains(page, "src=") || strings.Contains(page, "href=") || strings.Contains(page, "style=") {
		t.Errorf("the page loads something, or its policy shuts some of it out: %s", page)
	}
}
