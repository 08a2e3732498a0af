package workspace

import (
	"context"
	"errors"
	"fmt"
	"time"

	"windlass"
	"windlass/bitbucket"
	"windlass/connector"
	"windlass/internal/cli/command"
)

// reading is one run of `windlass read`.
type reading struct {
	env   *command.Env
	opts  *readOptions
	meter *meter
	bar   *progress
	waits waits

	connector *bitbucket.Connector
	request   request
	encoder   encoder
	sink      sink

	at      checkpoint // how far it has come
	tally   connector.Tally
	counted int             // records of earlier runs whose identities are not known
	notes   map[string]bool // what was said already
	before  int             // records of the earlier runs
	spent   int64           // requests of the earlier runs
	full    bool
	lines   []byte // those of one page; used again for the next
	started time.Time
}

func newReading(env *command.Env, opts *readOptions) *reading {
	m := &meter{}
	return &reading{env: env, opts: opts, meter: m, bar: newProgress(env, opts.object, m), started: env.Now()}
}

// prepare checks everything that can be checked before the first request, and
// opens the file last: what is refused leaves no trace.
func (r *reading) prepare() (err error) {
	if r.connector, err = r.opts.connect(r.env, r.meter, r.onWait); err != nil {
		return err
	}
	if r.request, err = r.opts.request(r.env.Now()); err != nil {
		return err
	}
	if r.encoder, err = newEncoder(r.opts.format, r.opts.object, r.opts.fields); err != nil {
		return err
	}
	if r.opts.toStdout() {
		r.sink = stream{r.env.Stdout}
		r.at = r.sink.begin()
		return nil
	}
	file, err := openPartial(r.opts.output, r.request, r.opts.resume, r.opts.force)
	if err != nil {
		return err
	}
	r.sink, r.request, r.at = file, file.state.Request, file.begin()
	r.before, r.spent = r.at.Records, r.at.Requests
	if err := r.remember(file); err != nil {
		return err
	}
	r.bar.resumed(r.at.Records, r.at.Size)
	return nil
}

// remember takes up what the earlier runs have seen.
func (r *reading) remember(file *partial) error {
	known, err := file.known()
	if err == nil {
		err = r.tally.Restore(known)
	}
	if err != nil {
		return errors.Join(command.Internal("--resume", err), file.close())
	}
	if len(known) == 0 {
		r.counted = r.at.Records
	}
	if r.at.Cursor != "" && !r.at.Keyed && !r.at.Done {
		r.say("Bitbucket lists " + r.opts.object + " in no order that lasts: what was created or deleted since the interruption may have moved others out of the way; start over with --force to be sure")
	}
	return nil
}

// say writes what is worth a line, once.
func (r *reading) say(note string) {
	if r.notes[note] || r.opts.quiet || r.opts.json {
		return
	}
	if r.notes == nil {
		r.notes = map[string]bool{}
	}
	r.notes[note] = true
	command.Tellf(r.env.Stderr, "windlass: %s\n", note)
}

func (r *reading) run(ctx context.Context) error {
	// Records that scroll by on the same terminal are progress enough.
	if !r.env.StderrTerminal && !r.opts.quiet && !r.opts.json {
		r.bar.tellWaits()
	}
	if r.env.StderrTerminal && !r.opts.quiet && !r.opts.json && !(r.opts.toStdout() && r.env.StdoutTerminal) {
		r.bar.begin()
	}
	err := r.pages(ctx)
	r.bar.end()
	if err == nil {
		err = r.checkComplete()
	}
	if err == nil {
		err = r.sink.finish()
	} else {
		err = r.explain(err)
	}
	return errors.Join(err, r.sink.close())
}

// pages reads from the checkpoint to the end, or to the limit. It asks for a page
// only when the one before is where it belongs: a request made ahead would be
// spent in vain at a limit, a closed pipe or an interruption.
func (r *reading) pages(ctx context.Context) error {
	if r.at.Done {
		return nil // an earlier run has come this far and was cut off later
	}
	if r.at.Cursor == "" {
		r.lines = r.encoder.appendHeader(r.lines)
	}
	walk := connector.Pages(ctx, r.connector, connector.ReadRequest{
		Object: r.opts.object, Fields: r.opts.fields,
		Since: r.request.Since.Time, Until: r.request.Until.Time,
		Cursor: r.at.Cursor, PageSize: r.opts.pageSize(),
	})
	for page, err := range walk {
		if err != nil {
			return err
		}
		if err := r.take(page); err != nil {
			return err
		}
		if r.at.Done {
			return nil
		}
	}
	return nil
}

