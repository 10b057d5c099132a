package cloudformation

import "maps"

// kinds are all resource types that stacks may hold.
func kinds() map[string]kind {
	out := map[string]kind{}
	for _, service := range []map[string]kind{
		networkKinds(), routeKinds(), groupKinds(), endpointKinds(), templateKinds(), balancerKinds(), fleetKinds(),
		roleKinds(), keyKinds(), databaseKinds(),
	} {
		maps.Copy(out, service)
	}
	return out
}
