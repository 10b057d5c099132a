// Package wire speaks AWS's six wire protocols (query, ec2, rest-json,
// rest-xml, json, smithy-rpc-v2-cbor) for any service, derived by reflection
// from the shapes that AWS publishes in aws-sdk-go v1. It owns decoding,
// validation, encoding, the SigV4 scope, the call log and the faults that hit a
// call; it does not know what any operation does.
package wire
