package plan

import (
	"maps"
	"slices"
	"strings"
)

func (c *checker) resources() {
	names := c.resourceNames()
	if len(names) == 0 {
		c.errorf("resources", "", "the plan protects nothing: resources is empty")
	}
	for i, r := range c.plan.Resources {
		at := element("resources", i)
		c.shape(at+".name", labelName, r.Name, "lower-case letters, digits and inner dashes, 63 at most")
		if first := slices.Index(names, r.Name); first < i && !c.isBroken(at+".name") {
			c.errorf(at+".name", "", "resource %q is listed twice", r.Name)
		}
		if r.Tier < 1 || r.Tier > 4 {
			c.errorf(at+".tier", "1 is the most critical, 4 the least", "tier must be 1 to 4, but is %d", r.Tier)
		}
		if r.Objectives != nil {
			c.objectives(at+".objectives", *r.Objectives)
		}
		c.identity(at, r)
		c.fence(at, r)
		c.protect(at, r)
		c.dependencies(at, r, names)
	}
	c.cycles()
}

func (c *checker) resourceNames() []string {
	names := make([]string, len(c.plan.Resources))
	for i, r := range c.plan.Resources {
		names[i] = r.Name
	}
	return names
}

// identity checks that AWS can find the resource in every Region that serves clients.
func (c *checker) identity(at string, r Resource) {
	spec, known := r.Kind.Spec()
	if !known {
		var words []string
		for _, k := range Kinds() {
			words = append(words, string(k.Kind))
		}
		c.errorf(at+".kind", didYouMean(string(r.Kind), words), "unknown kind %q", r.Kind)
		return
	}
	c.identifiers(at+".global", r.Kind, r.Global, spec.Global)
	for _, region := range slices.Sorted(maps.Keys(r.Regions)) {
		if c.inTraffic(join(at+".regions", string(region)), region) {
			c.identifiers(join(at+".regions", string(region)), r.Kind, r.Regions[region], c.identifiersIn(spec, region))
		}
	}
	if !c.regionsRead() {
		return
	}
	for _, region := range c.plan.TrafficRegions() {
		if _, given := r.Regions[region]; !given && len(c.identifiersIn(spec, region)) > 0 {
			c.errorf(at+".regions", "a resource that is missing in one Region is lost with the other",
				"%s: nothing identifies it in Region %s", r.Name, region)
		}
	}
}

// identifiersIn are the identifiers that a kind has in one Region.
func (c *checker) identifiersIn(spec KindSpec, region Region) []Identifier {
	role := Role("")
	if r, ok := c.plan.Region(region); ok {
		role = r.Role
	}
	var out []Identifier
	for _, i := range spec.Regional {
		if i.Only == "" || i.Only == role {
			out = append(out, i)
		}
	}
	return out
}

func (c *checker) identifiers(at string, kind Kind, given Identifiers, wanted []Identifier) {
	var keys []string
	for _, w := range wanted {
		keys = append(keys, w.Key)
		value, found := given[w.Key]
		if !found {
			c.errorf(at, "", "%q (%s) is missing: kind %s needs it", w.Key, w.What, kind)
			continue
		}
		c.shape(join(at, w.Key), w.Pattern, value, "not a "+w.What+" that AWS accepts")
	}
	for _, key := range slices.Sorted(maps.Keys(given)) {
		if !slices.Contains(keys, key) {
			c.errorf(join(at, key), didYouMean(key, keys), "kind %s has no identifier %q here", kind, key)
		}
	}
}

func (c *checker) fence(at string, r Resource) {
	spec, known := r.Kind.Spec()
	if !known {
		return
	}
	if len(r.Fence) > 0 && !spec.Promoted {
		c.errorf(at+".fence", "take the fence out", "kind %s is written in every Region: there is nothing to fence", r.Kind)
		return
	}
	if len(r.Fence) == 0 && spec.Promoted {
		c.errorf(at, "for example \"fence: [lease, compute, network, aurora]\"",
			"%s has a single writer and no fence: promoting it could leave two", r.Name)
	}
	for i, layer := range r.Fence {
		here := element(at+".fence", i)
		if !oneOf(c, here, layer, FenceLayers()...) {
			continue
		}
		if slices.Index(r.Fence, layer) < i {
			c.errorf(here, "", "fence layer %q is listed twice", layer)
		}
		if (layer == FenceCompute || layer == FenceNetwork) && !c.has(Service) {
			c.errorf(here, "add the resource of kind service that writes to it, or take the layer out",
				"fence layer %q stops the service that writes, but the plan has none", layer)
		}
	}
	if len(r.Fence) > 0 && !slices.Contains(r.Fence, FenceLease) {
		c.warnf(at+".fence", "add \"lease\": writers then stop by themselves",
			"every layer of this fence needs the Region that is lost to answer: it stays unconfirmed when that Region is dark")
	}
}

func (c *checker) has(k Kind) bool {
	return slices.ContainsFunc(c.plan.Resources, func(r Resource) bool { return r.Kind == k })
}

func (c *checker) dependencies(at string, r Resource, names []string) {
	for i, on := range r.DependsOn {
		here := element(at+".dependsOn", i)
		if !slices.Contains(names, on) {
			c.errorf(here, didYouMean(on, names), "%s depends on %q, which is not a resource of this plan", r.Name, on)
		}
		if slices.Index(r.DependsOn, on) < i {
			c.errorf(here, "", "dependency %q is listed twice", on)
		}
	}
}

// cycles reports every dependency that closes a circle, with the way around it.
func (c *checker) cycles() {
	byName := map[string]int{}
	for i, r := range c.plan.Resources {
		byName[r.Name] = i
	}
	done := map[int]bool{}
	var trail []string
	var visit func(i int)
	visit = func(i int) {
		r := c.plan.Resources[i]
		trail = append(trail, r.Name)
		for j, on := range r.DependsOn {
			next, exists := byName[on]
			from := slices.Index(trail, on)
			switch {
			case from >= 0:
				c.errorf(element(element("resources", i)+".dependsOn", j), "recovery needs an order: take one of these out",
					"resources depend on each other: %s", strings.Join(append(slices.Clone(trail[from:]), on), " -> "))
			case exists && !done[next]:
				visit(next)
			}
		}
		trail = trail[:len(trail)-1]
		done[i] = true
	}
	for i := range c.plan.Resources {
		if !done[i] && byName[c.plan.Resources[i].Name] == i {
			visit(i)
		}
	}
}
