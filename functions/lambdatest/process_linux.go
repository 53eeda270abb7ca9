package lambdatest

import (
	"errors"
	"os"
	"syscall"
)

// dieWithParent keeps frozen processes from outliving a test that was killed.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

func freeze(p *os.Process) error { return p.Signal(syscall.SIGSTOP) }

func thaw(p *os.Process) error { return p.Signal(syscall.SIGCONT) }

// terminate asks a process to end, frozen or not.
func terminate(p *os.Process) error { return errors.Join(p.Signal(syscall.SIGTERM), thaw(p)) }
