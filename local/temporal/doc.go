// Temporal-server is a whole Temporal in one process for one machine: server,
// Web UI and a SQLite database, ready in well under a second.
//
// It owns the choice of the server's settings (docs/adr/0002), one namespace,
// Lifeline's search attributes and the check that its ports are free. It owns
// no workflow and knows no AWS; every other program reaches it over the network
// like any Temporal. It is a module of its own so that the server's dependencies
// weigh on nobody else.
//
// It is for development, demos and tests: no TLS, no authentication, therefore
// loopback only, and the database is not migrated between server versions.
//
// It fails before it starts anything when a port is taken or when another
// process holds the database, with exit code 1 and a sentence that says which.
// Usage errors exit with 2. A kill at any moment loses nothing that was
// acknowledged: the next start on the same file goes on from there.
package main
