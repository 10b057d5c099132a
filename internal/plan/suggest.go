package plan

import (
	"fmt"
	"slices"
	"strings"
)

// didYouMean is the hint for a word that isn't among the known ones: the
// nearest of them when it is near enough to be a slip, and else all of them.
func didYouMean(word string, known []string) string {
	if best := nearest(word, known); best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	if len(known) == 0 {
		return ""
	}
	return "one of: " + strings.Join(distinct(known), ", ")
}

// distinct keeps the first of equal words.
func distinct(words []string) []string {
	var out []string
	for _, w := range words {
		if !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return out
}

// nearest is the known word that differs from word by the fewest edits, "" when
// every one differs by more than a third of its letters.
func nearest(word string, known []string) string {
	best, least := "", 0
	for _, k := range known {
		d := distance(fold(word), fold(k))
		if d <= max(1, len(k)/3) && (best == "" || d < least) {
			best, least = k, d
		}
	}
	return best
}

// fold drops what people mix up most: case, dashes and underscores. Words are
// cut at 64 bytes, since a longer one is no slip of the keys.
func fold(s string) string {
	s = s[:min(len(s), 64)]
	return strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(s))
}

// distance counts the insertions, deletions and substitutions from a to b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitute := diagonal
			if a[i] != b[j] {
				substitute++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitute, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