// take writes one page and moves the checkpoint behind it.
func (r *reading) take(page connector.Page) error {
	came := 0
	for _, record := range page.Records {
		if r.opts.limit > 0 && r.at.Records+came >= r.opts.limit {
			break
		}
		if !r.tally.Take(record) {
			continue
		}
		came++
		var err error
		if r.lines, err = r.encoder.appendRecord(r.lines, record.Raw); err != nil {
			return &command.Failure{Kind: windlass.Malformed, Text: "record " + record.ID + " is not the JSON it should be", Err: err}
		}
	}
	after := checkpoint{
		Cursor: page.Next, Records: r.at.Records + came, Size: page.Size, Keyed: page.Keyed,
		Requests: r.spent + r.meter.requests.Load(),
	}
	limited := r.opts.limit > 0 && after.Records >= r.opts.limit
	after.Done = page.Next == "" || limited
	if err := r.sink.page(r.lines, r.tally.Drain(), after); err != nil {
		return err
	}
	for _, note := range page.Notes {
		r.say(note)
	}
	r.lines = r.lines[:0]
	r.at = after
	r.full = r.full || page.Full
	r.bar.read(came, page.Size)
	return nil
}

// checkComplete compares what arrived, over all runs and each record once, with
// what Bitbucket counted last.
func (r *reading) checkComplete() error {
	limited := r.opts.limit > 0 && r.at.Records >= r.opts.limit
	byTime := !r.full && !(r.request.Since.Time.IsZero() && r.request.Until.Time.IsZero())
	if limited || r.opts.accept || r.tally.Complete(r.at.Size-r.counted, byTime) {
		return nil
	}
	return connector.ErrIncomplete(r.opts.object, r.counted+r.tally.Count(), r.at.Size)
}

// explain adds what is left of a read that failed, and how to go on.
func (r *reading) explain(err error) error {
	kept := r.sink.stop()
	switch {
	case kept == "":
	case errors.Is(err, windlass.Incomplete):
		kept = fmt.Sprintf("they are in %s.partial: take them as they are with --resume --accept-incomplete, or start over with --force", r.opts.output)
	case errors.Is(err, windlass.CursorExpired):
		kept = "start again with --force"
	}
	if kept == "" {
		return err
	}
	return fmt.Errorf("%w; %s", err, kept)
}

func (r *reading) onWait(wait connector.Wait) {
	const worthSaying = 10 * time.Second
	r.waits.add(wait)
	r.bar.wait(wait)
	if wait.Delay >= worthSaying && !r.env.StderrTerminal && !r.opts.quiet && !r.opts.json {
		r.bar.tellf("windlass: %s, going on in %s\n", wait.Reason, whole(wait.Delay))
	}
}

// conclude writes the closing line and returns the error for the exit code.
func (r *reading) conclude(err error) error {
	if command.IsClosedPipe(err) || r.opts.quiet {
		return err
	}
	figures := closing{
		Object: r.opts.object, Records: r.at.Records, Before: r.before,
		Requests: r.meter.requests.Load(), Bytes: r.meter.bytes.Load(),
		Seconds: r.env.Now().Sub(r.started).Seconds(),
		Waited:  r.waits.total.Seconds(), Retries: r.waits.count, Full: r.full,
	}
	if !r.opts.toStdout() {
		figures.Output = r.opts.output
	}
	if r.opts.json {
		figures.fail(err)
		figures.write(r.env.Stderr)
		if err != nil {
			return &command.Reported{Err: err}
		}
		return nil
	}
	if r.full {
		command.Tellf(r.env.Stderr, "windlass: Bitbucket cannot tell which %s changed: everything was read\n", r.opts.object)
	}
	if err == nil || r.at.Records > 0 {
		command.Tellf(r.env.Stderr, "%s\n", figures.String())
	}
	return err
}
