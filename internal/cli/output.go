package cli

import (
	"io"

	"windlass/connector"
)

// sink is where the lines of a read go.
type sink interface {
	// begin returns the place to go on from: the zero checkpoint for a read
	// from the beginning.
	begin() checkpoint
	// page takes the lines of one page, with the place that the read has
	// reached after them. Once it returns, they are where they belong.
	page(lines []byte, after checkpoint) error
	// finish makes a complete read look complete.
	finish() error
	// stop ends a read that is not complete, and says what is left of it as a
	// clause for the error's line: "" when nothing is.
	stop() string
	// close lets go of everything.
	close() error
}

// checkpoint is how far a read has come.
type checkpoint struct {
	Cursor   connector.Cursor `json:"cursor"`
	Records  int              `json:"records"`
	Requests int64            `json:"requests"`
	// Size is what the provider last counted; -1 when it does not.
	Size int `json:"size"`
	// Done says that the last page is in, so that Cursor leads nowhere.
	Done bool `json:"done"`
}

// stream writes to standard output, page by page, so that a reader who has seen
// enough is noticed before the next request.
type stream struct{ to io.Writer }

func (stream) begin() checkpoint { return checkpoint{Size: -1} }

func (s stream) page(lines []byte, _ checkpoint) error {
	if _, err := s.to.Write(lines); err != nil {
		return internal("standard output", err)
	}
	return nil
}

func (stream) finish() error { return nil }
func (stream) stop() string  { return "" }
func (stream) close() error  { return nil }
