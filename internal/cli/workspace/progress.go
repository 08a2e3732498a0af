package workspace

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"windlass/connector"
	"windlass/internal/cli/command"
)

// budgetPerHour is what Bitbucket allows a credential when it says nothing of
// limits itself.
const budgetPerHour = 1000

// redraw is the shortest time between two drawings of the progress line.
const redraw = 200 * time.Millisecond

// progress draws one line over and over on a terminal while a command works.
// Its methods may be called from any goroutine.
type progress struct {
	out     io.Writer
	now     func() time.Time
	columns func() int
	object  string
	meter   *meter

	mu      sync.Mutex // guards what follows
	started time.Time
	records int // all there are by now
	before  int // of these, those that an earlier run has read
	size    int // how many there will be; -1 when unknown
	until   time.Time
	reason  string
	drawn   string

	quit, done chan struct{} // nil when nothing is drawn
}

// newProgress returns a progress that knows the figures. It draws nothing
// until begin.
func newProgress(env *command.Env, object string, m *meter) *progress {
	return &progress{
		out: env.Stderr, now: env.Now, columns: env.Columns,
		object: object, meter: m, started: env.Now(), size: -1,
	}
}

// begin draws from now on, at most five times a second, until end.
func (p *progress) begin() { p.every(redraw, p.draw) }

// tellWaits writes a line a minute while a wait lasts, until end: for where there
// is no terminal.
func (p *progress) tellWaits() { p.every(time.Minute, p.tellWait) }

// tellf writes a line between those of tellWaits.
func (p *progress) tellf(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	command.Tellf(p.out, format, args...)
}

func (p *progress) tellWait() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := p.now(); p.until.After(now) {
		command.Tellf(p.out, "windlass: %s\n", p.line(now))
	}
}

// every does something again and again, until end.
func (p *progress) every(interval time.Duration, do func()) {
	p.quit, p.done = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(p.done)
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				do()
			case <-p.quit:
				return
			}
		}
	}()
}

// end wipes the line. It may be called twice.
func (p *progress) end() {
	if p.quit == nil {
		return
	}
	close(p.quit)
	<-p.done
	p.quit = nil
	if p.drawn != "" {
		command.Tellf(p.out, "%s", "\r\x1b[K")
	}
}

// resumed says that an earlier run has read so many records.
func (p *progress) resumed(records, size int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.records, p.before, p.size = records, records, size
}

// read says that a page of n records is in, and what the provider counts.
func (p *progress) read(n, size int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.records += n
	p.size = size
}

// wait says that the next attempt is some time off.
func (p *progress) wait(w connector.Wait) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.until, p.reason = p.now().Add(w.Delay), w.Reason
}

func (p *progress) draw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	line := []rune(p.line(p.now()))
	if width := p.columns() - 1; width > 0 && len(line) > width {
		line = line[:width] // a line that wraps could not be drawn over
	}
	if text := string(line); text != p.drawn {
		command.Tellf(p.out, "%s", "\r\x1b[K"+text)
		p.drawn = text
	}
}

// line is what there is to say at a moment.
func (p *progress) line(now time.Time) string {
	parts := []string{p.object + "  " + p.amount()}
	if left := p.until.Sub(now); left > 0 {
		// Rounded up, so that it never says 0 s.
		seconds := (left + time.Second - 1).Truncate(time.Second)
		parts = append(parts, fmt.Sprintf("%s, going on in %s", p.reason, whole(seconds)))
		return strings.Join(parts, " · ")
	}
	// The rate comes last: a narrow terminal cuts it off first.
	rate, left := p.speed(now)
	if left > 0 {
		parts = append(parts, whole(left)+" to go")
	}
	parts = append(parts, p.spent())
	if rate > 0 {
		parts = append(parts, command.Count(int(rate+0.5))+"/s")
	}
	return strings.Join(parts, " · ")
}

func (p *progress) amount() string {
	if p.size < 0 {
		return command.Counted(p.records, "record")
	}
	return command.Count(p.records) + " of " + command.Count(max(p.size, p.records))
}

// spent is what was paid, and what is left of the hour's budget as Bitbucket
// says it, or else as we reckon it: others may be spending it, too.
func (p *progress) spent() string {
	requests := p.meter.requests.Load()
	text := command.Counted(requests, "request") + ", "
	budget := budgetPerHour
	if limit := p.meter.limit.Load(); limit != nil {
		if limit.Remaining >= 0 {
			return text + command.Count(limit.Remaining) + " left"
		}
		if limit.Limit > 0 {
			budget = limit.Limit
		}
	}
	return text + "about " + command.Count(max(0, int64(budget)-requests)) + " left"
}

// speed is records a second in this run, and how long the rest will take.
// Both are zero while nothing is known.
func (p *progress) speed(now time.Time) (rate float64, left time.Duration) {
	elapsed := now.Sub(p.started).Seconds()
	read := p.records - p.before
	if read <= 0 || elapsed <= 0 {
		return 0, 0
	}
	rate = float64(read) / elapsed
	if rest := p.size - p.records; rest > 0 {
		left = time.Duration(float64(rest) / rate * float64(time.Second))
	}
	return rate, left
}

// whole is a duration without tenths, which would only flicker.
func whole(d time.Duration) string {
	d = max(time.Second, d.Round(time.Second))
	if d < time.Minute {
		return fmt.Sprintf("%d s", d/time.Second)
	}
	return command.Span(d)
}
