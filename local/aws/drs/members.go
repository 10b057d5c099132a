package drs

import "reflect"

// copyMembers copies the members of one struct into another's of the same name
// and type. DRS answers the same settings in several shapes.
func copyMembers(dst, src any, deep func(to, from any)) {
	to, from := reflect.ValueOf(dst).Elem(), reflect.ValueOf(src).Elem()
	for i := range from.NumField() {
		field := from.Type().Field(i)
		target := to.FieldByName(field.Name)
		if !field.IsExported() || !target.IsValid() || target.Type() != field.Type || from.Field(i).IsNil() {
			continue
		}
		fresh := reflect.New(field.Type)
		deep(fresh.Interface(), from.Field(i).Addr().Interface())
		target.Set(fresh.Elem())
	}
}
