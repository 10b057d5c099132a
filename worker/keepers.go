package main

import (
	"slices"

	"lifeline/activities/iam"
	"lifeline/activities/kms"
	"lifeline/activities/s3"
	"lifeline/activities/s3control"
	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
)

// keepers are all types of items that setup keeps, service by service.
func keepers(c *cloud.Clients) []keep.Keeper {
	return slices.Concat(
		iam.Keepers(c),
		kms.Keepers(c),
		s3.Keepers(c),
		s3control.Keepers(c),
	)
}
