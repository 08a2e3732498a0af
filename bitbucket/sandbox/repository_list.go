package sandbox

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"windlass/bitbucket/sandbox/internal/bbql"
)

func repositoryFields() bbql.Fields {
	return bbql.Fields{
		"created_on": bbql.Time, "updated_on": bbql.Time, "name": bbql.String, "full_name": bbql.String,
		"slug": bbql.String, "uuid": bbql.String, "size": bbql.Number, "is_private": bbql.Bool,
		"language": bbql.String, "description": bbql.String, "scm": bbql.String, "fork_policy": bbql.String,
		"project.key": bbql.String, "project.uuid": bbql.String, "project.name": bbql.String,
		"owner.uuid": bbql.String, "owner.display_name": bbql.String, "mainbranch.name": bbql.String,
		"parent": bbql.String, "parent.full_name": bbql.String, "parent.uuid": bbql.String, "parent.owner.uuid": bbql.String,
	}
}

// repositoryField gives the value of a field of r as BBQL sees it.
func (c *call) repositoryField(r *repository, field string) any {
	switch field {
	case "created_on":
		return r.created.time()
	case "updated_on":
		return r.updated.time()
	case "name":
		return r.name
	case "full_name":
		return c.ws.slug + "/" + r.slug
	case "slug":
		return r.slug
	case "uuid":
		return r.uuid
	case "size":
		return r.size
	case "is_private":
		return r.private
	case "language":
		return r.language
	case "description":
		return text(r.description)
	case "scm":
		return "git"
	case "fork_policy":
		return r.forkPolicy
	case "project.key":
		return r.project.key
	case "project.uuid":
		return r.project.uuid
	case "project.name":
		return r.project.name
	case "mainbranch.name":
		if r.mainbranch == "" {
			return nil
		}
		return r.mainbranch
	}
	if name, ok := strings.CutPrefix(field, "owner."); ok {
		return c.ownerField(r, name)
	}
	if p := c.ws.parent(r); p != nil {
		name, _ := strings.CutPrefix(strings.TrimPrefix(field, "parent"), ".")
		return c.repositoryField(p, cmp.Or(name, "full_name"))
	}
	return nil
}

func (c *call) ownerField(r *repository, name string) any {
	u := cmp.Or(r.owner, c.ws.person)
	if u != nil {
		return u.field(name)
	}
	switch name {
	case "uuid":
		return c.ws.uuid
	case "display_name":
		return c.ws.name
	}
	return nil
}

func (c *call) listRepositories() (*answer, error) {
	numbers, err := c.chosenRepositories()
	if err != nil {
		return nil, err
	}
	w := newRepositoryWriter(c.at, c.ws)
	return c.paged(10, len(numbers), envelopeFull, func(b []byte, i int) []byte {
		return w.append(b, c.ws.repositories.get(numbers[i]))
	})
}

// chosenRepositories are the numbers of the repositories that role, q and sort
// let through, in order.
func (c *call) chosenRepositories() ([]uint32, error) {
	s := c.ws.repositories
	sees, all, err := c.role()
	if err != nil {
		return nil, err
	}
	q, sort, err := c.criteria(repositoryFields(), nil)
	if err != nil {
		return nil, err
	}
	numbers := s.byCreated
	lo, hi, exact := q.TimeBounds("updated_on")
	if sort.Field == "updated_on" || !lo.IsZero() || !hi.IsZero() {
		// What changed since a moment is a short run at the end of an order
		// that is always at hand.
		numbers = s.byUpdated
		from, to := 0, len(numbers)
		if !lo.IsZero() {
			from, _ = slices.BinarySearchFunc(numbers, lo, func(n uint32, at time.Time) int { return s.updated(n).time().Compare(at) })
		}
		if !hi.IsZero() {
			to, _ = slices.BinarySearchFunc(numbers, hi, func(n uint32, at time.Time) int {
				return cmp.Or(s.updated(n).time().Compare(at), -1)
			})
		}
		numbers = numbers[from:max(from, to)]
	}
	if run, found := createdRun(s, q, sort); all && found {
		return run, nil
	}
	inOrder := sort.Field == "" && exact && lo.IsZero() && hi.IsZero() ||
		sort.Field == "created_on" && !sort.Desc && !s.jumbled && len(numbers) == len(s.byCreated) && lo.IsZero() && hi.IsZero() ||
		sort.Field == "updated_on" && !sort.Desc
	if all && exact && inOrder {
		return numbers, nil
	}
	// The user is part of the key: roles and visibility depend on it.
	who := ""
	if c.who.user != nil {
		who = c.who.user.uuid
	}
	key := strings.Join([]string{who, c.query.Get("role"), q.String(), sort.String()}, "\x00")
	return s.orders.get(s.version, key, func() []uint32 {
		chosen := make([]uint32, 0, len(numbers))
		for _, n := range numbers {
			if all && exact {
				chosen = append(chosen, n)
				continue
			}
			r := s.get(n)
			if sees(r) && q.Match(func(field string) any { return c.repositoryField(r, field) }) {
				chosen = append(chosen, n)
			}
		}
		c.sortRepositories(chosen, sort)
		return chosen
	}), nil
}

