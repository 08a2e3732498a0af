package server_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// librarySite is a public library on a socket.
type librarySite struct {
	*httptest.Server

	key string

	mu       sync.Mutex
	books    map[string]libraryBook
	requests []string // method, path and query
	hold     func(r *http.Request)
}

type libraryBook struct {
	UUID    string    `json:"uuid"`
	Title   string    `json:"title"`
	Lock    string    `json:"lock,omitempty"`
	Updated time.Time `json:"updated"`
}

const (
	libraryPage    = 10
	libraryShelves = 3
	libraryLoans   = 25 // of each shelf
	libraryHourly  = 54_321
)

func newLibrarySite(tb testing.TB, books int) *librarySite {
	tb.Helper()
	s := &librarySite{key: "the-library-s-key", books: map[string]libraryBook{}}
	for n := range books {
		s.put(libraryBook{UUID: fmt.Sprintf("book-%03d", n), Title: fmt.Sprint("Volume ", n), Updated: time.Now().Add(-time.Hour)})
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{library}", func(w http.ResponseWriter, _ *http.Request) {
		s.answer(w, http.StatusOK, map[string]string{"id": "library-1", "name": "main"})
	})
	mux.HandleFunc("GET /{library}/shelves", s.listShelves)
	mux.HandleFunc("GET /{library}/shelves/{shelf}/loans", s.listLoans)
	mux.HandleFunc("GET /{library}/books", s.listBooks)
	mux.HandleFunc("POST /{library}/books", s.save)
	mux.HandleFunc("GET /{library}/books/{id}", s.one)
	mux.HandleFunc("PUT /{library}/books/{id}", s.save)
	mux.HandleFunc("DELETE /{library}/books/{id}", s.remove)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.requests = append(s.requests, r.Method+" "+r.URL.RequestURI())
		hold := s.hold
		s.mu.Unlock()
		if hold != nil {
			hold(r)
		}
		w.Header().Set("X-Library-Hourly", strconv.Itoa(libraryHourly))
		if r.Header.Get(libraryKey) != s.key {
			http.Error(w, "no such key", http.StatusUnauthorized)
			return
		}
		// By its name, or by the id that stays when it is renamed.
		if name := strings.Split(r.URL.Path, "/")[1]; name != "main" && name != "library-1" {
			http.NotFound(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	tb.Cleanup(s.Close)
	return s
}

// put adds or changes a book.
func (s *librarySite) put(b libraryBook) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.books[b.UUID] = b
}

// book returns one as the library has it.
func (s *librarySite) book(id string) (libraryBook, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, found := s.books[id]
	return b, found
}

// since are the requests from the nth on.
func (s *librarySite) since(n int) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests[n:])
}

func (*librarySite) answer(w http.ResponseWriter, status int, body any) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that has gone sees that itself
}

func (s *librarySite) list(w http.ResponseWriter, r *http.Request, all []libraryBook) {
	page, err := strconv.Atoi(r.URL.Query().Get("page"))
	if err != nil || page < 1 {
		http.Error(w, "no such page", http.StatusUnprocessableEntity)
		return
	}
	from := min((page-1)*libraryPage, len(all))
	to := min(page*libraryPage, len(all))
	next := ""
	if to < len(all) {
		next = strconv.Itoa(page + 1)
	}
	s.answer(w, http.StatusOK, map[string]any{"items": all[from:to], "next": next, "total": len(all)})
}

func (s *librarySite) listShelves(w http.ResponseWriter, r *http.Request) {
	var all []libraryBook
	for n := range libraryShelves {
		all = append(all, libraryBook{UUID: fmt.Sprint("shelf-", n)})
	}
	s.list(w, r, all)
}

func (s *librarySite) listLoans(w http.ResponseWriter, r *http.Request) {
	var all []libraryBook
	for n := range libraryLoans {
		all = append(all, libraryBook{UUID: fmt.Sprintf("%s-loan-%02d", r.PathValue("shelf"), n)})
	}
	s.list(w, r, all)
}

func (s *librarySite) listBooks(w http.ResponseWriter, r *http.Request) {
	within := func(name string, keep func(b libraryBook, at time.Time) bool) func(libraryBook) bool {
		at, err := time.Parse(time.RFC3339Nano, r.URL.Query().Get(name))
		return func(b libraryBook) bool { return err == nil && !keep(b, at) }
	}
	s.mu.Lock()
	all := slices.Collect(maps.Values(s.books))
	s.mu.Unlock()
	all = slices.DeleteFunc(all, within("since", func(b libraryBook, at time.Time) bool { return !b.Updated.Before(at) }))
	all = slices.DeleteFunc(all, within("until", func(b libraryBook, at time.Time) bool { return b.Updated.Before(at) }))
	slices.SortFunc(all, func(a, b libraryBook) int { return cmp.Or(a.Updated.Compare(b.Updated), cmp.Compare(a.UUID, b.UUID)) })
	s.list(w, r, all)
}

func (s *librarySite) one(w http.ResponseWriter, r *http.Request) {
	b, found := s.book(r.PathValue("id"))
	if !found {
		http.Error(w, "no such book", http.StatusNotFound)
		return
	}
	s.answer(w, http.StatusOK, b)
}

func (s *librarySite) save(w http.ResponseWriter, r *http.Request) {
	id, status := r.PathValue("id"), http.StatusOK
	b, found := s.book(id)
	switch {
	case id == "":
		s.mu.Lock()
		b.UUID, status = fmt.Sprintf("new-%d", len(s.books)), http.StatusCreated
		s.mu.Unlock()
	case !found:
		http.Error(w, "no such book", http.StatusNotFound)
		return
	}
	if err := json.NewDecoder(r.Body).Decode(&b); err != nil || b.Title == "" {
		http.Error(w, "a book needs a title", http.StatusUnprocessableEntity)
		return
	}
	b.Updated = time.Now()
	s.put(b)
	s.answer(w, status, b)
}

func (s *librarySite) remove(w http.ResponseWriter, r *http.Request) {
	if _, found := s.book(r.PathValue("id")); !found {
		http.Error(w, "no such book", http.StatusNotFound)
		return
	}
	s.mu.Lock()
	delete(s.books, r.PathValue("id"))
	s.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}
