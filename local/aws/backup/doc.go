// Package backup is the simulated AWS Backup: Region settings, vaults with their
// locks, plans that fire on their schedules, selections, backup, copy and restore
// jobs, and recovery points with their lifecycles. State is per Region.
//
// It owns the jobs and the recovery points. It does not own what is protected: an
// Inventory says which resources exist, a Restorer makes what a restore job is
// asked for. Recovery points hold no data of their own.
//
// Time: schedules follow AWS's calendar, which begins with the wall clock and then
// runs as fast as the world is compressed. Dates in answers are dates of the wall
// clock, so that they compare with everybody else's: a recovery point that lives
// for 30 days says a DeleteAt at which it really goes.
//
// How it fails: calls are refused with AWS's codes. What AWS finds out later ends
// a job: FAILED with a message, or EXPIRED when it could not begin in its start
// window. A dark Region begins and ends nothing; a copy waits two hours for the
// Region that it can't reach.
package backup
