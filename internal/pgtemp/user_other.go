//go:build !unix

package pgtemp

import (
	"errors"
	"os/exec"
)

func asOrdinaryUser(*exec.Cmd, string) error {
	return errors.New("a throw-away PostgreSQL needs a Unix: set " + Environment + " to the address of a server")
}
