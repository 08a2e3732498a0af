// Package windlass holds the words that every part of Windlass shares: its
// nouns ([Project], [Integration], [Connection], [Installation] and so on), the
// kinds of failure ([Kind]), and [Secret], a string that does not print. It does
// no I/O and imports nothing but the standard library, so every other package
// may import it.
//
// Windlass connects a software product to its customers' Bitbucket Cloud
// workspaces. The parts a Go program may use directly are:
//
//   - windlass/connector: what a connector is (read, write, delete, describe);
//   - windlass/connector/connectortest: what every connector must do;
//   - windlass/bitbucket: the Bitbucket Cloud connector, its credentials and
//     its retry transport;
//   - windlass/bitbucket/sandbox: a mock Bitbucket server for tests;
//   - windlass/manifest: amp.yaml, parsed and checked;
//   - windlass/webhook: messages, signed and verified.
package windlass
