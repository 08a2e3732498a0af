package demo

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// A person sits at a browser: it keeps cookies, follows redirects, and presses the
// buttons of forms.
type person struct {
	client *http.Client
	at     *url.URL
	status int
	page   string
	forms  int // that were sent
}

func newPerson() (*person, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &person{client: &http.Client{Jar: jar, Timeout: time.Minute}}, nil
}

func (p *person) open(ctx context.Context, address string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	return p.arrive(req)
}

func (p *person) arrive(req *http.Request) error {
	resp, err := p.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	const maxPage = 1 << 20
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxPage))
	p.at, p.status, p.page = resp.Request.URL, resp.StatusCode, string(body)
	return err
}

var (
	aForm   = regexp.MustCompile(`<form method="post" action="([^"]*)">`)
	aHidden = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
	aTitle  = regexp.MustCompile(`<title>([^<]*)</title>`)
)

// press fills in the form of the page and presses one of its buttons.
func (p *person) press(ctx context.Context, button string, fields map[string]string) error {
	form := aForm.FindStringSubmatch(p.page)
	if form == nil {
		return errors.New("the page has no form: " + p.title())
	}
	values := url.Values{"action": {button}}
	for _, hidden := range aHidden.FindAllStringSubmatch(p.page, -1) {
		values.Set(html.UnescapeString(hidden[1]), html.UnescapeString(hidden[2]))
	}
	for name, value := range fields {
		if !strings.Contains(p.page, `name="`+name+`"`) {
			return fmt.Errorf("the page %q has no field %s", p.title(), name)
		}
		values.Set(name, value)
	}
	action, err := p.at.Parse(html.UnescapeString(form[1]))
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, action.String(), strings.NewReader(values.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	p.forms++
	return p.arrive(req)
}

// follow opens the address that one of the page's links leads to.
func (p *person) follow(ctx context.Context, id string) error {
	link := regexp.MustCompile(`<a id="` + regexp.QuoteMeta(id) + `" href="([^"]*)">`).FindStringSubmatch(p.page)
	if link == nil {
		return fmt.Errorf("the page %q has no link %s", p.title(), id)
	}
	to, err := p.at.Parse(html.UnescapeString(link[1]))
	if err != nil {
		return err
	}
	return p.open(ctx, to.String())
}

func (p *person) title() string {
	if found := aTitle.FindStringSubmatch(p.page); found != nil {
		return html.UnescapeString(found[1])
	}
	return ""
}
