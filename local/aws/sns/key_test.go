package sns_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	kmsapi "github.com/aws/aws-sdk-go-v2/service/kms"
	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/kms"
	"lifeline/local/aws/sns"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// vault is an SNS whose topics are encrypted with the keys of a real KMS.
type vault struct {
	scene
	keys *kmsapi.Client // in us-west-2
}

func encrypted(t *testing.T) vault {
	t.Helper()
	w := world.New(world.Options{})
	t.Cleanup(w.Close)
	keys := kms.New(w, kms.Options{})
	s := sns.New(w, sns.Options{Keys: keys})
	server := httptest.NewServer(wire.NewServer(w, s.Wire(), keys.Wire()))
	t.Cleanup(server.Close)
	as := credentials.NewStaticCredentialsProvider("AKIATEST", "secret", "")
	return vault{
		scene: scene{world: w, sns: s, at: func(region string) *sdk.Client {
			return sdk.New(sdk.Options{Region: region, BaseEndpoint: &server.URL, RetryMaxAttempts: 1, Credentials: as})
		}},
		keys: kmsapi.New(kmsapi.Options{Region: "us-west-2", BaseEndpoint: &server.URL, RetryMaxAttempts: 1, Credentials: as}),
	}
}

// key makes a key that lets a service in; "" lets nobody but the account in.
func (v vault) key(t *testing.T, service string, actions ...string) string {
	t.Helper()
	in := &kmsapi.CreateKeyInput{}
	if service != "" {
		in.Policy = aws.String(`{"Version":"2012-10-17","Statement":[
			{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"kms:*","Resource":"*"},
			{"Effect":"Allow","Principal":{"Service":"` + service + `"},"Action":["` + strings.Join(actions, `","`) + `"],"Resource":"*"}]}`)
	}
	out, err := v.keys.CreateKey(t.Context(), in)
	require.NoError(t, err)
	return *out.KeyMetadata.Arn
}

func TestAct_CustomersKey_LetsAlarmsInOnlyByItsPolicy(t *testing.T) {
	t.Parallel()
	v := encrypted(t)
	for name, c := range map[string]struct {
		key  string
		want string
	}{
		"open":      {v.key(t, "cloudwatch.amazonaws.com", "kms:Decrypt", "kms:GenerateDataKey*"), ""},
		"plain":     {"", ""},
		"default":   {v.key(t, ""), "KMSAccessDenied"},
		"half":      {v.key(t, "cloudwatch.amazonaws.com", "kms:Decrypt"), "kms:GenerateDataKey"},
		"otherHalf": {v.key(t, "cloudwatch.amazonaws.com", "kms:GenerateDataKey*"), "kms:Decrypt"},
		"other":     {v.key(t, "events.amazonaws.com", "kms:Decrypt", "kms:GenerateDataKey*"), "KMSAccessDenied"},
		"ofAWS":     {"alias/aws/sns", "AWS managed key"},
		"foreign":   {"arn:aws:kms:us-east-1:123456789012:key/11111111-1111-1111-1111-111111111111", "KMSNotFound"},
	} {
		arn := v.topic(t, name, map[string]string{"KmsMasterKeyId": c.key})
		err := v.sns.Act("us-west-2", arn, "ALARM", "{}")
		if c.want == "" {
			require.NoError(t, err, name)
			require.Len(t, v.sns.Messages(arn), 1, name)
			continue
		}
		require.ErrorContains(t, err, c.want, name)
		require.Empty(t, v.sns.Messages(arn), name)
	}
}

func TestPublish_KeyThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	v := encrypted(t)
	key := v.key(t, "")
	arn := v.topic(t, "page", map[string]string{"KmsMasterKeyId": key})
	publish := func() error {
		_, err := v.at("us-west-2").Publish(t.Context(), &sdk.PublishInput{TopicArn: &arn, Message: aws.String("m")})
		return err
	}
	require.NoError(t, publish())
	_, err := v.keys.DisableKey(t.Context(), &kmsapi.DisableKeyInput{KeyId: &key})
	require.NoError(t, err)
	requireCode(t, "KMSDisabled", publish())
	_, err = v.keys.ScheduleKeyDeletion(t.Context(), &kmsapi.ScheduleKeyDeletionInput{KeyId: &key})
	require.NoError(t, err)
	requireCode(t, "KMSInvalidState", publish())
	require.Len(t, v.sns.Messages(arn), 1)
}

func TestNotify_NeedsTheTopicsPolicyAndTheKeys(t *testing.T) {
	t.Parallel()
	v := encrypted(t)
	const service = "events.amazonaws.com"
	arn := v.topic(t, "events", map[string]string{"KmsMasterKeyId": v.key(t, "")})
	set := func(attribute, value string) error {
		_, err := v.at("us-west-2").SetTopicAttributes(t.Context(), &sdk.SetTopicAttributesInput{TopicArn: &arn, AttributeName: &attribute, AttributeValue: &value})
		return err
	}
	notify := func() error { return v.sns.Notify("us-west-2", arn, service, "", "m") }

	require.ErrorContains(t, notify(), "AuthorizationError", "the default policy lets no service in")
	requireCode(t, "InvalidParameter", set("Policy", `{"Statement":[]}`))
	require.NoError(t, set("Policy", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"`+service+`"},"Action":"sns:Publish","Resource":"`+arn+`"}]}`))
	require.ErrorContains(t, notify(), "KMSAccessDenied")
	require.NoError(t, set("KmsMasterKeyId", v.key(t, service, "kms:Decrypt", "kms:GenerateDataKey*")))
	require.NoError(t, notify())
	require.ErrorContains(t, v.sns.Notify("us-west-2", arn, "backup.amazonaws.com", "", "m"), "AuthorizationError")

	messages := v.sns.Messages(arn)
	require.Len(t, messages, 1)
	require.Equal(t, service, messages[0].Caller)
}
