// Package arrows proves that the import rules of .golangci.yml fire. A rule with
// a mistyped path would never complain, and nobody would notice the first arrow
// that runs backwards.
//
// It owns a small imitation of the house with one wrong import in each room, and
// nothing of the product. It fails when a rule is missing, too weak or too strict.
package arrows
