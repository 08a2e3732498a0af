//go:build unix

package pgtemp

import (
	"errors"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// asOrdinaryUser keeps a process out of reach of the terminal's ^C, which would
// end it before it has cleared up, and has it run as another user where we are
// root: PostgreSQL refuses to run as root.
func asOrdinaryUser(process *exec.Cmd, folder string) error {
	process.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if os.Geteuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		ordinary, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(ordinary.Uid, 10, 32)
		if err != nil {
			return err
		}
		gid, err := strconv.ParseUint(ordinary.Gid, 10, 32)
		if err != nil {
			return err
		}
		process.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		return os.Chown(folder, int(uid), int(gid))
	}
	return errors.New("PostgreSQL does not run as root, and there is no user postgres or nobody to run it as")
}
