//go:build race

package proxy_test

// raced says that the race detector looks on, which makes a gigabyte take a minute.
const raced = true
