// Command trigger is the Lambda function that alarms fire in the recovery Region.
//
// It owns reading what an alarm says, in each of the ways in which AWS delivers it,
// and answers and logs what it saw. What it doesn't know, and alarms of other
// applications, it refuses with an error: Lambda shows that in its metrics.
//
// It does not own whether to fail over: it decides nothing yet, and says so in each
// answer ("recorded"). Its own Region is the one that survives; nothing that it does
// needs the other one.
package main
