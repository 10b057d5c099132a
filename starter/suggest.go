package main

import (
	"fmt"
	"slices"
	"strings"
)

// didYouMean offers the known words that a mistyped one may stand for; empty
// when none is near.
func didYouMean(typed string, known []string) string {
	near := nearest(typed, known)
	if len(near) == 0 {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", strings.Join(near, " or "))
}

// nearest lists the known words within two slips of the typed one, or that it
// begins, the nearest first.
func nearest(typed string, known []string) []string {
	const slips = 2
	typed = strings.ToLower(typed)
	type scored struct {
		word string
		off  int
	}
	var found []scored
	for _, word := range known {
		off := distance(typed, strings.ToLower(word))
		if len(typed) > 1 && strings.HasPrefix(strings.ToLower(word), typed) {
			off = 1
		}
		if off <= min(slips, len(word)/2) {
			found = append(found, scored{word, off})
		}
	}
	slices.SortStableFunc(found, func(a, b scored) int { return a.off - b.off })
	words := make([]string, 0, len(found))
	for _, s := range found {
		if s.off == found[0].off {
			words = append(words, s.word)
		}
	}
	return words
}

// distance counts the slips between two words: a letter wrong, missing, too
// many, or two neighbours exchanged (optimal string alignment).
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	rows := make([][]int, len(x)+1)
	for i := range rows {
		rows[i] = make([]int, len(y)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(x); i++ {
		for j := 1; j <= len(y); j++ {
			same := 1
			if x[i-1] == y[j-1] {
				same = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+same)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(x)][len(y)]
}
