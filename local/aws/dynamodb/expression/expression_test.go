package expression_test

import (
	"testing"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/dynamodb/expression"
)

func str(s string) *expression.Value { return &expression.Value{S: aws.String(s)} }
func num(s string) *expression.Value { return &expression.Value{N: aws.String(s)} }

func lease() expression.Item {
	return expression.Item{
		"application": str("patient-records"),
		"holder":      str("us-east-1"),
		"epoch":       num("7"),
		"tags":        {SS: aws.StringSlice([]string{"a", "b"})},
		"history":     {L: []*expression.Value{num("1"), num("2"), num("3")}},
		"detail":      {M: expression.Item{"nested": {M: expression.Item{"deep": str("x")}}}},
		"live":        {BOOL: aws.Bool(true)},
	}
}

func params() *expression.Params {
	return expression.NewParams(
		map[string]*string{"#s": aws.String("status"), "#e": aws.String("epoch")},
		map[string]*expression.Value{
			":me": str("us-east-1"), ":other": str("us-west-2"), ":seven": num("7.0"), ":six": num("6"), ":nine": num("9"),
			":us": str("us-"), ":N": str("N"), ":a": str("a"), ":one": num("1"), ":three": num("3"), ":true": {BOOL: aws.Bool(true)},
			":list": {L: []*expression.Value{num("4")}}, ":set": {SS: aws.StringSlice([]string{"b", "c"})}, ":map": {M: expression.Item{}},
		})
}

func TestCondition_Holds(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]bool{
		"holder = :me AND epoch = :seven":                      true,
		"holder = :me AND #e = :six":                           false,
		"holder = :other OR #e > :six":                         true,
		"NOT holder = :me":                                     false,
		"not (holder = :other) and epoch <> :six":              true,
		"holder = :other AND epoch = :six OR epoch = :seven":   true, // AND binds closer
		"holder = :other AND (epoch = :six OR epoch = :seven)": false,
		"attribute_exists(holder)":                             true,
		"attribute_not_exists(holder)":                         false,
		"attribute_not_exists(#s)":                             true,
		"attribute_not_exists(detail.nested.gone)":             true,
		"attribute_exists(detail.nested.deep)":                 true,
		"attribute_exists(history[2])":                         true,
		"attribute_exists(history[3])":                         false,
		"epoch BETWEEN :six AND :nine AND holder = :me":        true,
		"epoch BETWEEN :nine AND :six":                         false,
		"epoch IN (:six, :seven)":                              true,
		"holder IN (:other)":                                   false,
		"begins_with(holder, :us)":                             true,
		"begins_with(holder, :other)":                          false,
		"contains(tags, :a)":                                   true,
		"contains(history, :three)":                            true,
		"contains(tags, :us)":                                  false,
		"attribute_type(epoch, :N)":                            true,
		"size(history) = :three":                               true,
		"size(holder) > :nine":                                 false, // "us-east-1" has nine letters
		"epoch > :me":                                          false, // different types have no order
		"absent <> :me":                                        true,
		"absent = :me":                                         false,
		"absent < :six":                                        false,
		"live = :true":                                         true,
	} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			c, err := expression.ParseCondition(&source, params())
			require.NoError(t, err)
			require.Equal(t, want, c.Holds(lease()))
		})
	}
}

func TestCondition_OnMissingItem(t *testing.T) {
	t.Parallel()
	c, err := expression.ParseCondition(aws.String("attribute_not_exists(application)"), params())
	require.NoError(t, err)
	require.True(t, c.Holds(nil))
}

func TestCondition_Refused(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"":                            "can not be empty",
		"holder = ":                   `Syntax error; token: "<EOF>"`,
		"holder == :me":               "Syntax error",
		"holder = :me AND":            "Syntax error",
		"(holder = :me":               "Syntax error",
		"holder = :me)":               "Syntax error",
		"status = :me":                "reserved keyword; reserved keyword: status",
		"#nope = :me":                 "not defined; attribute name: #nope",
		"holder = :nope":              "not defined; attribute value: :nope",
		"attribute_exists(:me)":       "requires a document path",
		"begins_with(holder)":         "Incorrect number of operands",
		"holder ! :me":                "Syntax error",
		"history[x] = :one":           "Syntax error",
		"attribute_exists holder":     "Syntax error",
		"holder BETWEEN :six OR :one": "Syntax error",
	} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			_, err := expression.ParseCondition(&source, params())
			require.ErrorContains(t, err, want)
		})
	}
}

func TestParams_UnusedPlaceholders(t *testing.T) {
	t.Parallel()
	p := expression.NewParams(map[string]*string{"#a": aws.String("x")}, map[string]*expression.Value{":v": num("1"), ":w": num("2")})
	_, err := expression.ParseCondition(aws.String("#a = :v"), p)
	require.NoError(t, err)
	require.ErrorContains(t, p.Unused(), "ExpressionAttributeValues unused in expressions: keys: {:w}")
}

