package kms_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/kms"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

const east, west = "us-east-1", "us-west-2"

// safe is a KMS behind a server, with a client for each Region.
type safe struct {
	world *world.World
	kms   *kms.KMS
	at    func(region string) *sdk.Client
	as    func(key string) *sdk.Client // in us-west-2
}

// open makes a safe in which AWS time passes this many times faster.
func open(t *testing.T, compression float64, o kms.Options) safe {
	t.Helper()
	w := world.New(world.Options{Compression: compression})
	t.Cleanup(w.Close)
	k := kms.New(w, o)
	server := httptest.NewServer(wire.NewServer(w, k.Wire()))
	t.Cleanup(server.Close)
	client := func(region, key string) *sdk.Client {
		return sdk.New(sdk.Options{
			Region: region, BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
			Credentials: credentials.NewStaticCredentialsProvider(key, "secret", ""),
		})
	}
	return safe{
		world: w, kms: k,
		at: func(region string) *sdk.Client { return client(region, "AKIATEST") },
		as: func(key string) *sdk.Client { return client(west, key) },
	}
}

// key makes a key in us-west-2.
func (s safe) key(t *testing.T, change ...func(*sdk.CreateKeyInput)) *types.KeyMetadata {
	t.Helper()
	in := &sdk.CreateKeyInput{}
	for _, fn := range change {
		fn(in)
	}
	out, err := s.at(west).CreateKey(t.Context(), in)
	require.NoError(t, err)
	return out.KeyMetadata
}

func (s safe) alias(t *testing.T, name string, key *string) {
	t.Helper()
	_, err := s.at(west).CreateAlias(t.Context(), &sdk.CreateAliasInput{AliasName: &name, TargetKeyId: key})
	require.NoError(t, err)
}

func (s safe) describe(t *testing.T, region, ref string) *types.KeyMetadata {
	t.Helper()
	out, err := s.at(region).DescribeKey(t.Context(), &sdk.DescribeKeyInput{KeyId: &ref})
	require.NoError(t, err)
	return out.KeyMetadata
}

func (s safe) inState(t *testing.T, region, ref string, want types.KeyState) func() bool {
	t.Helper()
	return func() bool {
		out, err := s.at(region).DescribeKey(t.Context(), &sdk.DescribeKeyInput{KeyId: &ref})
		return err == nil && out.KeyMetadata.KeyState == want
	}
}

func requireCode(t *testing.T, want string, err error) {
	t.Helper()
	var refused smithy.APIError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, want, refused.ErrorCode(), refused.ErrorMessage())
}

func TestContract_Key_ByIdArnAndAlias(t *testing.T) {
	t.Parallel()
	s := open(t, 1, kms.Options{})
	made := s.key(t, func(in *sdk.CreateKeyInput) {
		in.Description = aws.String("records")
		in.Tags = []types.Tag{{TagKey: aws.String("app"), TagValue: aws.String("records")}}
	})
	require.Regexp(t, `^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$`, *made.KeyId)
	require.Equal(t, "arn:aws:kms:us-west-2:123456789012:key/"+*made.KeyId, *made.Arn)
	s.alias(t, "alias/records", made.KeyId)

	for _, ref := range []string{*made.KeyId, *made.Arn, "alias/records", "arn:aws:kms:us-west-2:123456789012:alias/records"} {
		got := s.describe(t, west, ref)
		require.Equal(t, *made.Arn, *got.Arn, ref)
		require.Equal(t, types.KeyManagerTypeCustomer, got.KeyManager)
		require.Equal(t, types.KeyStateEnabled, got.KeyState)
		require.True(t, got.Enabled)
		require.False(t, *got.MultiRegion)
		arn, ok := s.kms.Usable(west, ref)
		require.True(t, ok)
		require.Equal(t, *made.Arn, arn)
		_, ok = s.kms.Usable(east, ref)
		require.False(t, ok, "a key is a key of its Region: %s", ref)
	}
	for want, ref := range map[string]string{
		"NotFoundException": "11111111-1111-1111-1111-111111111111", "NotFoundException ": "alias/nobody", "InvalidArnException": "arn:aws:s3:::b",
		"NotFoundException  ": "arn:aws:kms:us-east-1:123456789012:key/" + *made.KeyId, "AccessDeniedException": "arn:aws:kms:us-west-2:999999999999:key/" + *made.KeyId,
	} {
		_, err := s.at(west).DescribeKey(t.Context(), &sdk.DescribeKeyInput{KeyId: &ref})
		requireCode(t, strings.TrimSpace(want), err)
	}

	_, err := s.at(west).UpdateKeyDescription(t.Context(), &sdk.UpdateKeyDescriptionInput{KeyId: made.KeyId, Description: aws.String("new")})
	require.NoError(t, err)
	require.Equal(t, "new", *s.describe(t, west, *made.KeyId).Description)
	_, err = s.at(west).EnableKey(t.Context(), &sdk.EnableKeyInput{KeyId: aws.String("alias/records")})
	requireCode(t, "NotFoundException", err)
}

