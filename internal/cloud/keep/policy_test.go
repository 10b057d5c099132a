package keep_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud/keep"
)

func TestSamePolicy_AsAWSGivesDocumentsBack(t *testing.T) {
	t.Parallel()
	want := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["b","a"]},"Action":["s3:GetObject"],"Resource":"*"}]}`
	same := `{
		"Statement": {"Sid": "", "Action": "s3:GetObject", "Effect": "Allow", "Principal": {"Service": ["a", "b", "a"]}, "Resource": ["*"]},
		"Version": "2012-10-17"}`
	require.Equal(t, want, keep.SamePolicy(want, same))

	other := keep.SamePolicy(want, `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}}`)
	require.JSONEq(t, `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}}`, other)
	require.Equal(t, "broken", keep.SamePolicy(want, "broken"))
}

func TestPolicy_StatementsOfOthersStay(t *testing.T) {
	t.Parallel()
	const ours = `{"Sid":"Ours","Effect":"Allow","Principal":"*","Action":["a","b"],"Resource":"*"}`
	p, err := keep.ParsePolicy(`{"Version":"2008-10-17","Id":"x","Statement":{"Sid":"Theirs","Effect":"Deny","Principal":"*","Action":"c","Resource":"*"}}`)
	require.NoError(t, err)
	require.Empty(t, p.Statement(ours))

	both, err := p.With(ours)
	require.NoError(t, err)
	letterByLetter := both.Statement(ours) == ours
	require.True(t, letterByLetter, both.Statement(ours))
	require.JSONEq(t, `{"Version":"2008-10-17","Id":"x","Statement":[
		{"Sid":"Theirs","Effect":"Deny","Principal":"*","Action":"c","Resource":"*"},
		{"Sid":"Ours","Effect":"Allow","Principal":"*","Action":["a","b"],"Resource":"*"}]}`, both.String())

	changed, err := both.With(`{"Sid":"Ours","Effect":"Allow","Principal":"*","Action":"a","Resource":"*"}`)
	require.NoError(t, err)
	require.NotEqual(t, ours, changed.Statement(ours))
	require.NotEmpty(t, changed.Statement(ours))
	require.Equal(t, 1, strings.Count(changed.String(), "Ours"))
}

func TestParsePolicy(t *testing.T) {
	t.Parallel()
	fresh, err := keep.ParsePolicy("")
	require.NoError(t, err)
	require.True(t, fresh.Bare())
	fresh, err = fresh.With(`{"Sid":"A","Effect":"Allow"}`)
	require.NoError(t, err)
	require.JSONEq(t, `{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow"}]}`, fresh.String())

	for _, broken := range []string{"{", `"text"`} {
		_, err := keep.ParsePolicy(broken)
		require.Error(t, err)
	}
	_, err = fresh.With(`{"Effect":"Allow"}`)
	require.ErrorContains(t, err, "a statement without Sid")
	_, err = fresh.With(`{`)
	require.Error(t, err)
}

func TestPolicyUnion_OfSomebodysRole(t *testing.T) {
	t.Parallel()
	theirs := `{"Version":"2012-10-17","Statement":{"Sid":"x","Effect":"Allow","Principal":{"Service":["a"]},"Action":"sts:AssumeRole"}}`
	ours := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"a"},"Action":"sts:AssumeRole"},{"Effect":"Allow","Principal":{"Service":"b"},"Action":"sts:AssumeRole"}]}`
	require.False(t, keep.PolicyIncludes(theirs, ours))
	both, err := keep.PolicyUnion(theirs, ours)
	require.NoError(t, err)
	require.JSONEq(t, `{"Version":"2012-10-17","Statement":[
		{"Sid":"x","Effect":"Allow","Principal":{"Service":["a"]},"Action":"sts:AssumeRole"},
		{"Effect":"Allow","Principal":{"Service":"b"},"Action":"sts:AssumeRole"}]}`, both)
	require.True(t, keep.PolicyIncludes(both, ours))
	require.False(t, keep.PolicyIncludes("{", ours))
	_, err = keep.PolicyUnion(theirs, "{")
	require.Error(t, err)
}
