package kms_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/kms"
	"lifeline/local/aws/world"
)

// encrypt encrypts in us-west-2.
func (s safe) encrypt(t *testing.T, key, text string) []byte {
	t.Helper()
	out, err := s.at(west).Encrypt(t.Context(), &sdk.EncryptInput{KeyId: &key, Plaintext: []byte(text)})
	require.NoError(t, err)
	return out.CiphertextBlob
}

func (s safe) decrypt(t *testing.T, region string, sealed []byte) string {
	t.Helper()
	out, err := s.at(region).Decrypt(t.Context(), &sdk.DecryptInput{CiphertextBlob: sealed})
	require.NoError(t, err)
	return string(out.Plaintext)
}

func TestEncrypt_IsRealAndTiedToKeyContextAndRegion(t *testing.T) {
	t.Parallel()
	s := open(t, 1, kms.Options{})
	key, other := s.key(t).KeyId, s.key(t).KeyId
	context := map[string]string{"table": "records", "app": "r"}
	sealed, err := s.at(west).Encrypt(t.Context(), &sdk.EncryptInput{KeyId: key, Plaintext: []byte("patient 7"), EncryptionContext: context})
	require.NoError(t, err)
	require.NotContains(t, string(sealed.CiphertextBlob), "patient")

	decrypt := func(region string, change func(*sdk.DecryptInput)) error {
		in := &sdk.DecryptInput{CiphertextBlob: append([]byte{}, sealed.CiphertextBlob...), EncryptionContext: context}
		change(in)
		out, err := s.at(region).Decrypt(t.Context(), in)
		if err == nil {
			require.Equal(t, "patient 7", string(out.Plaintext))
		}
		return err
	}
	require.NoError(t, decrypt(west, func(*sdk.DecryptInput) {}))
	require.NoError(t, decrypt(west, func(in *sdk.DecryptInput) { in.KeyId = key }))
	requireCode(t, "InvalidCiphertextException", decrypt(west, func(in *sdk.DecryptInput) { in.EncryptionContext = nil }))
	requireCode(t, "InvalidCiphertextException", decrypt(west, func(in *sdk.DecryptInput) { in.CiphertextBlob[len(in.CiphertextBlob)-1]++ }))
	requireCode(t, "InvalidCiphertextException", decrypt(west, func(in *sdk.DecryptInput) { in.CiphertextBlob = []byte("never encrypted") }))
	requireCode(t, "InvalidCiphertextException", decrypt(west, func(in *sdk.DecryptInput) { in.CiphertextBlob = in.CiphertextBlob[:41] }))
	requireCode(t, "IncorrectKeyException", decrypt(west, func(in *sdk.DecryptInput) { in.KeyId = other }))
	requireCode(t, "AccessDeniedException", decrypt(east, func(*sdk.DecryptInput) {}))
	requireCode(t, "InvalidKeyUsageException", decrypt(west, func(in *sdk.DecryptInput) { in.EncryptionAlgorithm = types.EncryptionAlgorithmSpecRsaesOaepSha256 }))
	_, err = s.at(west).Encrypt(t.Context(), &sdk.EncryptInput{KeyId: key, Plaintext: make([]byte, 4097)})
	requireCode(t, "ValidationException", err)
}

func TestGenerateDataKey_GivesTheKeyThatDecryptGives(t *testing.T) {
	t.Parallel()
	s := open(t, 1, kms.Options{})
	key := s.key(t).KeyId
	made, err := s.at(west).GenerateDataKey(t.Context(), &sdk.GenerateDataKeyInput{KeyId: key, KeySpec: types.DataKeySpecAes256})
	require.NoError(t, err)
	require.Len(t, made.Plaintext, 32)
	require.Equal(t, string(made.Plaintext), s.decrypt(t, west, made.CiphertextBlob))
	hidden, err := s.at(west).GenerateDataKeyWithoutPlaintext(t.Context(), &sdk.GenerateDataKeyWithoutPlaintextInput{KeyId: key, NumberOfBytes: aws.Int32(7)})
	require.NoError(t, err)
	require.Len(t, s.decrypt(t, west, hidden.CiphertextBlob), 7)

	_, err = s.at(west).GenerateDataKey(t.Context(), &sdk.GenerateDataKeyInput{KeyId: key})
	requireCode(t, "ValidationException", err)
}

