package plan

import "time"

// SwitchKey is the object that keeps a Region out (s3-object provider), or only
// one location of it: failback lets locations come home one after the other.
// The record tree has an inverted check on each of these objects, in the bucket
// of every other Region: the leaf of a location is healthy when its Region's
// deep check is, and neither the Region's nor the location's object exists.
func SwitchKey(region Region, location string) string {
	if location == "" {
		return "evacuate/" + string(region)
	}
	return "evacuate/" + string(region) + "/" + location
}

// SwitchThreshold is the failure threshold of a check on a switch object: it
// reads an object that is there or not, so one look is enough.
const SwitchThreshold = 1

// SwitchDelay is how long health checkers may take to see a switch object come
// or go, from the act to the check's new status.
func (p Plan) SwitchDelay() time.Duration {
	a := p.Assumed()
	return a.SwitchInterval.D()*SwitchThreshold + a.CheckerLag.D()
}
