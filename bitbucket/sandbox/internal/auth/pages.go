package auth

import (
	"bytes"
	"html/template"
	"net/http"
)

// The pages work without scripts and without anything fetched from elsewhere.
const pageTemplates = `{{define "head"}}<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}} – Mock Bitbucket</title>
<style>
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0; }
main { max-width: 28rem; margin: 10vh auto; padding: 0 1.25rem; }
h1 { font-size: 1.5rem; line-height: 1.25; }
label { display: block; margin-top: 1rem; font-weight: 600; }
input { box-sizing: border-box; width: 100%; font: inherit; padding: .5rem; margin-top: .25rem; }
button { font: inherit; padding: .5rem 1rem; margin: 1.25rem .5rem 0 0; cursor: pointer; }
.primary { font-weight: 600; }
[role=alert] { border-inline-start: .25rem solid #c9372c; padding-inline-start: .75rem; }
small { opacity: .75; }
</style>
</head>
<body>
<main>
<h1>{{.Title}}</h1>
{{end}}
{{define "foot"}}<p><small>This is a sandbox, not Bitbucket.</small></p>
</main>
</body>
</html>
{{end}}
{{define "login"}}{{template "head" .}}<p>to let <strong>{{.Consumer}}</strong> ask for access to your account</p>
{{if .Failed}}<p role="alert">This email and password do not belong together. Please try again.</p>
{{end}}<form method="post" action="{{.Action}}">
<input type="hidden" name="csrf" value="{{.CSRF}}">
<label for="email">Email</label>
<input id="email" name="email" type="text" inputmode="email" autocomplete="username" value="{{.Email}}" required autofocus>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button class="primary" name="action" value="log in">Log in</button>
</form>
{{template "foot" .}}{{end}}
{{define "consent"}}{{template "head" .}}<p><strong>{{.Consumer}}</strong> is asking for access to your account. You are logged in as <strong>{{.User}}</strong>.</p>
{{if .Scopes}}<p>It will be able to:</p>
<ul>
{{range .Scopes}}<li>{{.Means}} <small>({{.Name}})</small></li>
{{end}}</ul>
{{else}}<p>It will only see what is public.</p>
{{end}}<form method="post" action="{{.Action}}">
<input type="hidden" name="csrf" value="{{.CSRF}}">
<button class="primary" name="action" value="grant">Grant access</button>
<button name="action" value="deny">Deny</button>
<button name="action" value="switch">Use another account</button>
</form>
<p>You will be taken back to {{.Host}}.</p>
{{template "foot" .}}{{end}}
{{define "problem"}}{{template "head" .}}<p role="alert">{{.Message}}</p>
{{template "foot" .}}{{end}}`

func parsePages() *template.Template {
	return template.Must(template.New("pages").Parse(pageTemplates))
}

type loginPage struct {
	Title, Consumer, Action, CSRF, Email string
	Failed                               bool
}

type consentPage struct {
	Title, Consumer, User, Action, CSRF, Host string
	Scopes                                    []scopeMeaning
}

type problemPage struct{ Title, Message string }

type scopeMeaning struct{ Name, Means string }

func (a *Authority) showLogin(w http.ResponseWriter, r *http.Request, status int, v visitor, req authorization, email string) {
	a.render(w, status, "login", loginPage{
		Title: "Log in", Consumer: req.consumer.Name, Action: r.URL.RequestURI(), CSRF: v.csrf(),
		Email: email, Failed: status != http.StatusOK,
	})
}

func (a *Authority) showConsent(w http.ResponseWriter, r *http.Request, v visitor, req authorization) {
	a.mu.Lock()
	user := a.users[v.user]
	a.mu.Unlock()
	page := consentPage{
		Title: "Confirm access to your account", Consumer: req.consumer.Name, User: user.DisplayName,
		Action: r.URL.RequestURI(), CSRF: v.csrf(), Host: req.target.Host,
	}
	for _, scope := range req.consumer.Scopes {
		page.Scopes = append(page.Scopes, scopeMeaning{scope, meaning(scope)})
	}
	a.render(w, http.StatusOK, "consent", page)
}

func (a *Authority) showProblem(w http.ResponseWriter, status int, message string) {
	a.render(w, status, "problem", problemPage{"Something is wrong with this request", message})
}

func (a *Authority) render(w http.ResponseWriter, status int, name string, page any) {
	var body bytes.Buffer
	if err := a.pages.ExecuteTemplate(&body, name, page); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", typeHTML)
	h.Set("Cache-Control", "no-store")
	// No form-action: browsers would apply it to the redirect back to the
	// application as well.
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes())
}

// meaning says in a line what a scope allows.
func meaning(scope string) string {
	switch scope {
	case "account":
		return "See your account and the workspaces you belong to"
	case "account:write":
		return "Change your account"
	case "email":
		return "See your email addresses"
	case "project":
		return "See your projects and their repositories"
	case "project:admin":
		return "Create, change and delete your projects"
	case "repository":
		return "See your repositories"
	case "repository:write":
		return "See and change the contents of your repositories"
	case "repository:admin":
		return "Create your repositories and change their settings"
	case "repository:delete":
		return "Delete your repositories"
	case "pullrequest":
		return "See your repositories and their pull requests"
	case "pullrequest:write":
		return "Create and merge pull requests"
	case "snippet":
		return "See your snippets"
	case "snippet:write":
		return "See, create, change and delete your snippets"
	case "webhook":
		return "See and change webhooks"
	case "pipeline":
		return "See your pipelines and their variables"
	case "pipeline:write":
		return "Start and stop your pipelines"
	case "pipeline:variable":
		return "See your pipelines and change their variables"
	case "runner":
		return "See your runners"
	case "runner:write":
		return "Set up and remove your runners"
	default:
		return "Use what this scope covers"
	}
}
