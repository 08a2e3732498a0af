package pgtemp

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// find returns the folder of PostgreSQL's programs, and installs them where that needs
// no interaction.
func find(ctx context.Context) (string, error) {
	installing.Lock()
	defer installing.Unlock()
	if folder := lookUp(ctx); folder != "" {
		return folder, nil
	}
	apt, err := exec.LookPath("apt-get")
	if err != nil || os.Geteuid() != 0 {
		return "", errors.New("PostgreSQL's programs initdb and postgres are not installed: " +
			"install the package postgresql, or set " + Environment + " to the address of a server")
	}
	for _, args := range [][]string{
		{"update", "-qq"},
		{"install", "-y", "-qq", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=600", "postgresql"},
	} {
		command := exec.CommandContext(ctx, apt, args...) //nolint:gosec // apt-get itself
		command.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if output, err := command.CombinedOutput(); err != nil {
			return "", fmt.Errorf("install PostgreSQL: apt-get %s: %w: %s", args[0], err, output)
		}
	}
	if folder := lookUp(ctx); folder != "" {
		return folder, nil
	}
	return "", errors.New("PostgreSQL was installed, but its programs initdb and postgres are nowhere to be found")
}

var installing sync.Mutex

// lookUp tries the usual places. Distributions keep the programs out of PATH,
// so that several versions can be installed.
func lookUp(ctx context.Context) string {
	var folders []string
	if output, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output(); err == nil {
		folders = append(folders, strings.TrimSpace(string(output)))
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin",
	} {
		found, _ := filepath.Glob(pattern) // fails for a bad pattern only
		slices.Sort(found)
		slices.Reverse(found) // the newest first
		folders = append(folders, found...)
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		folders = append(folders, filepath.Dir(path))
	}
	for _, folder := range folders {
		if isProgram(filepath.Join(folder, "initdb")) && isProgram(filepath.Join(folder, "postgres")) {
			return folder
		}
	}
	return ""
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}
