package command

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// VersionLine is the version as windlass --version prints it.
func VersionLine() string {
	return fmt.Sprintf("windlass %s (%s %s/%s)\n", Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// Version is what the Go tool stamped into the binary: a tag, or a made-up one
// with the time and hash of the commit.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return info.Main.Version
}
