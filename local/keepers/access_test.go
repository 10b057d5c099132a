package keepers_test

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdkiam "github.com/aws/aws-sdk-go-v2/service/iam"
	sdkkms "github.com/aws/aws-sdk-go-v2/service/kms"
	sdks3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	sdkcontrol "github.com/aws/aws-sdk-go-v2/service/s3control"
	controltypes "github.com/aws/aws-sdk-go-v2/service/s3control/types"
	"github.com/stretchr/testify/require"

	"lifeline/activities/sts"
	"lifeline/internal/runbook"
)

const lambdaTrust = `{"Version":"2012-10-17","Statement":[{"Sid":"x","Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

func (s *site) iam() *sdkiam.Client { return sdkiam.NewFromConfig(s.in(east)) }

// trust is who may take the role on.
func (s *site) trust(t *testing.T, role string) string {
	t.Helper()
	out, err := s.iam().GetRole(t.Context(), &sdkiam.GetRoleInput{RoleName: aws.String(role)})
	require.NoError(t, err)
	text, err := url.PathUnescape(*out.Role.AssumeRolePolicyDocument)
	require.NoError(t, err)
	return text
}

func TestAccess_RoleOfSomebodyElse_IsAddedToAndKeepsWhatItHad(t *testing.T) {
	t.Parallel()
	s := storageSite(t)
	_, err := s.iam().CreateRole(t.Context(), &sdkiam.CreateRoleInput{RoleName: aws.String(roleName), AssumeRolePolicyDocument: aws.String(lambdaTrust)})
	require.NoError(t, err)
	items := of(storageItems(t, storagePlan()), runbook.AreaAccess)
	got := s.setup().converge(items, true)
	require.Equal(t, runbook.Changed, got[runbook.ItemID("iam-role", string(east), roleName)].Verdict)
	for _, service := range []string{"lambda.amazonaws.com", "s3.amazonaws.com", "batchoperations.s3.amazonaws.com"} {
		require.Contains(t, s.trust(t, roleName), service)
	}
	again := s.setup()
	again.converge(items, true).all(t, runbook.InPlace)
	require.Empty(t, again.changed())
}

func TestAccess_OwnRoleThatSomebodyMadeWider_IsMadeNarrowAgain(t *testing.T) {
	t.Parallel()
	s := storageSite(t)
	items := of(storageItems(t, storagePlan()), runbook.AreaAccess)
	s.setup().converge(items, true).all(t, runbook.Created)
	_, err := s.iam().UpdateAssumeRolePolicy(t.Context(), &sdkiam.UpdateAssumeRolePolicyInput{RoleName: aws.String(roleName), PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[
			{"Effect":"Allow","Principal":{"Service":["s3.amazonaws.com","batchoperations.s3.amazonaws.com"]},"Action":"sts:AssumeRole"},
			{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}`)})
	require.NoError(t, err)
	got := s.setup().converge(items, true)
	require.Equal(t, runbook.Changed, got[runbook.ItemID("iam-role", string(east), roleName)].Verdict)
	require.NotContains(t, s.trust(t, roleName), `"AWS"`)
}

func TestAccess_KeyPolicyOfOthers_Stays(t *testing.T) {
	t.Parallel()
	s := storageSite(t)
	items := of(storageItems(t, storagePlan()), runbook.AreaAccess)
	s.setup().converge(items, true).all(t, runbook.Created)
	key, err := s.kms(east).DescribeKey(t.Context(), &sdkkms.DescribeKeyInput{KeyId: aws.String(keyAlias)})
	require.NoError(t, err)
	theirs := `{"Version":"2012-10-17","Statement":[
		{"Sid":"Root","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + account + `:root"},"Action":"kms:*","Resource":"*"},
		{"Sid":"Theirs","Effect":"Allow","Principal":{"Service":"logs.us-east-1.amazonaws.com"},"Action":"kms:Decrypt","Resource":"*"}]}`
	_, err = s.kms(east).PutKeyPolicy(t.Context(), &sdkkms.PutKeyPolicyInput{KeyId: key.KeyMetadata.KeyId, Policy: aws.String(theirs)})
	require.NoError(t, err)
	got := s.setup().converge(items, true)
	require.Equal(t, runbook.Changed, got[runbook.ItemID("kms-key", string(east), keyAlias)].Verdict)
	policy, err := s.kms(east).GetKeyPolicy(t.Context(), &sdkkms.GetKeyPolicyInput{KeyId: key.KeyMetadata.KeyId})
	require.NoError(t, err)
	for _, sid := range []string{"Root", "Theirs", "LifelineAccount", "LifelineAlarms", "LifelineEvents"} {
		require.Contains(t, *policy.Policy, `"`+sid+`"`)
	}
}

func TestAccess_Caller(t *testing.T) {
	t.Parallel()
	s := storageSite(t)
	got, err := sts.New(s.setup().clients).DescribeCaller(t.Context(), sts.CallerIn{Region: west})
	require.NoError(t, err)
	require.Equal(t, account, got.Account)
	require.Contains(t, got.ARN, "AKIASETUP")
}

// blockPublicAccess forbids it for the whole account.
func (s *site) blockPublicAccess(t *testing.T) {
	t.Helper()
	config := s.in(west)
	// The SDK puts the account's number before the host, which no resolver knows.
	config.HTTPClient = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, s.API())
	}}}
	_, err := sdkcontrol.NewFromConfig(config).PutPublicAccessBlock(t.Context(), &sdkcontrol.PutPublicAccessBlockInput{
		AccountId:                      aws.String(account),
		PublicAccessBlockConfiguration: &controltypes.PublicAccessBlockConfiguration{BlockPublicPolicy: aws.Bool(true), RestrictPublicBuckets: aws.Bool(true)},
	})
	require.NoError(t, err)
}

func TestStorage_AccountThatBlocksPublicAccess_CantHaveTheObjectSwitch(t *testing.T) {
	t.Parallel()
	s := storageSite(t)
	s.blockPublicAccess(t)
	got := s.setup().converge(storageItems(t, storagePlan()), true)
	r := got[runbook.ItemID("s3-bucket-policy", string(west), "patient-switch-usw2")]
	require.Equal(t, runbook.Unkept, r.Verdict)
	require.Contains(t, r.Why, "switch traffic by ARC routing controls")
}

func TestStorage_BucketInTheWrongRegion_IsToldAndNotMadeAgain(t *testing.T) {
	t.Parallel()
	s := storageSite(t)
	_, err := s.s3(west).CreateBucket(t.Context(), &sdks3.CreateBucketInput{
		Bucket: aws.String(docsEast), CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraintUsWest2},
	})
	require.NoError(t, err)
	run := s.setup()
	items := of(storageItems(t, storagePlan()), runbook.AreaStorage)
	var buckets []runbook.Item
	for _, i := range items {
		if i.Type == "s3-bucket" {
			buckets = append(buckets, i)
		}
	}
	r := run.survey(buckets, true)[runbook.ItemID("s3-bucket", string(east), docsEast)]
	require.Equal(t, runbook.Drifted, r.Verdict)
	require.Contains(t, r.Why, "setup does not change region")
}
