// Package lambda is AWS Lambda: functions with versions, aliases and permissions,
// one list per Region, that really run.
//
// It owns a function's states, its code, and the processes in which it runs: the
// file bootstrap of the zip is started on this machine and spoken to by Lambda's
// runtime API. It doesn't own what a function may do: the process has the rights of
// the simulator's own user, so only code of one's own belongs in here.
//
// A function's time limit counts in real seconds whatever the world's compression
// is, since code can't be compressed. States and the pauses between attempts are
// compressed as everywhere. Processes end with their Region and with the world.
//
// It fails with Lambda's own codes; an error of the function itself is an answer of
// 200 with X-Amz-Function-Error. Not simulated: runtimes other than
// provided.al2023, images, layers, networks, event source mappings, limits on memory.
package lambda
