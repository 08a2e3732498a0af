// Package mapping turns a provider's record into what a product receives, and
// what a product writes into a provider's record. It is pure: no I/O, no clock,
// no state between calls.
//
// # What it promises
//
// [Compile] makes a [Plan] of what the revision asks for and what the customer
// chose; it is done once per read. [Plan.AppendEntry] then makes one entry of a
// message's result of a record's bytes, in one pass over them:
//
//		{"fields":{…},"mappedFields":{…},"raw":{…}}
//
//	  - fields has what was selected without another name, and no more. Its keys
//	    are in lower case; its values are the record's own bytes. A field that is
//	    required under its own name stays here even when a customer maps it, too;
//	    any other field leaves when it is mapped.
//	  - mappedFields has the rest, each at its target: mapToName as it is written,
//	    or, for a path such as $['a']['b'], inside of objects made on the way.
//	  - raw is the record, byte for byte.
//	  - What the record does not have is in neither; null stays null.
//	  - The same plan and the same bytes give the same bytes, in order of name.
//
// A source is a key at the top of the record, a path ($['a']['b']), or the dotted
// name that package connector describes a nested field by (a.b), unless the record
// has a key that looks so. [*] stands for every entry of a list; the result is one
// list, however many [*] there are, of the entries that have a value there. Where
// there is no list, there is no result.
//
// Where keys repeat within an object the last one counts, as in encoding/json; in
// fields, keys that differ in case only are such repeats.
//
// The record has to be a valid JSON object, by the measure of json.Valid and not
// nested deeper than 1,000 (see package jsonscan); anything else is a *windlass.Error of kind windlass.Malformed that says what
// is wrong and at which byte, and leaves the output as it was.
//
// # Values
//
// A value mapping changes strings, and strings in lists, that are equal to the
// provider's value; everything else passes: true and 1 are not enum values. It
// may be keyed by the mapToName or by the field; the former is looked at first.
//
// # Backwards
//
// [CompileWrite] makes a [WritePlan]. What a record has at a target goes to the
// field that the target is read from, with its values mapped back; what it has
// under other names goes to the fields of those names. [Gate] decides what is
// written when. Anything that would have to be written to two places, or twice to
// one, is refused with both names.
//
// # Pushing fields down to the provider
//
// [Plan.Fields] names what a plan needs. A read that delivers must not ask the
// provider for only those, because raw is the whole record by contract; it is for
// reads that look without delivering, such as samples and sweeps over keys.
package mapping
