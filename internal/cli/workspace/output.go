package workspace

import (
	"io"

	"windlass/connector"
	"windlass/internal/cli/command"
)

// sink is where the lines of a read go.
type sink interface {
	// begin returns the place to go on from: the zero checkpoint for a read
	// from the beginning.
	begin() checkpoint
	// known returns the identities of the records of the earlier runs, as
	// connector.Tally keeps them.
	known() ([]byte, error)
	// page takes the lines of one page and the identities of their records, with
	// the place that the read has reached after them. Once it returns, they are
	// where they belong.
	page(lines, identities []byte, after checkpoint) error
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
	// Keyed says that nothing slides over the seam that Cursor leads to, however
	// much later the read goes on.
	Keyed bool `json:"keyed,omitempty"`
	// Done says that the last page is in, so that Cursor leads nowhere.
	Done bool `json:"done"`
}

// stream writes to standard output, page by page, so that a reader who has seen
// enough is noticed before the next request.
type stream struct{ to io.Writer }

func (stream) begin() checkpoint { return checkpoint{Size: -1} }

func (stream) known() ([]byte, error) { return nil, nil }

func (s stream) page(lines, _ []byte, _ checkpoint) error {
	if _, err := s.to.Write(lines); err != nil {
		return command.Internal("standard output", err)
	}
	return nil
}

func (stream) finish() error { return nil }
func (stream) stop() string  { return "" }
func (stream) close() error  { return nil }
