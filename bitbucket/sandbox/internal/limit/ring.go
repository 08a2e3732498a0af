package limit

import "time"

// ring holds the times of a key's requests, oldest first, and grows only as far
// as they ask.
type ring struct {
	times []time.Time
	first int
	n     int
}

func (r *ring) at(i int) time.Time { return r.times[(r.first+i)%len(r.times)] }

// drop forgets the times up to and including end.
func (r *ring) drop(end time.Time) {
	for r.n > 0 && !r.at(0).After(end) {
		r.first = (r.first + 1) % len(r.times)
		r.n--
	}
}

func (r *ring) push(t time.Time) {
	if r.n == len(r.times) {
		grown := make([]time.Time, max(4, 2*r.n))
		for i := range r.n {
			grown[i] = r.at(i)
		}
		r.times, r.first = grown, 0
	}
	r.times[(r.first+r.n)%len(r.times)] = t
	r.n++
}
