// Package sts is the simulated AWS Security Token Service: who am I, and taking a
// role. It owns the sessions it has given out; it does not own policies (world),
// and it checks no secret. Unknown members are refused by the wire; a role ARN
// that isn't one, or isn't of this account, is refused here.
package sts
