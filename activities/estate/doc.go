// Package estate owns the two steps of setup that serve every type of item:
// survey, which only reads, and converge, which brings a batch to what is
// wanted and reads it back.
//
// It does not know any type: the keepers of all service packages are given to
// it. It fails with the kinds of package cloud when a batch can't be read; what
// happened to each item is an answer, not a failure.
package estate
