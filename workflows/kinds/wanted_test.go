package kinds

import (
	"maps"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

func TestWants_CoverOnlyWhatThePlanSays_InItsOwnAccount(t *testing.T) {
	t.Parallel()
	p, problems := plan.Load(filepath.Join("..", "..", "examples", "patient-records.yaml"))
	require.NoError(t, problems.Err())
	s := Site{Plan: p, Account: "123456789012"}
	all, err := Items(s)
	require.NoError(t, err)
	known := map[string]map[string]string{}
	var vault runbook.Item
	for _, item := range all {
		known[item.ID()] = map[string]string{"arn": "arn:aws:kms:us-west-2:123456789012:key/1"}
		if item.Type == "backup-vault" {
			vault = item
		}
	}
	w, err := NewWants(s)
	require.NoError(t, err)
	require.NoError(t, w.Cover(all), "as they are in a preview")
	ready, _ := vault.Resolve(known)
	require.NotEqual(t, vault, ready)
	require.NoError(t, w.Cover([]runbook.Item{ready}))

	with := func(change func(*runbook.Item)) runbook.Item {
		item := ready
		item.Want = maps.Clone(ready.Want)
		change(&item)
		return item
	}
	for title, item := range map[string]runbook.Item{
		"an item of nobody's plan": {Type: "iam-role", Region: "us-east-1", Name: "admin", Want: map[string]string{"trust": "{}"}},
		"a key of another account": with(func(i *runbook.Item) { i.Want["key"] = "arn:aws:kms:us-west-2:999999999999:key/1" }),
		"one property more":        with(func(i *runbook.Item) { i.Want["policy"] = "{}" }),
		"given, and to be made":    with(func(i *runbook.Item) { i.Given = true }),
	} {
		require.Error(t, w.Cover([]runbook.Item{item}), title)
	}
	role := ""
	for _, item := range all {
		if item.Type == "iam-role" {
			item.Want = maps.Clone(item.Want)
			item.Want["trust"] = `{"Statement":[]}`
			require.ErrorContains(t, w.Cover([]runbook.Item{item}), "trust of iam-role/")
			role = item.Name
		}
	}
	require.NotEmpty(t, role)
}

// What is put in the place of a reference stays inside the string that it stands in.
func TestWants_ReferenceInADocument_TakesOneWord(t *testing.T) {
	t.Parallel()
	s := Site{Account: "123456789012"}
	const text = `{"Key":"${kms-key/r/k#arn}","Topic":"${sns-topic/r/t#arn}"}`
	for value, ok := range map[string]bool{
		text: true,
		`{"Key":"arn:aws:kms:r:123456789012:key/1","Topic":"arn:aws:sns:r:123456789012:t"}`: true,
		`{"Key":"","Topic":""}`:                   true,
		`{"Key":"a","Topic":"b"} `:                false,
		`{"Key":"a","Topic":"b","Principal":"*"}`: false,
		`{"Key":"a","Principal":"*","Topic":"b"}`: false,
		"{\"Key\":\"a\nb\",\"Topic\":\"b\"}":      false,
		`{"Topic":"b"}`:                           false,
		`{"Key":"arn:aws:kms:r:999999999999:key/1","Topic":"arn:aws:sns:r:123456789012:t"}`: false,
		`{"Key":"arn:aws:iam::aws:policy/x","Topic":"b arn:aws:sns:r:123456789012:t"}`:      true,
		`{"Key":"x arn:aws:sns:r:123456789012:t arn:aws:sns:r:210987654321:t","Topic":"b"}`: false,
	} {
		require.Equal(t, ok, s.stands(text, value), value)
	}
	require.True(t, s.stands("as it is", "as it is"))
	require.False(t, s.stands("as it is", "otherwise"))
	require.False(t, s.stands("${aws:username}", "root"), "AWS's own variables stand for themselves")
}
