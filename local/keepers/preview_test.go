package keepers_test

import (
	"testing"

	"github.com/stretchr/testify/require"

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
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/workflows/kinds"
)

// The first thing that anybody types is a preview, on an account that has nothing of
// the plan: whatever waits for something else is to be created too, and none of it
// has failed.
func TestPreview_AccountWithNothing_FailsNowhere(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"patient-records.yaml", "patient-records-arc.yaml", "imaging.yaml"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := bare(t, 2000, everything()...)
			p := complete(t, name)
			p.Trigger = nil // its program would have to be built
			if p.Setup == nil {
				p.Setup = &plan.Setup{Key: "alias/patient-records"}
			}
			items, err := kinds.Items(kinds.Site{Plan: p, Account: account})
			require.NoError(t, err)
			run := s.setup()
			got := run.survey(items, true)
			require.Empty(t, run.changed())
			require.Len(t, got, len(items))
			got.read(t)
			for id, r := range got {
				require.NotEqual(t, runbook.Unavailable, r.Verdict, "%s: %s", id, r.Why)
			}
			for _, c := range run.calls() {
				for _, value := range c.Params {
					require.NotContains(t, value, "${", "AWS is asked for what has no name yet: %s", c.Operation)
				}
			}
		})
	}
}

// everything is the keepers of all services.
func everything() []book {
	return []book{
		arc.Keepers, backup.Keepers, cloudformation.Keepers, cloudwatch.Keepers, dlm.Keepers, drs.Keepers, dynamodb.Keepers, ec2.Keepers,
		elb.Keepers, events.Keepers, iam.Keepers, kms.Keepers, lambda.Keepers, rds.Keepers, route53.Keepers, s3.Keepers, s3control.Keepers, sns.Keepers,
	}
}
