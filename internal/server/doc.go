// Package server puts the parts of Windlass together and runs them: the only
// package that knows all of them.
//
// # What it promises
//
// [New] either gives a server that is ready to run or leaves nothing open. What
// is wrong with its surroundings (a port in use, a keyset that is not the
// database's, a database that another process holds) is one *windlass.Error
// that says what to do.
//
// [Server.Run] serves until its context ends. Then it takes no new work, lets what
// is under way end, and closes the database, all within [Config.StopDeadline]; what
// is not done by then is broken off, which is safe: every job is repeated, and a
// refresh token is stored before it is used (invariant 4).
//
// A request that panics, a job that fails and a provider that hangs take nothing
// else with them.
//
// No metric and no line of the log holds a secret (invariant 5), and no label of a
// metric comes from outside: they are routes, kinds and states of our own.
//
// # What to use
//
// New and Run; a zero [Config] is a server on SQLite for one machine. Any number of
// processes may run on one PostgreSQL database, with all roles or with some.
package server
