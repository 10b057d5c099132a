package main

import (
	"slices"

	"lifeline/activities/arc"
	"lifeline/activities/backup"
	"lifeline/activities/cloudformation"
	"lifeline/activities/cloudwatch"
	"lifeline/activities/dlm"
	"lifeline/activities/drs"
	"lifeline/activities/dynamodb"
	"lifeline/activities/ec2"
	"lifeline/activities/elb"
	"lifeline/activities/events"
	"lifeline/activities/iam"
	"lifeline/activities/kms"
	"lifeline/activities/lambda"
	"lifeline/activities/rds"
	"lifeline/activities/route53"
	"lifeline/activities/s3"
	"lifeline/activities/s3control"
	"lifeline/activities/sns"
	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
)

// keepers are all types of items that setup keeps, service by service.
func keepers(c *cloud.Clients) []keep.Keeper {
	return slices.Concat(
		arc.Keepers(c),
		backup.Keepers(c),
		cloudformation.Keepers(c),
		cloudwatch.Keepers(c),
		dlm.Keepers(c),
		drs.Keepers(c),
		dynamodb.Keepers(c),
		ec2.Keepers(c),
		elb.Keepers(c),
		events.Keepers(c),
		iam.Keepers(c),
		kms.Keepers(c),
		lambda.Keepers(c),
		rds.Keepers(c),
		route53.Keepers(c),
		s3.Keepers(c),
		s3control.Keepers(c),
		sns.Keepers(c),
	)
}
