package expression

// Projection is a parsed projection expression.
type Projection []Path

// ParseProjection parses a projection expression; nil keeps everything.
func ParseProjection(src *string, params *Params) (Projection, error) {
	if src == nil {
		return nil, nil
	}
	p, err := newParser(*src, params)
	if err != nil {
		return nil, err
	}
	var out Projection
	for {
		path, err := p.path()
		if err != nil {
			return nil, err
		}
		out = append(out, path)
		if !p.accept(",") {
			return out, p.end()
		}
	}
}

// Of is a copy of the item with only what the projection asks for. A path into
// a list yields a list of just the elements asked for, as DynamoDB gives it.
func (p Projection) Of(item Item) Item {
	if p == nil || item == nil {
		return Clone(item)
	}
	out := Item{}
	for _, path := range p {
		if v := path.value(item); v != nil {
			place(out, path, CloneValue(v))
		}
	}
	return out
}

func place(out Item, path Path, v *Value) {
	if len(path) == 1 {
		out[path.Top()] = v
		return
	}
	slot := out[path.Top()]
	if slot == nil {
		slot = &Value{}
		out[path.Top()] = slot
	}
	placeInside(slot, path[1:], v)
}

func placeInside(slot *Value, rest Path, v *Value) {
	if rest[0].index >= 0 {
		if len(rest) > 1 {
			inner := &Value{}
			placeInside(inner, rest[1:], v)
			v = inner
		}
		slot.L = append(slot.L, v)
		return
	}
	if slot.M == nil {
		slot.M = Item{}
	}
	place(slot.M, rest, v)
}
