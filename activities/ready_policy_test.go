package activities

import (
	"reflect"
	"testing"

	awsautoscaling "github.com/aws/aws-sdk-go-v2/service/autoscaling"
	awsbackup "github.com/aws/aws-sdk-go-v2/service/backup"
	awscloudwatch "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	awsdlm "github.com/aws/aws-sdk-go-v2/service/dlm"
	awsdrs "github.com/aws/aws-sdk-go-v2/service/drs"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	awsec2 "github.com/aws/aws-sdk-go-v2/service/ec2"
	awselb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	awskms "github.com/aws/aws-sdk-go-v2/service/kms"
	awsrds "github.com/aws/aws-sdk-go-v2/service/rds"
	awsroute53 "github.com/aws/aws-sdk-go-v2/service/route53"
	awsarc "github.com/aws/aws-sdk-go-v2/service/route53recoverycluster"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	awsquotas "github.com/aws/aws-sdk-go-v2/service/servicequotas"
	awssns "github.com/aws/aws-sdk-go-v2/service/sns"
	awssts "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"

	"lifeline/activities/arc"
	"lifeline/activities/autoscaling"
	"lifeline/activities/backup"
	"lifeline/activities/cloudwatch"
	"lifeline/activities/dlm"
	"lifeline/activities/drs"
	"lifeline/activities/dynamodb"
	"lifeline/activities/ec2"
	"lifeline/activities/elb"
	"lifeline/activities/iam"
	"lifeline/activities/kms"
	"lifeline/activities/rds"
	"lifeline/activities/route53"
	"lifeline/activities/s3"
	"lifeline/activities/servicequotas"
	"lifeline/activities/sns"
	"lifeline/activities/sts"
)

// readyCalls is every interface towards AWS that a proof of readiness calls, which
// setup's worker makes. Of steps that runs use too it lists what is read only.
func readyCalls() map[reflect.Type]string {
	return map[reflect.Type]string{
		reflect.TypeFor[arc.ReadyAPI]():              awsarc.ServiceID,
		reflect.TypeFor[autoscaling.ReadyAPI]():      awsautoscaling.ServiceID,
		reflect.TypeFor[backup.ReadyAPI]():           awsbackup.ServiceID,
		reflect.TypeFor[cloudwatch.API]():            awscloudwatch.ServiceID,
		reflect.TypeFor[dlm.ReadyAPI]():              awsdlm.ServiceID,
		reflect.TypeFor[drs.ReadyAPI]():              awsdrs.ServiceID,
		reflect.TypeFor[dynamodb.ReadyAPI]():         awsdynamodb.ServiceID,
		reflect.TypeFor[ec2.ReadyAPI]():              awsec2.ServiceID,
		reflect.TypeFor[elb.API]():                   awselb.ServiceID,
		reflect.TypeFor[elb.ReadyAPI]():              awselb.ServiceID,
		reflect.TypeFor[iam.ReadyAPI]():              awsiam.ServiceID,
		reflect.TypeFor[kms.ReadyAPI]():              awskms.ServiceID,
		reflect.TypeFor[rds.ReadyAPI]():              awsrds.ServiceID,
		reflect.TypeFor[route53.ReadyAPI]():          awsroute53.ServiceID,
		reflect.TypeFor[s3.ReadyAPI]():               awss3.ServiceID,
		reflect.TypeFor[servicequotas.API]():         awsquotas.ServiceID,
		reflect.TypeFor[servicequotas.InstanceAPI](): awsec2.ServiceID,
		reflect.TypeFor[servicequotas.ReadyAPI]():    awsquotas.ServiceID,
		reflect.TypeFor[sns.API]():                   awssns.ServiceID, // people are told what turned red
		reflect.TypeFor[sts.ReadyAPI]():              awssts.ServiceID,
	}
}

// A proof looks, tells people, and takes on a role to see that it can.
func TestReady_OnlyReads(t *testing.T) {
	t.Parallel()
	for _, action := range permissions(readyCalls()) {
		require.Regexp(t, `^(s3:ListAllMyBuckets|sns:Publish|sts:AssumeRole|[a-z0-9-]+:(Describe|Get|List)[A-Za-z0-9]*)$`, action)
	}
}