func TestDisabledAndDoomedKeys_DoNothing(t *testing.T) {
	t.Parallel()
	s := open(t, 1, kms.Options{})
	key := s.key(t)
	sealed := s.encrypt(t, *key.KeyId, "x")
	refusals := func(want string) {
		t.Helper()
		_, err := s.at(west).Encrypt(t.Context(), &sdk.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x")})
		requireCode(t, want, err)
		_, err = s.at(west).Decrypt(t.Context(), &sdk.DecryptInput{CiphertextBlob: sealed})
		requireCode(t, want, err)
		_, err = s.at(west).GenerateDataKey(t.Context(), &sdk.GenerateDataKeyInput{KeyId: key.KeyId, KeySpec: types.DataKeySpecAes128})
		requireCode(t, want, err)
		_, err = s.at(west).EnableKeyRotation(t.Context(), &sdk.EnableKeyRotationInput{KeyId: key.KeyId})
		requireCode(t, want, err)
		_, ok := s.kms.Usable(west, *key.Arn)
		require.False(t, ok)
		require.Error(t, s.kms.Check(west, *key.Arn))
	}
	_, err := s.at(west).DisableKey(t.Context(), &sdk.DisableKeyInput{KeyId: key.KeyId})
	require.NoError(t, err)
	refusals("DisabledException")
	_, err = s.at(west).EnableKey(t.Context(), &sdk.EnableKeyInput{KeyId: key.KeyId})
	require.NoError(t, err)
	require.Equal(t, "x", s.decrypt(t, west, sealed))

	doom := func(days int32) error {
		_, err := s.at(west).ScheduleKeyDeletion(t.Context(), &sdk.ScheduleKeyDeletionInput{KeyId: key.KeyId, PendingWindowInDays: &days})
		return err
	}
	requireCode(t, "ValidationException", doom(6))
	requireCode(t, "ValidationException", doom(31))
	require.NoError(t, doom(7))
	require.WithinDuration(t, time.Now().AddDate(0, 0, 7), *s.describe(t, west, *key.KeyId).DeletionDate, time.Minute*90)
	refusals("KMSInvalidStateException")
	requireCode(t, "KMSInvalidStateException", doom(7))
	_, err = s.at(west).CreateAlias(t.Context(), &sdk.CreateAliasInput{AliasName: aws.String("alias/x"), TargetKeyId: key.KeyId})
	requireCode(t, "KMSInvalidStateException", err)
	_, err = s.at(west).EnableKey(t.Context(), &sdk.EnableKeyInput{KeyId: key.KeyId})
	requireCode(t, "KMSInvalidStateException", err)

	cancel := func() error {
		_, err := s.at(west).CancelKeyDeletion(t.Context(), &sdk.CancelKeyDeletionInput{KeyId: key.KeyId})
		return err
	}
	require.NoError(t, cancel())
	require.Equal(t, types.KeyStateDisabled, s.describe(t, west, *key.KeyId).KeyState, "saved, but not in use")
	requireCode(t, "KMSInvalidStateException", cancel())
}

func TestDeletion_TakesTheKeyAndItsAliasesAfterTheWindow(t *testing.T) {
	t.Parallel()
	s := open(t, 86_400*100, kms.Options{}) // a day is 10 ms
	key := s.key(t)
	s.alias(t, "alias/records", key.KeyId)
	_, err := s.at(west).ScheduleKeyDeletion(t.Context(), &sdk.ScheduleKeyDeletionInput{KeyId: key.KeyId, PendingWindowInDays: aws.Int32(7)})
	require.NoError(t, err)

	gone := func(ref string) func() bool {
		return func() bool {
			_, err := s.at(west).DescribeKey(t.Context(), &sdk.DescribeKeyInput{KeyId: &ref})
			return err != nil && strings.Contains(err.Error(), "NotFoundException")
		}
	}
	require.Eventually(t, gone(*key.KeyId), 10*time.Second, time.Millisecond)
	require.True(t, gone("alias/records")())
}

func TestMultiRegionKey_IsReadableWhereAReplicaIs(t *testing.T) {
	t.Parallel()
	s := open(t, 1000, kms.Options{})
	first := s.key(t, func(in *sdk.CreateKeyInput) { in.MultiRegion = aws.Bool(true) })
	require.Regexp(t, `^mrk-[0-9a-f]{32}$`, *first.KeyId)
	sealed := s.encrypt(t, *first.KeyId, "x")
	replicate := func(key *string, region string) (*sdk.ReplicateKeyOutput, error) {
		return s.at(west).ReplicateKey(t.Context(), &sdk.ReplicateKeyInput{KeyId: key, ReplicaRegion: &region, Description: aws.String("replica")})
	}
	_, err := replicate(s.key(t).KeyId, east)
	requireCode(t, "UnsupportedOperationException", err)
	_, err = replicate(first.KeyId, west)
	requireCode(t, "ValidationException", err)
	_, err = replicate(first.KeyId, "eu-west-1")
	requireCode(t, "ValidationException", err)
	s.world.Inject(world.Fault{ID: "cut", Kind: world.Partition, Region: east, Peer: west})
	_, err = replicate(first.KeyId, east)
	requireCode(t, "KMSInternalException", err)
	s.world.Remove("cut")

	made, err := replicate(first.KeyId, east)
	require.NoError(t, err)
	require.Equal(t, "arn:aws:kms:us-east-1:123456789012:key/"+*first.KeyId, *made.ReplicaKeyMetadata.Arn)
	require.Equal(t, types.KeyStateCreating, made.ReplicaKeyMetadata.KeyState)
	_, err = replicate(first.KeyId, east)
	requireCode(t, "AlreadyExistsException", err)
	require.Eventually(t, s.inState(t, east, *first.KeyId, types.KeyStateEnabled), 10*time.Second, time.Millisecond)
	require.Equal(t, "x", s.decrypt(t, east, sealed))
	relatives := s.describe(t, east, *first.KeyId).MultiRegionConfiguration
	require.Equal(t, types.MultiRegionKeyTypeReplica, relatives.MultiRegionKeyType)
	require.Equal(t, *first.Arn, *relatives.PrimaryKey.Arn)
	require.Len(t, relatives.ReplicaKeys, 1)
	require.Empty(t, *s.describe(t, west, *first.KeyId).Description, "each has its own description")
	_, err = s.at(east).EnableKeyRotation(t.Context(), &sdk.EnableKeyRotationInput{KeyId: first.KeyId})
	requireCode(t, "UnsupportedOperationException", err)

	_, err = s.at(west).UpdatePrimaryRegion(t.Context(), &sdk.UpdatePrimaryRegionInput{KeyId: first.KeyId, PrimaryRegion: aws.String(east)})
	require.NoError(t, err)
	require.Eventually(t, s.inState(t, east, *first.KeyId, types.KeyStateEnabled), 10*time.Second, time.Millisecond)
	require.Equal(t, types.MultiRegionKeyTypePrimary, s.describe(t, east, *first.KeyId).MultiRegionConfiguration.MultiRegionKeyType)
}

func TestMultiRegionKey_PrimaryOutlivesItsReplicas(t *testing.T) {
	t.Parallel()
	s := open(t, 86_400*20, kms.Options{}) // a day is 50 ms
	first := s.key(t, func(in *sdk.CreateKeyInput) { in.MultiRegion = aws.Bool(true) }).KeyId
	_, err := s.at(west).ReplicateKey(t.Context(), &sdk.ReplicateKeyInput{KeyId: first, ReplicaRegion: aws.String(east)})
	require.NoError(t, err)
	require.Eventually(t, s.inState(t, east, *first, types.KeyStateEnabled), 10*time.Second, time.Millisecond)

	out, err := s.at(west).ScheduleKeyDeletion(t.Context(), &sdk.ScheduleKeyDeletionInput{KeyId: first, PendingWindowInDays: aws.Int32(30)})
	require.NoError(t, err)
	require.Equal(t, types.KeyStatePendingReplicaDeletion, out.KeyState)
	require.Nil(t, out.DeletionDate)
	_, err = s.at(east).ScheduleKeyDeletion(t.Context(), &sdk.ScheduleKeyDeletionInput{KeyId: first, PendingWindowInDays: aws.Int32(7)})
	require.NoError(t, err)
	require.Eventually(t, s.inState(t, west, *first, types.KeyStatePendingDeletion), 10*time.Second, time.Millisecond)
}

const (
	account  = "arn:aws:iam::123456789012:root"
	onlyUser = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/%s"},"Action":"kms:*","Resource":"*"}]}`
)

func TestKeyPolicy_DecidesWhoMayUseTheKey(t *testing.T) {
	t.Parallel()
	s := open(t, 1, kms.Options{})
	key := s.key(t).KeyId
	put := func(c *sdk.Client, text string, bypass bool) error {
		_, err := c.PutKeyPolicy(t.Context(), &sdk.PutKeyPolicyInput{KeyId: key, Policy: &text, BypassPolicyLockoutSafetyCheck: bypass})
		return err
	}
	got, err := s.at(west).GetKeyPolicy(t.Context(), &sdk.GetKeyPolicyInput{KeyId: key})
	require.NoError(t, err)
	require.Contains(t, *got.Policy, account, "the policy of a key for which none is given")

	requireCode(t, "MalformedPolicyDocumentException", put(s.at(west), `{"Version":"2012-10-17"}`, false))
	requireCode(t, "MalformedPolicyDocumentException", put(s.at(west), strings.Replace(onlyUser, "%s", "AKIAOTHER", 1), false))
	requireCode(t, "LimitExceededException", put(s.at(west), onlyUser+strings.Repeat(" ", 32*1024), false))
	require.NoError(t, put(s.at(west), strings.Replace(onlyUser, "%s", "AKIATEST", 1), false))
	_, err = s.as("AKIAOTHER").Encrypt(t.Context(), &sdk.EncryptInput{KeyId: key, Plaintext: []byte("x")})
	requireCode(t, "AccessDeniedException", err)
	_, err = s.as("AKIAOTHER").DescribeKey(t.Context(), &sdk.DescribeKeyInput{KeyId: key})
	requireCode(t, "AccessDeniedException", err)

	require.NoError(t, put(s.at(west), strings.Replace(onlyUser, "%s", "AKIAOTHER", 1), true), "who bypasses the check locks himself out")
	requireCode(t, "AccessDeniedException", put(s.at(west), strings.Replace(onlyUser, "%s", "AKIATEST", 1), false))
	_, err = s.as("AKIAOTHER").Encrypt(t.Context(), &sdk.EncryptInput{KeyId: key, Plaintext: []byte("x")})
	require.NoError(t, err)
	_, err = s.at(west).CreateKey(t.Context(), &sdk.CreateKeyInput{Policy: aws.String(strings.Replace(onlyUser, "%s", "AKIAOTHER", 1))})
	requireCode(t, "MalformedPolicyDocumentException", err)
	_, err = s.as("AKIAOTHER").GetKeyPolicy(t.Context(), &sdk.GetKeyPolicyInput{KeyId: key, PolicyName: aws.String("other")})
	requireCode(t, "NotFoundException", err)
}

// people know one role, taken by AKIATEST.
type people struct{}

func (people) RoleExists(arn string) bool { return arn == "arn:aws:iam::123456789012:role/ops" }

func (people) Principals(string) []string {
	return []string{"arn:aws:sts::123456789012:assumed-role/ops/me", "arn:aws:iam::123456789012:role/ops"}
}

func TestKeyPolicy_KnowsRolesAndWhoHasTakenThem(t *testing.T) {
	t.Parallel()
	s := open(t, 1, kms.Options{Roles: people{}, Callers: people{}})
	of := func(role string) *string {
		return aws.String(strings.Replace(onlyUser, "user/%s", "role/"+role, 1))
	}
	_, err := s.at(west).CreateKey(t.Context(), &sdk.CreateKeyInput{Policy: of("nobody"), BypassPolicyLockoutSafetyCheck: true})
	requireCode(t, "MalformedPolicyDocumentException", err)
	made, err := s.at(west).CreateKey(t.Context(), &sdk.CreateKeyInput{Policy: of("ops")})
	require.NoError(t, err)
	s.encrypt(t, *made.KeyMetadata.KeyId, "x")
}

func TestAllows_SaysWhetherAServiceMayUseTheKey(t *testing.T) {
	t.Parallel()
	s := open(t, 1, kms.Options{})
	plain := *s.key(t).KeyId
	shared := *s.key(t, func(in *sdk.CreateKeyInput) {
		in.Policy = aws.String(`{"Version":"2012-10-17","Statement":[
			{"Effect":"Allow","Principal":{"AWS":"` + account + `"},"Action":"kms:*","Resource":"*"},
			{"Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"},"Action":["kms:Decrypt","kms:GenerateDataKey*"],"Resource":"*",
			 "Condition":{"StringEquals":{"aws:SourceAccount":"123456789012"}}}]}`)
	}).KeyId
	const service = "cloudwatch.amazonaws.com"

	require.False(t, s.kms.Allows(west, plain, service, "kms:Decrypt"), "the account's own statement lets no service in")
	require.True(t, s.kms.Allows(west, shared, service, "kms:Decrypt"))
	require.True(t, s.kms.Allows(west, shared, service, "kms:GenerateDataKey"))
	require.False(t, s.kms.Allows(west, shared, service, "kms:Encrypt"))
	require.False(t, s.kms.Allows(west, shared, "events.amazonaws.com", "kms:Decrypt"))
	require.False(t, s.kms.Allows(east, shared, service, "kms:Decrypt"))
	require.False(t, s.kms.Allows(west, "alias/aws/sns", service, "kms:Decrypt"))
	require.True(t, s.kms.Allows(west, plain, "arn:aws:iam::123456789012:role/ops", "kms:Decrypt"))
}
