// Package sandbox is a server that looks like Bitbucket Cloud.
package sandbox