func TestUpdate_Apply(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		source string
		path   string
		want   *expression.Value // nil: gone
	}{
		{"SET holder = :other", "holder", str("us-west-2")},
		{"SET epoch = epoch + :one", "epoch", num("8")},
		{"SET epoch = epoch - :nine", "epoch", num("-2")},
		{"SET fresh = if_not_exists(fresh, :one) + :one", "fresh", num("2")},
		{"SET epoch = if_not_exists(epoch, :one)", "epoch", num("7")},
		{"SET history = list_append(history, :list)", "history", &expression.Value{L: []*expression.Value{num("1"), num("2"), num("3"), num("4")}}},
		{"SET history[1] = :nine", "history", &expression.Value{L: []*expression.Value{num("1"), num("9"), num("3")}}},
		{"SET detail.nested.deep = :me", "detail", &expression.Value{M: expression.Item{"nested": {M: expression.Item{"deep": str("us-east-1")}}}}},
		{"REMOVE holder", "holder", nil},
		{"REMOVE history[0], history[2]", "history", &expression.Value{L: []*expression.Value{num("2")}}},
		{"remove detail.nested.deep", "detail", &expression.Value{M: expression.Item{"nested": {M: expression.Item{}}}}},
		{"ADD epoch :one", "epoch", num("8")},
		{"ADD tally :one", "tally", num("1")},
		{"ADD tags :set", "tags", &expression.Value{SS: aws.StringSlice([]string{"a", "b", "c"})}},
		{"DELETE tags :set", "tags", &expression.Value{SS: aws.StringSlice([]string{"a"})}},
		{"SET #s = epoch, epoch = :nine REMOVE holder", "status", num("7")}, // reads the item as it was
	} {
		t.Run(c.source, func(t *testing.T) {
			t.Parallel()
			u, err := expression.ParseUpdate(&c.source, params())
			require.NoError(t, err)
			before := lease()
			after, err := u.Apply(before)
			require.NoError(t, err)
			require.True(t, expression.Equal(c.want, after[c.path]), "%s", after[c.path])
			require.Equal(t, lease(), before, "the item given must stay as it was")
		})
	}
}

func TestUpdate_ExactDecimals(t *testing.T) {
	t.Parallel()
	p := expression.NewParams(nil, map[string]*expression.Value{":d": num("0.1")})
	u, err := expression.ParseUpdate(aws.String("SET x = x + :d"), p)
	require.NoError(t, err)
	after, err := u.Apply(expression.Item{"x": num("99999999999999999999.2")})
	require.NoError(t, err)
	require.Equal(t, "99999999999999999999.3", *after["x"].N)
}

func TestUpdate_Refused(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"holder = :me":                          "Syntax error",
		"SET holder":                            "Syntax error",
		"SET holder = :me SET epoch = :six":     `The "SET" section can only be used once`,
		"SET detail = :me, detail.nested = :me": "Two document paths overlap",
		"SET region = :me":                      "reserved keyword; reserved keyword: region",
	} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			_, err := expression.ParseUpdate(&source, params())
			require.ErrorContains(t, err, want)
		})
	}
}

func TestUpdate_RefusedByItem(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"SET x = absent":                     "does not exist in the item",
		"SET x = absent + :one":              "does not exist in the item",
		"SET gone.nested = :one":             "document path provided in the update expression is invalid",
		"ADD holder :one":                    "incorrect data type",
		"ADD epoch :a":                       "incorrect data type",
		"DELETE tags :one":                   "incorrect data type",
		"SET x = list_append(holder, :list)": "does not exist in the item",
	} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			u, err := expression.ParseUpdate(&source, params())
			require.NoError(t, err)
			_, err = u.Apply(lease())
			require.ErrorContains(t, err, want)
		})
	}
}

func TestProjection_Of(t *testing.T) {
	t.Parallel()
	p, err := expression.ParseProjection(aws.String("holder, history[1], detail.nested.deep, absent"), params())
	require.NoError(t, err)
	require.Equal(t, expression.Item{
		"holder":  str("us-east-1"),
		"history": {L: []*expression.Value{num("2")}},
		"detail":  {M: expression.Item{"nested": {M: expression.Item{"deep": str("x")}}}},
	}, p.Of(lease()))
}

func TestNumber_Limits(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "x", "1/3", "0x10", "1e126", "1_000", "123456789012345678901234567890123456789"} {
		_, err := expression.Number(bad)
		require.Error(t, err, bad)
	}
	r, err := expression.Number("1.50e2")
	require.NoError(t, err)
	require.Equal(t, "150", expression.FormatNumber(r))
}
