package plan

import (
	"reflect"
	"time"
)

// shortest is the least that scaling leaves of a duration: timers shorter than
// a millisecond measure the scheduler.
const shortest = time.Millisecond

// Scale returns a copy of the plan with every duration divided by the factor,
// for runs on a simulator that is compressed by the same factor. The copy
// shares nothing with the plan. It states its assumptions, so that they shrink
// too. A duration that isn't zero stays at least a millisecond; a factor that
// isn't positive changes nothing.
//
// A scaled plan breaks rules that AWS sets in seconds: build the record tree
// from the plan itself, and let the simulator compress it.
func (p Plan) Scale(factor float64) Plan {
	if !(factor > 0) {
		factor = 1
	}
	a := p.Assumed()
	p.Assumptions = &a
	out := reflect.New(reflect.TypeFor[Plan]()).Elem()
	scaled(out, reflect.ValueOf(p), factor)
	return out.Interface().(Plan) //nolint:forcetypeassert,errcheck // it was made as one two lines above
}

// scaled copies from into to, which is zero, all the way down.
func scaled(to, from reflect.Value, factor float64) {
	switch from.Kind() {
	case reflect.Int64:
		to.SetInt(from.Int())
		if d, ok := from.Interface().(Duration); ok && d > 0 {
			to.SetInt(int64(max(time.Duration(float64(d)/factor), shortest)))
		}
	case reflect.Pointer:
		if !from.IsNil() {
			to.Set(reflect.New(from.Type().Elem()))
			scaled(to.Elem(), from.Elem(), factor)
		}
	case reflect.Struct:
		for i := range from.NumField() {
			scaled(to.Field(i), from.Field(i), factor)
		}
	case reflect.Slice:
		if !from.IsNil() {
			to.Set(reflect.MakeSlice(from.Type(), from.Len(), from.Len()))
			for i := range from.Len() {
				scaled(to.Index(i), from.Index(i), factor)
			}
		}
	case reflect.Map:
		if !from.IsNil() {
			to.Set(reflect.MakeMapWithSize(from.Type(), from.Len()))
			for _, key := range from.MapKeys() {
				elem := reflect.New(from.Type().Elem()).Elem()
				scaled(elem, from.MapIndex(key), factor)
				to.SetMapIndex(key, elem)
			}
		}
	default:
		to.Set(from)
	}
}
