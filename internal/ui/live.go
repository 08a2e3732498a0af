package ui

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"
)

// streams are the parts of pages that follow the server.
type streams struct {
	stop  func()
	ended chan struct{} // closed when the server stops
}

func newStreams() streams {
	ended := make(chan struct{})
	return streams{sync.OnceFunc(func() { close(ended) }), ended}
}

// Stop ends the streams that keep parts of pages up to date, so that the server
// need not wait for them. Browsers come back to the next one by themselves.
func (u *UI) Stop() { u.live.stop() }

const (
	livePace  = time.Second      // between two looks
	liveQuiet = 15 * time.Second // after which a line says that we are still here
)

// follow answers with server-sent events: a part of a page, whenever it has changed,
// until load says that it has ended, the browser disconnects, or the session ends. An
// event named end tells the browser not to come back.
func (r *request) follow(page, part string, load func() (data any, over bool, err error)) error {
	data, over, err := load()
	if err != nil {
		return err
	}
	r.w.Header().Set("Content-Type", "text/event-stream")
	r.w.Header().Set("X-Accel-Buffering", "no") // nginx would collect it
	r.answered = true
	err = r.events(page, part, data, over, load)
	if err != nil && r.Context().Err() == nil { // the answer has begun: it is too late for a page
		r.ui.config.Logger.ErrorContext(r.Context(), "a part of a page is not updated", slog.String(logPath, r.URL.Path), slog.Any(logError, err))
	}
	return nil
}

func (r *request) events(page, part string, data any, over bool, load func() (data any, over bool, err error)) error {
	control := http.NewResponseController(r.w)
	send := func(event, text string) error {
		_, err := fmt.Fprintf(r.w, "event: %s\ndata: %s\n\n", event, strings.ReplaceAll(text, "\n", "\ndata: "))
		if err != nil {
			return err
		}
		return control.Flush()
	}
	pace := time.NewTicker(livePace)
	defer pace.Stop()
	sent, at := "", time.Now()
	for {
		var body bytes.Buffer
		err := r.ui.pages[page].ExecuteTemplate(&body, part, r.view("", data))
		switch text := body.String(); {
		case err != nil:
			return err
		case text != sent:
			sent, at, err = text, time.Now(), send("part", text)
		case time.Since(at) > liveQuiet:
			at, err = time.Now(), send("quiet", "")
		}
		if err == nil && over {
			err = send("end", "")
		}
		if err != nil || over {
			return err
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-r.ui.live.ended:
			return nil
		case <-pace.C:
		}
		if err := r.ui.config.People.Still(r.Context(), *r.Session); err != nil {
			return send("end", "")
		}
		if data, over, err = load(); err != nil {
			return err
		}
	}
}
