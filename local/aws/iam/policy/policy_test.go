package policy_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lifeline/local/aws/iam/policy"
)

func TestParse_RefusesInAWSsWords(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`not json`:                 "invalid Json",
		`[]`:                       "invalid Json",
		`{"Version":"2012-10-17"}`: "Syntax errors",
		`{"Version":"2011-01-01","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`:                                                                       "Syntax errors",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Maybe","Action":"s3:*","Resource":"*"}]}`:                                                                       "Syntax errors",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Actions":"s3:*","Resource":"*"}]}`:                                                                      "Syntax errors",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","NotAction":"s3:*","Resource":"*"}]}`:                                                    "Syntax errors",
		`{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`:                                                                                              "version 2012-10-17 or greater",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*"}]}`:                                                                                      "must contain resources",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Resource":"*"}]}`:                                                                                       "must contain actions",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"GetObject","Resource":"*"}]}`:                                                                  "prefaced by a vendor",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"bucket"}]}`:                                                                  "must be in ARN format",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}]}`:                                                       "should not specify a principal",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"Like":{"a:b":1}}}]}`:                                        "Invalid Condition type",
		`{"Version":"2012-10-17","Statement":[{"Sid":"a b","Effect":"Allow","Action":"s3:*","Resource":"*"}]}`:                                                           "must be alpha-numeric",
		`{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Action":"s3:*","Resource":"*"},{"Sid":"a","Effect":"Allow","Action":"s3:*","Resource":"*"}]}`: "must be unique",
	} {
		_, err := policy.Parse(text, policy.Identity)
		require.ErrorContains(t, err, want, text)
	}
	for text, want := range map[string]string{
		`{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole"}}`:                                  "Missing required field Principal",
		`{"Statement":{"Effect":"Allow","Principal":{"Service":"backup"},"Action":"sts:AssumeRole"}}`: `Invalid principal in policy: "SERVICE":"backup"`,
		`{"Statement":{"Effect":"Allow","Principal":{"Robot":"x"},"Action":"sts:AssumeRole"}}`:        "Invalid principal",
		`{"Statement":{"Effect":"Allow","Principal":"me","Action":"sts:AssumeRole"}}`:                 "Syntax errors",
		`{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject"}}`:                    "only specify STS",
		`{"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*"}}`:   "prohibited field Resource",
	} {
		_, err := policy.Parse(text, policy.Trust)
		require.ErrorContains(t, err, want, text)
	}
}

func parse(t *testing.T, text string) policy.Document {
	t.Helper()
	d, err := policy.Parse(text, policy.Resource)
	require.NoError(t, err)
	return d
}

func TestAllows_DenyBeatsAllow_AndNothingIsNo(t *testing.T) {
	t.Parallel()
	d := parse(t, `{"Statement":[
		{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":["s3:Get*","s3:?ut"],"Resource":"arn:aws:s3:::b/*"},
		{"Effect":"Deny","Principal":"*","Action":"s3:GetSecret","Resource":"*"}]}`)
	me := policy.Identities([]string{"arn:aws:iam::123456789012:user/me"})
	ask := func(who []policy.Principal, action, resource string) bool {
		return d.Allows(policy.Request{Principals: who, Action: action, Resource: resource})
	}

	require.True(t, ask(me, "s3:getobject", "arn:aws:s3:::b/a/deep/key"), "actions ignore case, * passes slashes")
	require.True(t, ask(me, "s3:Put", "arn:aws:s3:::b/k"))
	require.False(t, ask(me, "s3:GetSecret", "arn:aws:s3:::b/k"))
	require.False(t, ask(me, "s3:GetObject", "arn:aws:s3:::c/k"))
	require.False(t, ask(policy.Identities([]string{"arn:aws:iam::999999999999:user/you"}), "s3:GetObject", "arn:aws:s3:::b/k"))
	require.False(t, ask([]policy.Principal{policy.Service("backup.amazonaws.com")}, "s3:GetObject", "arn:aws:s3:::b/k"),
		"an account's principals aren't a service")
}

func TestAllows_NotElements(t *testing.T) {
	t.Parallel()
	d := parse(t, `{"Statement":[
		{"Effect":"Allow","Principal":"*","NotAction":"kms:Delete*","NotResource":"arn:x"},
		{"Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::123456789012:role/ops"},"Action":"kms:Put*","Resource":"*"}]}`)
	ops := policy.Identities([]string{"arn:aws:sts::123456789012:assumed-role/ops/me", "arn:aws:iam::123456789012:role/ops"})
	other := policy.Identities([]string{"arn:aws:iam::123456789012:user/me"})

	require.True(t, d.Allows(policy.Request{Principals: ops, Action: "kms:PutKeyPolicy", Resource: "arn:y"}))
	require.False(t, d.Allows(policy.Request{Principals: other, Action: "kms:PutKeyPolicy", Resource: "arn:y"}))
	require.False(t, d.Allows(policy.Request{Principals: ops, Action: "kms:DeleteAlias", Resource: "arn:y"}))
	require.False(t, d.Allows(policy.Request{Principals: ops, Action: "kms:PutKeyPolicy", Resource: "arn:x"}))
}

func TestAllows_Conditions(t *testing.T) {
	t.Parallel()
	for condition, want := range map[string]bool{
		`{"StringEquals":{"AWS:sourceaccount":["1","2"]}}`:                                  true,
		`{"StringEquals":{"aws:SourceAccount":"3"}}`:                                        false,
		`{"StringNotEquals":{"aws:SourceAccount":"3"}}`:                                     true,
		`{"StringNotEquals":{"aws:SourceAccount":["3","2"]}}`:                               false,
		`{"StringEquals":{"aws:Else":"3"}}`:                                                 false,
		`{"StringEqualsIfExists":{"aws:Else":"3"}}`:                                         true,
		`{"StringNotEquals":{"aws:Else":"3"}}`:                                              true,
		`{"ArnLike":{"aws:SourceArn":"arn:aws:backup:*:2:*"}}`:                              true,
		`{"ArnLike":{"aws:SourceArn":"arn:aws:backup:*:3:*"}}`:                              false,
		`{"Null":{"aws:Else":"true"}}`:                                                      true,
		`{"Null":{"aws:Else":"false"}}`:                                                     false,
		`{"Bool":{"aws:SecureTransport":true}}`:                                             true,
		`{"IpAddress":{"aws:SecureTransport":"10.0.0.0/8"}}`:                                false,
		`{"StringEquals":{"sts:ExternalId":"anything"}}`:                                    true,
		`{"StringEquals":{"aws:SourceAccount":"2"},"Bool":{"aws:SecureTransport":"false"}}`: false,
	} {
		d := parse(t, `{"Statement":{"Effect":"Allow","Principal":"*","Action":"sns:Publish","Resource":"*","Condition":`+condition+`}}`)
		require.Equal(t, want, d.Allows(policy.Request{
			Action: "sns:Publish", Resource: "arn", Open: []string{"sts:ExternalID"},
			Context: map[string]string{"aws:SourceAccount": "2", "aws:SourceArn": "arn:aws:backup:us-east-1:2:vault", "aws:SecureTransport": "true"},
		}), condition)
	}
}
