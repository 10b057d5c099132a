// Package arc is the simulated Amazon Application Recovery Controller, routing
// control: the configuration API (clusters, control panels, routing controls,
// safety rules), whose control plane lives in us-west-2, and the cluster API,
// which reads and sets routing control states on five Regional endpoints.
//
// It owns the states, the quorum and the safety rules. It does not own health
// checks: Route 53 asks here for the state of a control.
//
// How it fails: the wire layer makes an endpoint in a dark Region silent. An
// endpoint that reaches fewer than three of the five, itself included, answers
// EndpointTemporarilyUnavailableException. States outlive any outage.
package arc
