package stack

import "syscall"

// attached makes a child die with us, and keeps Ctrl-C from reaching it before
// we have ended it in order.
func attached() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
