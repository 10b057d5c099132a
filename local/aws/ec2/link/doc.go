// Package link carries connections over a network that can be cut.
//
// It owns the cutting: while a path is closed, bytes in either direction wait
// as dropped packets do, on connections that exist already as much as on new
// ones. Nobody is told; a peer only notices by its own time-out. It does not
// know why a path is closed: network ACLs, a dark Region and stopped machines
// are reasons of its callers. It fails with net.ErrClosed after Close and with
// os.ErrDeadlineExceeded at a deadline, like any net.Conn.
package link
