package wire

import "strings"

//go:generate go run ./enumtable -out enums_gen.go

// enumValues gives the enumerations of a service with their values. A service
// that isn't in the table has none, and then nothing is refused for its value.
func enumValues(signingName string) map[string][]string {
	out := map[string][]string{}
	for line := range strings.Lines(enumTable(signingName)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(fields) > 1 {
			out[fields[0]] = fields[1:]
		}
	}
	return out
}
