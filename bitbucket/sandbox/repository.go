package sandbox

import (
	"strconv"
	"time"
)

// A repository is one record. Seeded ones are made on demand by base and
// thrown away after use; only those that were created or changed are kept.
type repository struct {
	number      uint32 // its place in the order of creation, never reused
	uuid        string
	name, slug  string
	description *string
	website     *string
	private     bool
	owner       *user // nil when the workspace owns it
	project     *project
	forkPolicy  string
	created     stamp
	updated     stamp
	size        int64
	language    string
	mainbranch  string // empty means null: nothing was ever pushed
	parent      int64  // number of the repository it was forked from, or -1
}

// A level is how much a user may do to a repository.
type level uint8

const (
	levelNone level = iota
	levelRead
	levelWrite
	levelAdmin
)

func (l level) String() string { return [...]string{"none", "read", "write", "admin"}[l] }

// Seeded data spans a fixed stretch of time and not one that ends today,
// because the same seed must give the same bytes tomorrow.
func seedStart() stamp { return stampOf(time.Date(2013, time.February, 4, 8, 0, 0, 0, time.UTC)) }
func seedEnd() stamp   { return stampOf(time.Date(2026, time.June, 1, 0, 0, 0, 0, time.UTC)) }

// base makes the seeded repository with this number. It ignores what happened
// to it since.
func (s *repositories) base(number uint32) *repository {
	n := uint64(number)
	h, t := mix(s.seed, kindRepository, n), mix(s.seed, kindText, n)
	v := s.words
	first, second := pick(v.first, h>>8), pick(v.second, h>>20)
	r := &repository{
		number: number,
		uuid:   repositoryUUID(s.seed, n),
		slug:   baseSlug(first, second, number),
		// Three in ten are public, except where a project is private and so
		// are all of its repositories.
		private:    h%10 >= 3,
		project:    s.baseProject(number),
		forkPolicy: [...]string{"allow_forks", "no_public_forks", "no_forks", "allow_forks"}[t>>4&3],
		created:    s.baseCreated(number),
		updated:    s.baseUpdated(number),
		size:       int64(t >> 8 % (1 << 28)),
		language:   pick(v.languages, t>>36),
		mainbranch: pick(v.branches, t>>44),
		parent:     -1,
	}
	r.name = r.slug
	if t&1 == 0 {
		r.name = title(first) + " " + second + " " + strconv.Itoa(int(number))
	}
	if r.project.private {
		r.private = true
	}
	if text := pick(v.descriptions, t>>24); t>>48&3 != 0 {
		r.description = &text
	}
	if t>>50&7 == 0 {
		site := "https://" + r.slug + ".example.com"
		r.website = &site
	}
	if len(s.owners) > 0 && (s.personal || number%7 == 5) {
		r.owner = s.owners[int(number/7)%len(s.owners)]
	}
	switch {
	case t>>53&15 == 0: // created, never pushed to
		r.mainbranch, r.size = "", 0
	case number > 0 && number%23 == 11:
		r.parent, r.language = int64(n*(t>>12&1023)/1024), ""
	}
	return r
}

func baseSlug(first, second string, number uint32) string {
	return first + "-" + second + "-" + strconv.Itoa(int(number))
}

// basePrivate and baseProject are the two facts that counting needs, without
// making the whole record.
func (s *repositories) basePrivate(number uint32) bool {
	return mix(s.seed, kindRepository, uint64(number))%10 >= 3 || s.baseProject(number).private
}

// baseProject leaves the last project empty when there are three or more, so
// that there is one that can be deleted.
func (s *repositories) baseProject(number uint32) *project {
	n := len(s.seeded)
	if n >= 3 {
		n--
	}
	return s.seeded[mix(s.seed, kindProject, uint64(number))%uint64(n)]
}

// baseCreated rises with the number.
func (s *repositories) baseCreated(number uint32) stamp {
	step := int64(seedEnd()-seedStart()) / (int64(s.seededCount) + 1)
	jitter := int64(mix(s.seed, kindCreated, uint64(number)) % uint64(max(step, 1)))
	return seedStart() + stamp(int64(number)*step+jitter)
}

// baseUpdated lies between creation and the end of the seeded time. One group
// of four in eight was touched by a bulk edit and shares its updated_on to the
// microsecond: ties are what a reader must not trip over.
func (s *repositories) baseUpdated(number uint32) stamp {
	from, n := number, uint64(number)
	if group := n / 4; mix(s.seed, kindTie, group)%8 == 0 {
		from, n = uint32(min(group*4+3, uint64(s.seededCount)-1)), group<<32
	}
	created := s.baseCreated(from)
	span := uint64(seedEnd()-created) / 1024
	h := mix(s.seed, kindTie, n+1<<20)
	return created + stamp(h%1024*span+h>>10%max(span, 1))
}

func title(s string) string { return string(s[0]-'a'+'A') + s[1:] }