func TestContract_ListKeys_InPages(t *testing.T) {
	t.Parallel()
	s := open(t, 1, kms.Options{})
	for range 3 {
		s.key(t)
	}
	seen := map[string]bool{}
	for p := sdk.NewListKeysPaginator(s.at(west), &sdk.ListKeysInput{Limit: aws.Int32(2)}); p.HasMorePages(); {
		page, err := p.NextPage(t.Context())
		require.NoError(t, err)
		require.LessOrEqual(t, len(page.Keys), 2)
		for _, k := range page.Keys {
			seen[*k.KeyArn] = true
		}
	}
	require.Len(t, seen, 3)
	other, err := s.at(east).ListKeys(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, other.Keys)
}

func TestContract_CreateKey_RefusesWhatIsNotSimulatedOrMakesNoSense(t *testing.T) {
	t.Parallel()
	s := open(t, 1, kms.Options{})
	for want, in := range map[string]*sdk.CreateKeyInput{
		"UnsupportedOperationException":  {KeySpec: types.KeySpecRsa2048, KeyUsage: types.KeyUsageTypeSignVerify},
		"UnsupportedOperationException ": {Origin: types.OriginTypeExternal},
		"ValidationException":            {KeyUsage: types.KeyUsageTypeSignVerify},
		"TagException":                   {Tags: []types.Tag{{TagKey: aws.String("aws:x"), TagValue: aws.String("")}}},
	} {
		_, err := s.at(west).CreateKey(t.Context(), in)
		requireCode(t, strings.TrimSpace(want), err)
	}
	left, err := s.at(west).ListKeys(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, left.Keys)
}

func TestContract_Tags(t *testing.T) {
	t.Parallel()
	s := open(t, 1, kms.Options{})
	key := s.key(t).KeyId
	tag := func(name string) error {
		_, err := s.at(west).TagResource(t.Context(), &sdk.TagResourceInput{KeyId: key, Tags: []types.Tag{{TagKey: &name, TagValue: aws.String("v")}}})
		return err
	}
	require.NoError(t, tag("a"))
	require.NoError(t, tag("b"))
	_, err := s.at(west).UntagResource(t.Context(), &sdk.UntagResourceInput{KeyId: key, TagKeys: []string{"a", "nowhere"}})
	require.NoError(t, err)
	tags, err := s.at(west).ListResourceTags(t.Context(), &sdk.ListResourceTagsInput{KeyId: key})
	require.NoError(t, err)
	require.Len(t, tags.Tags, 1)
	require.Equal(t, "b", *tags.Tags[0].TagKey)
	for n := range 49 {
		require.NoError(t, tag(fmt.Sprint("k", n)))
	}
	requireCode(t, "LimitExceededException", tag("one more"))
}

func TestContract_Aliases(t *testing.T) {
	t.Parallel()
	s := open(t, 1, kms.Options{})
	one, two := s.key(t), s.key(t)
	s.alias(t, "alias/records", one.KeyId)
	create := func(name string, key *string) error {
		_, err := s.at(west).CreateAlias(t.Context(), &sdk.CreateAliasInput{AliasName: &name, TargetKeyId: key})
		return err
	}
	requireCode(t, "AlreadyExistsException", create("alias/records", two.KeyId))
	requireCode(t, "NotAuthorizedException", create("alias/aws/mine", one.KeyId))
	requireCode(t, "InvalidAliasNameException", create("records", one.KeyId))
	requireCode(t, "NotFoundException", create("alias/x", aws.String("alias/records")))
	for n := range 49 {
		s.alias(t, fmt.Sprint("alias/n", n), one.KeyId)
	}
	requireCode(t, "LimitExceededException", create("alias/one-more", one.KeyId))

	_, err := s.at(west).UpdateAlias(t.Context(), &sdk.UpdateAliasInput{AliasName: aws.String("alias/records"), TargetKeyId: two.KeyId})
	require.NoError(t, err)
	require.Equal(t, *two.Arn, *s.describe(t, west, "alias/records").Arn)
	_, err = s.at(west).UpdateAlias(t.Context(), &sdk.UpdateAliasInput{AliasName: aws.String("alias/nobody"), TargetKeyId: two.KeyId})
	requireCode(t, "NotFoundException", err)
	of, err := s.at(west).ListAliases(t.Context(), &sdk.ListAliasesInput{KeyId: two.KeyId})
	require.NoError(t, err)
	require.Len(t, of.Aliases, 1)

	for want, name := range map[string]string{"": "alias/records", "NotFoundException": "alias/nobody", "NotAuthorizedException": "alias/aws/s3"} {
		_, err = s.at(west).DeleteAlias(t.Context(), &sdk.DeleteAliasInput{AliasName: &name})
		if want == "" {
			require.NoError(t, err)
			continue
		}
		requireCode(t, want, err)
	}
	_, ok := s.kms.Usable(west, "alias/records")
	require.False(t, ok)
}

