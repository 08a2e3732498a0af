package bitbucket_test

import (
	"encoding/json"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"windlass/bitbucket"
	"windlass/bitbucket/sandbox"
	"windlass/connector"
)

// BenchmarkRead reads the same repositories over the same socket in three ways,
// in turn: a bare loop that gets each page and throws it away; Connector.All,
// which asks for the next page while it parses; and connector.All, which goes
// page by page. It reports records a second, and both of ours as a part of the
// bare loop's.
func BenchmarkRead(b *testing.B) {
	const repositories = 20_000
	server := sandbox.New(&sandbox.Options{Repositories: repositories, Limit: -1})
	site := httptest.NewServer(server)
	defer site.Close()
	token, err := bitbucket.AccessToken(server.Credentials().AccessToken)
	if err != nil {
		b.Fatal(err)
	}
	transport, err := bitbucket.NewTransport(token, site.URL+"/2.0", nil)
	if err != nil {
		b.Fatal(err)
	}
	client := &http.Client{Transport: transport}
	c, err := bitbucket.New(client, &bitbucket.Options{Workspace: "acme", APIURL: site.URL + "/2.0"})
	if err != nil {
		b.Fatal(err)
	}
	pages := pageURLs(b, client, site.URL+"/2.0/repositories/acme?pagelen=100&role=member&sort=created_on")
	req := connector.ReadRequest{Object: "repositories"}
	var bare, ours, stepwise time.Duration
	for b.Loop() {
		began := time.Now()
		for _, page := range pages {
			discard(b, client, page)
		}
		bare += time.Since(began)

		began = time.Now()
		count(b, c.All(b.Context(), req), repositories)
		ours += time.Since(began)

		began = time.Now()
		count(b, connector.All(b.Context(), c, req), repositories)
		stepwise += time.Since(began)
	}
	total := float64(repositories) * float64(b.N)
	b.ReportMetric(total/bare.Seconds(), "bare-records/s")
	b.ReportMetric(total/ours.Seconds(), "our-records/s")
	b.ReportMetric(bare.Seconds()/ours.Seconds(), "ratio")
	b.ReportMetric(bare.Seconds()/stepwise.Seconds(), "ratio-page-by-page")
}

func count(b *testing.B, records iter.Seq2[connector.Record, error], want int) {
	b.Helper()
	n := 0
	for _, err := range records {
		if err != nil {
			b.Fatal(err)
		}
		n++
	}
	if n != want {
		b.Fatalf("%d records, want %d", n, want)
	}
}

// pageURLs walks the list once and returns the address of each page, so that
// the bare loop has nothing to parse.
func pageURLs(b *testing.B, client *http.Client, first string) []string {
	b.Helper()
	urls := []string{first}
	for {
		resp, err := client.Get(urls[len(urls)-1])
		if err != nil {
			b.Fatal(err)
		}
		var page struct{ Next string }
		err = json.NewDecoder(resp.Body).Decode(&page)
		_ = resp.Body.Close()
		if err != nil {
			b.Fatal(err)
		}
		if page.Next == "" {
			return urls
		}
		urls = append(urls, page.Next)
	}
}

func discard(b *testing.B, client *http.Client, url string) {
	b.Helper()
	resp, err := client.Get(url)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		b.Fatal(err)
	}
	_ = resp.Body.Close()
}

// BenchmarkParse measures the reader of pages beside the standard library's on
// the same page of 100 repositories.
func BenchmarkParse(b *testing.B) {
	server := sandbox.New(&sandbox.Options{Repositories: 100})
	token := server.Credentials().AccessToken
	req := httptest.NewRequest(http.MethodGet, "https://api.bitbucket.org/2.0/repositories/acme?pagelen=100", nil)
	req.Header.Set("Authorization", "Bearer "+token)
	answer := httptest.NewRecorder()
	server.ServeHTTP(answer, req)
	body := answer.Body.Bytes()
	c := over(b, always(http.StatusOK, string(body)))
	var ours, theirs time.Duration
	for b.Loop() {
		began := time.Now()
		page, err := c.Read(b.Context(), connector.ReadRequest{Object: "repositories"})
		if err != nil || len(page.Records) != 100 {
			b.Fatalf("%d records: %v", len(page.Records), err)
		}
		middle := time.Now()
		var plain struct {
			Values []json.RawMessage `json:"values"`
			Next   string            `json:"next"`
			Size   int               `json:"size"`
		}
		if err := json.Unmarshal(body, &plain); err != nil {
			b.Fatal(err)
		}
		for _, raw := range plain.Values {
			var key struct {
				UUID      string `json:"uuid"`
				CreatedOn string `json:"created_on"`
				UpdatedOn string `json:"updated_on"`
			}
			if err := json.Unmarshal(raw, &key); err != nil {
				b.Fatal(err)
			}
		}
		ours += middle.Sub(began)
		theirs += time.Since(middle)
	}
	b.ReportMetric(theirs.Seconds()/ours.Seconds(), "times-encoding/json")
	b.ReportMetric(float64(len(body))*float64(b.N)/ours.Seconds()/1e6, "MB/s")
}
