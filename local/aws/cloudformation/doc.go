// Package cloudformation is the simulated AWS CloudFormation: stacks, change sets,
// exports and drift, in each Region on its own.
//
// It owns the states of stacks and of their resources, the events, the order in
// which resources are made and undone, and one small kind per resource type. The
// resources themselves live in the services that they belong to: a kind calls
// those as "cloudformation.amazonaws.com", so that the calls stand in the log and
// meet the faults of the world, and drift is found by asking them. The template
// language is in the package template.
//
// How it fails: as AWS does. What is wrong with a request or a template is refused
// at once; what goes wrong afterwards becomes an event with its reason, and the
// stack rolls back. A resource type that no kind serves is refused like a type
// that doesn't exist; a property that its kind doesn't serve fails the resource.
//
// Not simulated: nested stacks, stack sets, stack policies, transforms, imports of
// existing resources, template URLs, hooks, rollback triggers, the rights of the
// caller or of a service role.
package cloudformation
