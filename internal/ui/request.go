package ui

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"windlass"
)

// request is one request of a person's browser.
type request struct {
	*http.Request

	ui       *UI
	w        http.ResponseWriter
	answered bool

	Session *windlass.Session // nil: not signed in
	Project *windlass.Project // nil: the page belongs to no project
}

// A view is what the layout shows, and the page within it.
type view struct {
	Title   string
	Session *windlass.Session
	Project *windlass.Project
	Menu    []menuItem
	Notice  string // what was just done
	Data    any
	Edits   bool // the person may change things
	Assets  map[string]string
	// Provider is what the page calls the provider.
	Provider called
}

// page answers with a page: the template of that name, within the layout.
func (r *request) page(status int, name, title string, data any) error {
	template, found := r.ui.pages[name]
	if !found {
		return &windlass.Error{Kind: windlass.Internal, Op: "write a page", Message: "there is no template " + name}
	}
	var body bytes.Buffer
	if err := template.ExecuteTemplate(&body, "layout", r.view(title, data)); err != nil {
		return fmt.Errorf("write the page %s: %w", name, err)
	}
	r.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	r.w.WriteHeader(status)
	_, _ = body.WriteTo(r.w) // a browser that went away needs no page
	r.answered = true
	return nil
}

// view is what templates see.
func (r *request) view(title string, data any) view {
	return view{
		Title: title, Session: r.Session, Project: r.Project, Menu: r.menu(), Notice: notices[r.URL.Query().Get("done")],
		Data: data, Edits: r.Session != nil && r.Session.Role.Allows(windlass.Editor), Assets: assetPaths,
		Provider: r.provider(),
	}
}

// ok is page for what went well.
func (r *request) ok(name, title string, data any) error {
	return r.page(http.StatusOK, name, title, data)
}

// redirect sends the browser on, after something was done.
func (r *request) redirect(to string) {
	http.Redirect(r.w, r.Request, to, http.StatusSeeOther)
	r.answered = true
}

// done sends the browser to a page that says what was done. path is relative to the
// project's pages, or absolute.
func (r *request) done(path, notice string) error {
	r.redirect(r.path(path) + "?" + url.Values{"done": {notice}}.Encode())
	return nil
}

// path is the address of a page of the request's project.
func (r *request) path(page string) string {
	if strings.HasPrefix(page, "/") || r.Project == nil {
		return page
	}
	return strings.TrimRight(projectPath(r.Project.ID)+"/"+page, "/")
}

// wrong reports whether an error is about the entered values, and returns it as a
// problem for the page with the form.
func wrong(err error) (bool, *Problem) {
	for _, kind := range []windlass.Kind{windlass.Invalid, windlass.Conflict, windlass.NotFound, windlass.Unauthorized, windlass.RateLimited} {
		if errors.Is(err, kind) {
			problem := problemOf(err)
			return true, &problem
		}
	}
	return false, nil
}

// projectPath is the address of a project's first page.
func projectPath(id string) string { return Prefix + "p/" + url.PathEscape(id) }

// pageSize is how many rows a page of a list has.
const pageSize = 50

// cut removes the extra last row of a list, and returns the id of the next page's
// start; empty when there is no more.
func cut[T any](all []T, id func(T) string) (rows []T, more string) {
	if len(all) <= pageSize {
		return all, ""
	}
	return all[:pageSize], id(all[pageSize-1])
}

// after is the page of a list that was asked for.
func (r *request) after() windlass.Page {
	return windlass.Page{After: r.URL.Query().Get("after"), Limit: pageSize + 1}
}

// field is a value of the form, without spaces around it.
func (r *request) field(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }

// notices are what pages say after something was done.
var notices = map[string]string{
	"signed-out": "You are signed out.",
	"password":   "The password is set. Other browsers are signed out.",
	"created":    "Created.",
	"saved":      "Saved.",
	"deleted":    "Deleted.",
	"replayed":   "The message is being sent again.",
	"paused":     "The reads are paused.",
	"unpaused":   "The reads are resumed.",
	"begun":      "The read has begun.",
}

// change does something and notes who did it, in one transaction: both happen, or
// neither. do must not ask the provider anything (invariant 3).
func (r *request) change(action, target string, details map[string]string, do func(ctx context.Context) error) error {
	return r.ui.config.Lookup.In(r.Context(), func(ctx context.Context) error {
		if err := do(ctx); err != nil {
			return err
		}
		return r.ui.config.People.Note(ctx, *r.Session, r.projectID(), action, target, details)
	})
}

func (r *request) projectID() string {
	if r.Project == nil {
		return ""
	}
	return r.Project.ID
}

// A menuItem is one entry of the menu.
type menuItem struct {
	Name, Path string
	Here       bool
}

func (r *request) menu() []menuItem {
	if r.Session == nil {
		return nil
	}
	var items []menuItem
	add := func(name, path string) {
		items = append(items, menuItem{name, path, r.URL.Path == path || path != Prefix && strings.HasPrefix(r.URL.Path, path+"/")})
	}
	if r.Project != nil {
		for _, page := range projectMenu {
			add(page.name, r.path(page.path))
		}
	}
	add("Projects", Prefix)
	add("Audit log", Prefix+"audit")
	add("Account", Prefix+"account")
	return items
}
