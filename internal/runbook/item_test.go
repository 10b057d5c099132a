package runbook

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestItem_References(t *testing.T) {
	t.Parallel()
	item := Item{Want: map[string]string{
		"one":    "${kms-key/r/alias/k#arn}",
		"inside": `{"a":"${sns-topic/r/t#arn}","b":"${kms-key/r/alias/k#id}"}`,
		"theirs": "${aws:SourceAccount} and ${sns-topic/r/u#arn}",
		"none":   "$ { } ${#x} ${y#} ${",
	}}
	require.Equal(t, []string{"kms-key/r/alias/k", "sns-topic/r/t", "sns-topic/r/u"}, item.Refers())

	known := map[string]map[string]string{"kms-key/r/alias/k": {"arn": "K", "id": "1"}, "sns-topic/r/t": {"other": "x"}}
	got, open := item.Resolve(known)
	require.Equal(t, []string{"sns-topic/r/t#arn", "sns-topic/r/u#arn"}, open)
	require.Equal(t, map[string]string{
		"one":    "K",
		"inside": `{"a":"${sns-topic/r/t#arn}","b":"1"}`,
		"theirs": "${aws:SourceAccount} and ${sns-topic/r/u#arn}",
		"none":   "$ { } ${#x} ${y#} ${",
	}, got.Want)
	require.Equal(t, "${kms-key/r/alias/k#arn}", item.Want["one"], "the item itself stays")

	known["sns-topic/r/t"]["arn"], known["sns-topic/r/u"] = "${not#again}", map[string]string{"arn": ""}
	got, open = item.Resolve(known)
	require.Empty(t, open)
	require.JSONEq(t, `{"a":"${not#again}","b":"1"}`, got.Want["inside"], "what was put in is text")
	require.Equal(t, "${aws:SourceAccount} and ", got.Want["theirs"])
}

func TestDocument_IsCanonical(t *testing.T) {
	t.Parallel()
	type struct2 struct {
		B string `json:"b"`
		A string `json:"a,omitempty"`
	}
	for want, v := range map[string]any{
		`{"a":["x","<&>"],"b":{"c":1,"d":null,"e":true}}`: map[string]any{"b": map[string]any{"d": nil, "e": true, "c": 1}, "a": []string{"x", "<&>"}},
		`{"a":"1","b":"2"}`:            map[string]string{"b": "2", "a": "1"},
		`{"a":"2","b":"1"}`:            struct2{"1", "2"},
		`[{"a":"2","b":"1"},{"x":[]}]`: []any{struct2{"1", "2"}, map[string]any{"x": []any{}}},
		`{"list":[{"a":"2","b":"1"}]}`: map[string]any{"list": []struct2{{"1", "2"}}},
		`""`:                           "",
	} {
		got := Document(v)
		require.Equal(t, want, got)
		again, err := CanonicalDocument(got)
		require.NoError(t, err)
		require.Equal(t, got, again, "what AWS answers compares equal")
	}
}
