// Package sandbox is a server that looks like Bitbucket Cloud: its REST API
// 2.0 for workspaces, projects, repositories, webhooks, pipeline variables,
// members, permissions, snippets, webhook events and Connect linkers, and its
// OAuth pages. It is for testing what talks to Bitbucket, and for trying such
// things out without an account.
//
// [New] makes a [Server] with data. Give a client its [Server.Transport], which
// needs no socket and serves any host, or serve it over HTTP, which it
// implements; [Server.Credentials] are accepted. Change the data as another
// user would with [Server.CreateRepository], [Server.Push],
// [Server.EditRepository] and [Server.DeleteRepository]; make things go wrong
// with [Server.Inject]; serve exact bodies with [Server.ServeBody]; see what was
// asked with [Server.Log]. Over HTTP the same is under /_sandbox/.
//
// # Promises
//
// The same [Options] give the same data, byte for byte, whenever and wherever.
// Data are made from the seed on demand: a million repositories take about
// 16 MB, and only those that change take more. Nothing is written to disk,
// nothing but the standard library is needed, and everything may be used by
// many goroutines at once. It was written from Atlassian's documents and
// recorded answers alone, never from the client of this module, so that the two
// check each other.
//
// # The seeded world
//
// Five workspaces, named after the main one. The main one is owned by the user
// all credentials act for. In "-partners" that user is a plain member. One is
// the user's own and named after them. They are no member of "-vault", which is
// private: but for what is public in it, it does not exist for them. "-flagged"
// was marked as spam and answers 410. Seeded dates lie between 2013 and the end of May 2026, and every
// change is dated after all of them, even if the clock says otherwise.
//
// # Quirks of Bitbucket that it has
//
//   - Default page lengths differ (10, 25, 30, 50); over 100 is a 400. Envelopes
//     differ too: user/emails has no pagelen, pipelines-config/variables says 0,
//     addon/linkers has only values and next.
//   - Lists without a query language ignore q and sort; those with one answer
//     400 to a field they do not know. Two that changed in the same microsecond
//     are not rare.
//   - Creating a repository answers 200, everything else 201. A PUT to a project
//     key or a repository slug that is not there creates it. A new key or name
//     moves things: a project answers 200, a repository 201, both a Location, and
//     what they were called before is a 404.
//   - A secured variable shows no value, and a PUT without one clears it. A
//     webhook shows no secret, and a PUT without one keeps it.
//   - Permissions carry old dates without an offset; webhooks have created_at in
//     nanoseconds with Z, the rest created_on in microseconds with +00:00.
//   - The links.repositories of an empty project is {}. Owners are teams or
//     users. Much can be null. has_issues and has_wiki are gone.
//   - Errors take all their forms: fields with a list or a text, detail with a
//     text or an object, data twice in the 410 of CHANGE-2770, plain text. A
//     repository one may not see is a 403 or a 404. A body without a length is a
//     411.
//   - Repositories without a role include public ones; with one, only those on
//     which the user was given permission.
//   - addon/linkers answers to nothing but the app's own signed JWT.
//
// # What is decided rather than known
//
// A page beyond the end is empty. A project's UUID works in a path unless
// [Options.ProjectKeysOnly]. q works on projects unless
// [Options.ProjectsIgnoreQ]. A changed repository name answers 201. Access
// tokens act for the user, without the narrower reach of real ones. What is
// created without saying is_private is private. A diff replaces whole files.
package sandbox