func TestContract_KeysOfAWS_AppearWhenAskedFor(t *testing.T) {
	t.Parallel()
	s := open(t, 1, kms.Options{})
	before, err := s.at(west).ListAliases(t.Context(), nil)
	require.NoError(t, err)
	names := map[string]bool{}
	for _, a := range before.Aliases {
		require.Nil(t, a.TargetKeyId)
		names[*a.AliasName] = true
	}
	for _, service := range []string{"backup", "s3", "sns", "rds", "ebs", "dynamodb"} {
		alias := "alias/aws/" + service
		require.True(t, names[alias], alias)
		got := s.describe(t, west, alias)
		require.Equal(t, types.KeyManagerTypeAws, got.KeyManager)
		require.Equal(t, *got.Arn, *s.describe(t, west, alias).Arn, "once made it stays")
		require.NotEqual(t, *got.KeyId, *s.describe(t, east, alias).KeyId, "each Region has its own")
		require.True(t, s.kms.Managed(west, *got.Arn))
	}
	require.False(t, s.kms.Managed(west, *s.key(t).Arn))
	_, err = s.at(west).DescribeKey(t.Context(), &sdk.DescribeKeyInput{KeyId: aws.String("alias/aws/nothing")})
	requireCode(t, "NotFoundException", err)

	own := s.describe(t, west, "alias/aws/s3").KeyId
	status, err := s.at(west).GetKeyRotationStatus(t.Context(), &sdk.GetKeyRotationStatusInput{KeyId: own})
	require.NoError(t, err)
	require.True(t, status.KeyRotationEnabled)
	calls := map[string]error{}
	_, calls["encrypt"] = s.at(west).Encrypt(t.Context(), &sdk.EncryptInput{KeyId: own, Plaintext: []byte("x")})
	_, calls["delete"] = s.at(west).ScheduleKeyDeletion(t.Context(), &sdk.ScheduleKeyDeletionInput{KeyId: own})
	_, calls["disable"] = s.at(west).DisableKey(t.Context(), &sdk.DisableKeyInput{KeyId: own})
	_, calls["policy"] = s.at(west).PutKeyPolicy(t.Context(), &sdk.PutKeyPolicyInput{KeyId: own, Policy: aws.String("{}"), BypassPolicyLockoutSafetyCheck: true})
	_, calls["alias"] = s.at(west).CreateAlias(t.Context(), &sdk.CreateAliasInput{AliasName: aws.String("alias/mine"), TargetKeyId: own})
	for name, err := range calls {
		require.Error(t, err, name)
		requireCode(t, "AccessDeniedException", err)
	}
}

func TestContract_Rotation_ChangesTheMaterialInAWSTime(t *testing.T) {
	t.Parallel()
	s := open(t, 86_400*1000, kms.Options{}) // a day is a millisecond
	key := s.key(t).KeyId
	status := func() *sdk.GetKeyRotationStatusOutput {
		out, err := s.at(west).GetKeyRotationStatus(t.Context(), &sdk.GetKeyRotationStatusInput{KeyId: key})
		require.NoError(t, err)
		return out
	}
	require.False(t, status().KeyRotationEnabled)
	old := s.encrypt(t, *key, "old")

	_, err := s.at(west).EnableKeyRotation(t.Context(), &sdk.EnableKeyRotationInput{KeyId: key, RotationPeriodInDays: aws.Int32(90)})
	require.NoError(t, err)
	require.True(t, status().KeyRotationEnabled)
	require.Equal(t, int32(90), *status().RotationPeriodInDays)
	require.Eventually(t, func() bool {
		return string(s.encrypt(t, *key, "new")[:40]) != string(old[:40])
	}, 10*time.Second, time.Millisecond, "the number of the backing key is in the header")
	require.Equal(t, "old", s.decrypt(t, west, old), "what is older stays readable")

	_, err = s.at(west).DisableKeyRotation(t.Context(), &sdk.DisableKeyRotationInput{KeyId: key})
	require.NoError(t, err)
	require.False(t, status().KeyRotationEnabled)
	_, err = s.at(west).EnableKeyRotation(t.Context(), &sdk.EnableKeyRotationInput{KeyId: key, RotationPeriodInDays: aws.Int32(30)})
	requireCode(t, "ValidationException", err)
}
