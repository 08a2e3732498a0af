package ui_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"windlass"
	"windlass/bitbucket/sandbox"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
)

// The log of a read grows on the page while it runs, and stops growing when it ends.
func TestAPersonFollowsALog(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, &sandbox.Options{Repositories: 250})
	stuck, err := sandbox.ParseFault("status=503,path=/2.0/repositories/*,after=1")
	if err != nil {
		t.Fatal(err)
	}
	w.bucket.Inject(stuck)
	project := w.project()
	key, _ := w.product()
	w.connected(key, "acme-1", "Acme")
	id := w.installed("acme-1")

	w.Visit(project + "/operations?installation=" + id)
	w.says("of acme-1")
	w.says("in progress")
	w.Submit("tbody a")
	page := w.At()
	w.says("The backfill of repositories begins: everything.")
	w.until("40%, 100 of about 250")
	w.fits(page)
	w.Scripts(false)
	w.Visit(page)
	w.says("Look again")
	w.Scripts(true)
	w.Visit(page)
	w.bucket.ClearFaults()
	w.until("Read 250 records of repositories")
	w.until("success")
	w.says("ended")
	w.Visit(project + "/operations?status=failure")
	w.says("None match the filter.")
	w.Visit(project + "/operations?status=success&object=repositories")
	w.says("Read 250 records")
	w.Submit("tbody a")
	if strings.Contains(w.Text("main"), "Look again") {
		t.Error("an operation that has ended is followed")
	}
	w.Visit(page + "?log=")
	w.says("The latest lines")
	w.fits(project+"/operations", page, page+"?log=")
}

// A long log is shown in parts, whatever is in its lines.
func TestALongLogIsCut(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s := open()
		d := newDesk(t, s)
		in := keepInstallation(t, s, "Acme")
		p := windlass.Operation{
			ID: "00000000-0000-7000-8000-000000000001", ProjectID: in.ProjectID, IntegrationID: in.IntegrationID, InstallationID: in.ID, ConfigID: in.Config.ID,
			Object: "repositories", Action: windlass.ActionRead, Trigger: windlass.TriggerBackfill, Status: windlass.OperationSuccess,
			Result: "<b>done</b>", Created: in.Created, Started: in.Created, Ended: in.Created, Updated: in.Created,
		}
		if err := s.BeginOperation(t.Context(), p, in.Config.Content); err != nil {
			t.Fatal(err)
		}
		for i := range 450 {
			line := windlass.OperationLog{
				ID: fmt.Sprintf("00000000-0000-7000-8000-%012d", i), OperationID: p.ID, Time: in.Created, Severity: windlass.SeverityInfo,
				Message: fmt.Sprintf("line %d.", i), Details: map[string]string{"evil": "<script>"},
			}
			if err := s.AppendLogs(t.Context(), []windlass.OperationLog{line}); err != nil {
				t.Fatal(err)
			}
		}
		cookie := d.session(windlass.Viewer)
		page := func(query string) string {
			t.Helper()
			got := d.send(http.MethodGet, "/dashboard/p/acme/operations/"+p.ID+query, cookie, nil)
			if got.Code != http.StatusOK || strings.Contains(got.Body.String(), "<script>") || strings.Contains(got.Body.String(), "<b>done") {
				t.Fatalf("%s: %d %s", query, got.Code, got.Body)
			}
			return got.Body.String()
		}
		for _, row := range []struct {
			query, has, hasNot string
		}{
			{"", "line 250.", "line 249."},
			{"", "line 449.", "line 0."},
			{"?log=", "line 199.", "line 200."},
			{"?log=00000000-0000-7000-8000-000000000199", "line 200.", "line 199."},
			{"?log=00000000-0000-7000-8000-000000000399", "line 449.", "Later lines"},
		} {
			body := page(row.query)
			if !strings.Contains(body, row.has) || strings.Contains(body, row.hasNot) {
				t.Errorf("%q: the page is to have %q, and not %q", row.query, row.has, row.hasNot)
			}
		}
		if got := d.send(http.MethodGet, "/dashboard/p/acme/operations?status=success&object=repositories&installation="+in.ID, cookie, nil); !strings.Contains(got.Body.String(), p.ID) {
			t.Errorf("the list is %d %s", got.Code, got.Body)
		}
	})
}