// createdRun is what a query asks for that bounds created_on and nothing else, as
// a walk by that key does: a run of the order of creation, which is at hand.
func createdRun(s *repositories, q *bbql.Expr, sort bbql.Sort) ([]uint32, bool) {
	from, to, only := q.TimeBounds("created_on")
	bounded, rising := !from.IsZero() || !to.IsZero(), sort.Field == "" || sort.Field == "created_on" && !sort.Desc
	if !only || !bounded || !rising || s.jumbled {
		return nil, false
	}
	return createdBetween(s, from, to), true
}

// createdBetween is the part of the order of creation between two moments, both
// included; a zero time is no bound.
func createdBetween(s *repositories, from, to time.Time) []uint32 {
	lo, hi := 0, len(s.byCreated)
	if !from.IsZero() {
		lo, _ = slices.BinarySearchFunc(s.byCreated, from, func(n uint32, at time.Time) int { return s.created(n).time().Compare(at) })
	}
	if !to.IsZero() {
		hi, _ = slices.BinarySearchFunc(s.byCreated, to, func(n uint32, at time.Time) int {
			return cmp.Or(s.created(n).time().Compare(at), -1)
		})
	}
	return s.byCreated[lo:max(lo, hi)]
}

// role gives the test that the role parameter and the caller's own permissions
// put on repositories; all is true when everything passes it.
func (c *call) role() (sees func(*repository) bool, all bool, err error) {
	u := c.who.user
	atLeast := func(l level) func(*repository) bool {
		return func(r *repository) bool { return c.ws.explicit(u, r) >= l }
	}
	switch role := c.query.Get("role"); role {
	case "":
		// Public ones are included even without any permission.
		return func(r *repository) bool { return c.ws.effective(u, r) >= levelRead }, u != nil && c.ws.owner(u), nil
	case "member":
		return atLeast(levelRead), u != nil && c.ws.owner(u), nil
	case "contributor":
		return atLeast(levelWrite), false, nil
	case "admin":
		return atLeast(levelAdmin), false, nil
	case "owner":
		return func(r *repository) bool {
			return u != nil && (r.owner == u || r.owner == nil && c.ws.person == u)
		}, false, nil
	default:
		return nil, false, fail(http.StatusBadRequest, "Invalid role: "+role)
	}
}

// sortRepositories orders numbers; equal ones stay in the order of creation.
func (c *call) sortRepositories(numbers []uint32, sort bbql.Sort) {
	s := c.ws.repositories
	switch {
	case sort.Field == "updated_on" && sort.Desc:
		slices.SortFunc(numbers, func(a, b uint32) int { return s.compareUpdated(b, a) })
	case sort.Field == "updated_on":
	case sort.Field == "":
		slices.Sort(numbers)
	case sort.Field == "created_on" && sort.Desc:
		slices.SortFunc(numbers, func(a, b uint32) int { return s.compareCreated(b, a) })
	case sort.Field == "created_on":
		slices.SortFunc(numbers, s.compareCreated)
	default:
		slices.Sort(numbers)
		type keyed struct {
			number uint32
			key    any
		}
		list := make([]keyed, len(numbers))
		for i, n := range numbers {
			list[i] = keyed{n, c.repositoryField(s.get(n), sort.Field)}
		}
		slices.SortStableFunc(list, func(a, b keyed) int {
			return sort.Compare(func(string) any { return a.key }, func(string) any { return b.key })
		})
		for i, k := range list {
			numbers[i] = k.number
		}
	}
}
