package sandbox

// A linker turns matching text into links. Only the app itself may ask about it.
type linker struct{ key, name string }

// linkers are the same in every sandbox.
func linkers() listing[linker] {
	return listing[linker]{
		length: 10, wrap: envelopeBare,
		items: func(*call) ([]linker, error) {
			return []linker{
				{"ticket-linker", "Ticket Linker"}, {"incident-linker", "Incident Linker"}, {"empty-linker", "Empty Linker"},
			}, nil
		},
		body: func(c *call, l linker) object {
			self := c.at.api + "/addon/linkers/" + l.key
			return object{
				{"type", "linker"},
				{"key", l.key},
				{"name", l.name},
				{"links", object{{"self", href(self)}, {"values", href(self + "/values")}}},
			}
		},
	}
}
