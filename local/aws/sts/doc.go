// Package sts is the simulated AWS Security Token Service: who am I, and taking a
// role. It owns the sessions it has given out; it does not own policies (world),
// and it checks no secret. Whether a role exists and whom it trusts says IAM;
// without one every role of the account does. Unknown members are refused by the
// wire; a role ARN that isn't one, or isn't of this account, is refused here. It is
// Regional: in a dark Region nobody takes a role, in the others everybody still does.
package sts
