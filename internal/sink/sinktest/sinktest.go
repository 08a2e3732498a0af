// Package sinktest makes the types of destinations that a server has, for tests of
// what hands them batches.
package sinktest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"testing"

	"windlass"
	"windlass/internal/sink"
	"windlass/internal/sink/webhook"
)

// Webhook is a table with the webhook alone. Unless change makes it another, it sends
// nothing and has no records. change may be nil.
func Webhook(tb testing.TB, change func(c *webhook.Config)) (*sink.Table, *webhook.Sink) {
	tb.Helper()
	config := webhook.Config{
		Transport: nowhere{}, Records: none{},
		DownloadURL: func(id string, token windlass.Secret) string {
			return "https://windlass.example.com/v1/large-records/" + id + "?token=" + token.Reveal()
		},
	}
	if change != nil {
		change(&config)
	}
	webhooks, err := webhook.New(config)
	if err != nil {
		tb.Fatal(err)
	}
	table, err := sink.NewTable(webhooks.Type())
	if err != nil {
		tb.Fatal(err)
	}
	return table, webhooks
}

// At has a destination be a webhook at a URL. headers may be nil.
func At(d *windlass.Destination, url string, headers map[string]string) {
	d.Type, d.Address = webhook.Name, url
	d.Settings, _ = json.Marshal(webhook.Settings{URL: url, Headers: headers}) // texts always marshal
}

type nowhere struct{}

func (nowhere) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("this test sends nothing")
}

type none struct{}

func (none) LargeRecord(context.Context, string) (windlass.LargeRecord, error) {
	return windlass.LargeRecord{}, &windlass.Error{Kind: windlass.NotFound, Message: "this test has no records"}
}
