//go:build !linux

package stack

import "syscall"

// attached keeps Ctrl-C from reaching a child before we have ended it in order.
func attached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
