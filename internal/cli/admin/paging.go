package admin

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"windlass/internal/cli/command"
)

// paging says how much of a list is printed.
type paging struct {
	limit int
	all   bool
}

func (p *paging) bind(cmd *cobra.Command) {
	cmd.Flags().IntVar(&p.limit, "limit", 50, "list `N` at most")
	cmd.Flags().BoolVar(&p.all, "all", false, "list all of them")
}

// fetch returns as much of a list as is asked for, and whether there is more.
func (p *paging) fetch(ctx context.Context, c *client, path string, query url.Values) (all []json.RawMessage, more bool, err error) {
	const pageSize = 500
	if p.limit < 1 {
		return nil, false, command.Invalidf("--limit %d: list one or more, or --all", p.limit)
	}
	asked := url.Values{}
	maps.Copy(asked, query)
	for {
		size := pageSize
		if !p.all {
			size = min(size, p.limit-len(all))
		}
		asked.Set("pageSize", strconv.Itoa(size))
		got, err := c.get(ctx, path, asked)
		if err != nil {
			return nil, false, err
		}
		items, next, err := got.page()
		if err != nil {
			return nil, false, err
		}
		all = append(all, items...)
		if next == "" || (!p.all && len(all) >= p.limit) {
			return all, next != "", nil
		}
		asked.Set("pageToken", next)
	}
}

// page takes an answer apart: a list, whose next page is in the header Link, or a
// page that says itself what follows.
func (a answer) page() (items []json.RawMessage, next string, err error) {
	if bytes.HasPrefix(bytes.TrimSpace(a.body), []byte("{")) {
		var page struct {
			Results    []json.RawMessage
			Pagination struct{ NextPageToken string }
		}
		err := a.into(&page)
		return page.Results, page.Pagination.NextPageToken, err
	}
	if err := a.into(&items); err != nil {
		return nil, "", err
	}
	for _, link := range a.header.Values("Link") {
		target, found := strings.CutSuffix(link, `>; rel="next"`)
		if u, err := url.Parse(strings.TrimPrefix(target, "<")); found && err == nil {
			next = u.Query().Get("pageToken")
		}
	}
	return items, next, nil
}

// list prints as much of a list as is asked for, and says whether there is more.
func (s *atServer) list(ctx context.Context, env *command.Env, c *client, p *paging, path string, query url.Values, columns []column) error {
	all, more, err := p.fetch(ctx, c, path, query)
	if err != nil {
		return err
	}
	if all == nil {
		all = []json.RawMessage{}
	}
	if !s.json {
		if columns, err = c.named(ctx, columns); err != nil {
			return err
		}
	}
	body, err := json.Marshal(all)
	if err != nil {
		return command.Internal("list", err)
	}
	if env.StdoutTerminal && !s.json {
		columns = relative(columns, env.Now())
	}
	if err := s.printList(env.Stdout, answer{body: body}, columns); err != nil || !more {
		return err
	}
	if s.json {
		command.TellJSON(env.Stderr, map[string]any{"shown": len(all), "more": true})
		return nil
	}
	command.Tellf(env.Stderr, "%d are shown, and there are more: --all lists them, and --limit N more of them\n", len(all))
	return nil
}

// named makes the columns of an id into ones of a name: of integrations and
// destinations there are few.
func (c *client) named(ctx context.Context, columns []column) ([]column, error) {
	named := append([]column(nil), columns...)
	for i, column := range columns {
		segment := map[string]string{"integrationId": "integrations", "destinationId": "destinations"}[column.path]
		if segment == "" {
			continue
		}
		path, err := c.inProject(ctx, segment)
		if err != nil {
			return nil, err
		}
		all, _, err := (&paging{limit: 1, all: true}).fetch(ctx, c, path, nil)
		if err != nil {
			return nil, err
		}
		names := map[string]string{}
		for _, one := range all {
			names[command.Cell(one, "id")] = command.Cell(one, "name")
		}
		named[i].show = func(id string) string { return cmp.Or(names[id], id) }
	}
	return named, nil
}

// relative makes times into how long ago they are, for people.
func relative(columns []column, now time.Time) []column {
	shown := append([]column(nil), columns...)
	for i := range shown {
		if before := shown[i].show; before == nil {
			shown[i].show = func(text string) string { return ago(text, now) }
		}
	}
	return shown
}

// ago is a time as "5 min ago" or "in 5 min"; what is no time stays as it is.
func ago(text string, now time.Time) string {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return text
	}
	d := now.Sub(t)
	form := "%s ago"
	if d < 0 {
		d, form = -d, "in %s"
	}
	const day = 24 * time.Hour
	switch {
	case d < time.Minute:
		return fmt.Sprintf(form, fmt.Sprintf("%d s", d/time.Second))
	case d < time.Hour:
		return fmt.Sprintf(form, fmt.Sprintf("%d min", d/time.Minute))
	case d < 2*day:
		return fmt.Sprintf(form, fmt.Sprintf("%d h", d/time.Hour))
	default:
		return fmt.Sprintf(form, fmt.Sprintf("%d days", d/day))
	}
}
