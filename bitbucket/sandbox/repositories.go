package sandbox

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// repositories is the store of one workspace's repositories. It costs 16 bytes
// for each seeded one (its place in two orders and its updated_on) and a full
// record for each one that was created or changed.
//
// The server's lock guards everything but orders, which readers fill in and
// which has a lock of its own.
type repositories struct {
	seed        uint64
	words       *vocabulary
	personal    bool
	owners      []*user    // users that own some repositories themselves
	seeded      []*project // the projects that seeded repositories belong to
	seededCount int

	next    uint32 // number of the next one created
	changed map[uint32]*repository
	deleted map[uint32]bool
	slugs   map[string]uint32 // of changed ones
	uuids   map[string]uint32 // of created ones
	moved   map[string]uint32 // slugs that live ones had before

	updatedAt []stamp  // by number, seeded ones only
	byCreated []uint32 // numbers of live ones, which is by created_on unless jumbled
	jumbled   bool     // one was created under an earlier clock than another before it
	byUpdated []uint32 // numbers of live ones, by updated_on, then number

	version uint64 // counts mutations; orders computed before are stale
	orders  orderCache

	hooks map[uint32]*[]*hook
}

func newRepositories(seed uint64, words *vocabulary, count int, projects []*project, owners []*user, personal bool) *repositories {
	s := &repositories{
		seed: seed, words: words, seeded: projects, owners: owners, personal: personal,
		seededCount: count, next: uint32(count),
		changed: map[uint32]*repository{}, deleted: map[uint32]bool{},
		slugs: map[string]uint32{}, moved: map[string]uint32{}, uuids: map[string]uint32{}, hooks: map[uint32]*[]*hook{},
		updatedAt: make([]stamp, count), byCreated: make([]uint32, count), byUpdated: make([]uint32, count),
	}
	for i := range uint32(count) {
		s.updatedAt[i], s.byCreated[i], s.byUpdated[i] = s.baseUpdated(i), i, i
		p := s.baseProject(i)
		p.repositories++
		if !s.basePrivate(i) {
			p.public++
		}
	}
	slices.SortFunc(s.byUpdated, s.compareUpdated)
	return s
}

// get returns the record with this number. Callers treat it as read-only.
func (s *repositories) get(number uint32) *repository {
	if r := s.changed[number]; r != nil {
		return r
	}
	return s.base(number)
}

// updated is get(number).updated without making the record.
func (s *repositories) updated(number uint32) stamp {
	if r := s.changed[number]; r != nil {
		return r.updated
	}
	return s.updatedAt[number]
}

// created is get(number).created without making the record.
func (s *repositories) created(number uint32) stamp {
	if r := s.changed[number]; r != nil {
		return r.created
	}
	return s.baseCreated(number)
}

func (s *repositories) compareCreated(a, b uint32) int {
	return cmp.Or(cmp.Compare(s.created(a), s.created(b)), cmp.Compare(a, b))
}

func (s *repositories) compareUpdated(a, b uint32) int {
	return cmp.Or(cmp.Compare(s.updated(a), s.updated(b)), cmp.Compare(a, b))
}

// find looks a repository up by slug or by UUID in braces; nil when there is
// none.
func (s *repositories) find(name string) *repository {
	number, ok := s.number(strings.ToLower(name))
	if !ok || s.deleted[number] {
		return nil
	}
	return s.get(number)
}

// movedTo is the repository that had this slug before it was renamed; nil when
// there is none, or another has the slug now.
func (s *repositories) movedTo(slug string) *repository {
	number, ok := s.moved[strings.ToLower(slug)]
	if !ok || s.deleted[number] {
		return nil
	}
	return s.get(number)
}

func (s *repositories) number(name string) (uint32, bool) {
	if strings.HasPrefix(name, "{") {
		if number, ok := s.uuids[name]; ok {
			return number, true
		}
		n, ok := repositoryNumber(s.seed, name)
		return uint32(n), ok && n < uint64(s.seededCount) && repositoryUUID(s.seed, n) == name
	}
	if number, ok := s.slugs[name]; ok {
		return number, true
	}
	n, err := strconv.ParseUint(name[strings.LastIndexByte(name, '-')+1:], 10, 32)
	if err != nil || n >= uint64(s.seededCount) || s.changed[uint32(n)] != nil {
		return 0, false
	}
	h := mix(s.seed, kindRepository, n)
	return uint32(n), baseSlug(pick(s.words.first, h>>8), pick(s.words.second, h>>20), uint32(n)) == name
}

// add stores a new repository and gives it its number and UUID.
func (s *repositories) add(r *repository) {
	r.number = s.next
	r.uuid = uuidOf(s.seed, kindCreated, uint64(s.next))
	s.next++
	s.changed[r.number] = r
	s.slugs[r.slug], s.uuids[r.uuid] = r.number, r.number
	delete(s.moved, r.slug)
	if n := len(s.byCreated); n > 0 && s.created(s.byCreated[n-1]) > r.created {
		s.jumbled = true
	}
	s.byCreated = append(s.byCreated, r.number)
	s.place(r.number)
	r.project.count(r, 1)
	s.version++
}

// edit applies change to a copy of the record and stores that.
func (s *repositories) edit(r *repository, change func(*repository)) *repository {
	s.unplace(r.number)
	r.project.count(r, -1)
	edited := *r
	change(&edited)
	if r.slug != edited.slug {
		delete(s.slugs, r.slug)
		s.moved[r.slug] = r.number
	}
	s.slugs[edited.slug] = edited.number
	delete(s.moved, edited.slug)
	s.changed[edited.number] = &edited
	edited.project.count(&edited, 1)
	s.place(edited.number)
	s.version++
	return &edited
}

func (s *repositories) remove(r *repository) {
	s.unplace(r.number)
	i, _ := slices.BinarySearch(s.byCreated, r.number)
	s.byCreated = slices.Delete(s.byCreated, i, i+1)
	r.project.count(r, -1)
	delete(s.slugs, r.slug)
	delete(s.uuids, r.uuid)
	delete(s.changed, r.number)
	delete(s.hooks, r.number)
	s.deleted[r.number] = true
	s.version++
}

func (s *repositories) place(number uint32) {
	i, _ := slices.BinarySearchFunc(s.byUpdated, number, s.compareUpdated)
	s.byUpdated = slices.Insert(s.byUpdated, i, number)
}

func (s *repositories) unplace(number uint32) {
	if i, found := slices.BinarySearchFunc(s.byUpdated, number, s.compareUpdated); found {
		s.byUpdated = slices.Delete(s.byUpdated, i, i+1)
	}
}

// orderCache keeps the last few computed lists of numbers, because a client
// that walks a filtered or sorted list asks for the same one a page at a time.
type orderCache struct {
	mu      sync.Mutex
	version uint64
	keys    []string
	lists   [][]uint32
}

const keptOrders = 4

func (c *orderCache) get(version uint64, key string, compute func() []uint32) []uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.version != version {
		c.version, c.keys, c.lists = version, nil, nil
	}
	if i := slices.Index(c.keys, key); i >= 0 {
		return c.lists[i]
	}
	if len(c.keys) == keptOrders {
		c.keys, c.lists = slices.Delete(c.keys, 0, 1), slices.Delete(c.lists, 0, 1)
	}
	l := compute()
	c.keys, c.lists = append(c.keys, key), append(c.lists, l)
	return l
}
