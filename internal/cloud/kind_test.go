package cloud

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"

	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/require"

	"lifeline/internal/runbook"
)

func TestKindOf_NamesWhatToDoNext(t *testing.T) {
	t.Parallel()
	code := func(c string) error { return &smithy.GenericAPIError{Code: c} }
	status := func(n int) error {
		return &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{StatusCode: n}}, Err: errors.New("no body"),
		}
	}
	cases := map[string]struct {
		err  error
		want Kind
	}{
		"nothing":                     {nil, ""},
		"bad request":                 {code("ValidationException"), Invalid},
		"query denial":                {code("AccessDenied"), Denied},
		"json denial":                 {code("AccessDeniedException"), Denied},
		"ec2 denial":                  {code("UnauthorizedOperation"), Denied},
		"expired credentials":         {code("ExpiredTokenException"), Denied},
		"throttled rds":               {code("Throttling"), Throttled},
		"throttled ec2":               {code("RequestLimitExceeded"), Throttled},
		"throttled dynamodb":          {code("ProvisionedThroughputExceededException"), Throttled},
		"throttled s3":                {code("SlowDown"), Throttled},
		"missing table":               {code("ResourceNotFoundException"), NotFound},
		"missing subnet":              {code("InvalidSubnetID.NotFound"), NotFound},
		"typed fault":                 {&rdstypes.GlobalClusterNotFoundFault{}, NotFound},
		"busy global cluster":         {code("InvalidGlobalClusterStateFault"), Conflict},
		"lost condition":              {code("ConditionalCheckFailedException"), Conflict},
		"safety rule":                 {code("ConflictException"), Conflict},
		"snapshot quota":              {code("SnapshotQuotaExceeded"), Quota},
		"endpoint away":               {code("EndpointTemporarilyUnavailableException"), Unreachable},
		"unknown code, known status":  {status(http.StatusForbidden), Denied},
		"server error":                {status(http.StatusInternalServerError), Unknown},
		"unavailable without a code":  {status(http.StatusServiceUnavailable), Unreachable},
		"deadline":                    {fmt.Errorf("call: %w", context.DeadlineExceeded), Unreachable},
		"connection cut":              {&smithyhttp.RequestSendError{Err: io.EOF}, Unreachable},
		"connection refused":          {&net.OpError{Op: "dial", Err: errors.New("refused")}, Unreachable},
		"not confirmed":               {fmt.Errorf("%w: still there", runbook.ErrNotConfirmed), NotYet},
		"our own, wrapped":            {fmt.Errorf("step: %w", Errorf(NotYet, "not there")), NotYet},
		"something nobody classified": {errors.New("odd"), Unknown},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, KindOf(c.err))
		})
	}
}

func TestKind_OnlyWhatAPersonMustMendIsPermanent(t *testing.T) {
	t.Parallel()
	for kind, permanent := range map[Kind]bool{
		Invalid: true, NotFound: true, Denied: true,
		Conflict: false, Quota: false, Throttled: false, NotYet: false, Unreachable: false, Unknown: false,
	} {
		require.Equal(t, permanent, kind.Permanent(), kind)
	}
}

func TestExplain_DeniedNamesPermissionAndRegion(t *testing.T) {
	t.Parallel()
	err := Explain("us-west-2", &smithy.OperationError{
		ServiceID: "Elastic Load Balancing v2", OperationName: "DescribeTargetHealth",
		Err: &smithy.GenericAPIError{Code: "AccessDenied", Message: "no"},
	})
	var e *Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, "elasticloadbalancing:DescribeTargetHealth", e.Permission)
	require.ErrorContains(t, err, "us-west-2: permission elasticloadbalancing:DescribeTargetHealth is missing")
}

func TestExplain_DeniedForASecondPermission_NamesThatOne(t *testing.T) {
	t.Parallel()
	err := Explain("us-east-1", &smithy.OperationError{
		ServiceID: "RDS", OperationName: "CopyDBClusterSnapshot",
		Err: &smithy.GenericAPIError{Code: "AccessDenied", Message: "User: arn:aws:iam::1:user/w is not authorized to perform: rds:AddTagsToResource on resource: *"},
	})
	require.ErrorContains(t, err, "permission rds:AddTagsToResource is missing")
	err = Explain("us-west-2", &smithy.OperationError{
		ServiceID: "S3", OperationName: "HeadObject", Err: &smithy.GenericAPIError{Code: "Forbidden", Message: "Forbidden"},
	})
	require.ErrorContains(t, err, "permission s3:GetObject or s3:ListBucket is missing", "S3 does not say which")
}

func TestPermission_IsTheIAMAction(t *testing.T) {
	t.Parallel()
	require.Equal(t, "s3:GetObject", Permission("S3", "HeadObject"))
	require.Equal(t, "s3:PutObject", Permission("S3", "PutObject"))
	for operation, action := range map[string]string{
		"PutBucketReplication": "PutReplicationConfiguration", "GetBucketEncryption": "GetEncryptionConfiguration",
		"PutBucketLifecycleConfiguration": "PutLifecycleConfiguration", "GetBucketNotificationConfiguration": "GetBucketNotification",
		"PutPublicAccessBlock": "PutBucketPublicAccessBlock", "GetBucketTagging": "GetBucketTagging", "PutBucketPolicy": "PutBucketPolicy",
	} {
		require.Equal(t, "s3:"+action, Permission("S3", operation))
	}
	require.Equal(t, "s3:CreateJob", Permission("S3 Control", "CreateJob"))
	require.Equal(t, "autoscaling:SuspendProcesses", Permission("Auto Scaling", "SuspendProcesses"))
	require.Equal(t, "servicequotas:GetServiceQuota", Permission("Service Quotas", "GetServiceQuota"))
	require.Equal(t, "route53-recovery-cluster:UpdateRoutingControlStates", Permission("Route53 Recovery Cluster", "UpdateRoutingControlStates"))
}
