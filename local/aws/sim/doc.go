// Package sim assembles the simulated AWS: one world, every service, the name
// server, the health checkers and the records application, behind one listener.
//
// It owns the wiring and the order of starting and stopping. What a service does
// lives in the service's own package.
package sim
