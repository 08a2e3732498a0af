package manifest

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// AtLeast returns a [*ScheduleError] when two runs of the schedule are ever
// less than shortest apart. It proposes the schedule nearest to this one that
// would do.
func (s Schedule) AtLeast(shortest time.Duration) error {
	gap := s.MinGap()
	if gap >= shortest {
		return nil
	}
	remedy := "leave at least " + spell(shortest) + " between two runs"
	if slower, found := s.slower(shortest); found {
		remedy = "write " + quote(slower)
	}
	how := "has runs only " + spell(gap) + " apart"
	if s.isEven() {
		how = "runs every " + strings.TrimPrefix(spell(gap), "1 ")
	}
	return scheduleError(s.text, fmt.Sprintf("%s; the shortest gap is %s", how, spell(shortest)), remedy)
}

// slower looks for a minute field that makes the schedule valid.
func (s Schedule) slower(shortest time.Duration) (string, bool) {
	minute, rest, _ := strings.Cut(s.text, " ")
	var candidates []string
	if strings.HasPrefix(minute, "*") {
		for _, step := range []string{"10", "12", "15", "20", "30"} {
			candidates = append(candidates, "*/"+step)
		}
	}
	candidates = append(candidates, s.thinned(shortest), strconv.Itoa(bits.TrailingZeros64(s.minutes)))
	for _, candidate := range candidates {
		other, err := ParseSchedule(candidate + " " + rest)
		if err == nil && other.MinGap() >= shortest {
			return other.text, true
		}
	}
	return "", false
}

// thinned returns the minutes of the schedule without those that follow the previous
// one too soon.
func (s Schedule) thinned(shortest time.Duration) string {
	var kept []string
	last := -1 << 30
	for minute := range 60 {
		if s.minutes>>minute&1 == 1 && time.Duration(minute-last)*time.Minute >= shortest {
			kept = append(kept, strconv.Itoa(minute))
			last = minute
		}
	}
	return strings.Join(kept, ",")
}

// isEven reports whether all minutes of an hour are equally far apart.
func (s Schedule) isEven() bool {
	count := bits.OnesCount64(s.minutes)
	if count < 2 || 60%count != 0 {
		return false
	}
	gap := 60 / count
	for minute := range 60 {
		if s.minutes>>minute&1 != s.minutes>>((minute+gap)%60)&1 {
			return false
		}
	}
	return true
}

// spell returns a duration of whole minutes in words.
func spell(d time.Duration) string {
	minutes := int(d / time.Minute)
	switch {
	case minutes == 1:
		return "1 minute"
	case minutes == 60:
		return "1 hour"
	case minutes%60 == 0:
		return strconv.Itoa(minutes/60) + " hours"
	default:
		return strconv.Itoa(minutes) + " minutes"
	}
}
