package route53

import (
	"cmp"
	"slices"
	"strings"

	api "github.com/aws/aws-sdk-go/service/route53"
)

// snapshot is a zone as the name servers hold it; never changed once made.
type snapshot struct {
	apex string
	id   string
	sets map[string]map[string][]*api.ResourceRecordSet // by name and type, in order of set identifier
}

func newSnapshot(z *zone) *snapshot {
	s := &snapshot{apex: z.apex, id: z.id, sets: map[string]map[string][]*api.ResourceRecordSet{}}
	for k, rr := range z.records {
		if s.sets[k.name] == nil {
			s.sets[k.name] = map[string][]*api.ResourceRecordSet{}
		}
		s.sets[k.name][k.kind] = append(s.sets[k.name][k.kind], rr)
	}
	for _, kinds := range s.sets {
		for _, list := range kinds {
			slices.SortFunc(list, func(a, b *api.ResourceRecordSet) int { return cmp.Compare(keyOf(a).set, keyOf(b).set) })
		}
	}
	return s
}

// find gives the record sets of a name, or of the wildcard that covers it
// (RFC 4592: only below the closest name that exists).
func (s *snapshot) find(name string) (kinds map[string][]*api.ResourceRecordSet, exists bool) {
	for at := name; ; {
		if kinds, ok := s.sets[at]; ok && at == name {
			return kinds, true
		}
		if at != name {
			if kinds, ok := s.sets["*."+at]; ok {
				return kinds, true
			}
		}
		if s.holds(at) {
			return nil, at == name
		}
		_, parent, ok := strings.Cut(at, ".")
		if !ok || !within(parent, s.apex) {
			return nil, false
		}
		at = parent
	}
}

// holds says whether a name exists, if only because there are names below it.
func (s *snapshot) holds(name string) bool {
	if _, ok := s.sets[name]; ok {
		return true
	}
	for n := range s.sets {
		if strings.HasSuffix(n, "."+name) {
			return true
		}
	}
	return false
}
