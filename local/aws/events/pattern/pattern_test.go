package pattern_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lifeline/local/aws/events/pattern"
)

const event = `{"source":"aws.backup","account":"123456789012","resources":["arn:aws:rds:a","arn:aws:s3:b"],
	"detail":{"state":"FAILED","size":300,"ratio":3.0e2,"none":null,"ok":true,"ip":"10.1.2.3","empty":[],
	          "tags":[{"key":"app","value":"records"},{"key":"env","value":"prod"}],"deep":{"name":"Vault-West"}}}`

func TestMatch(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		`{"source":["aws.backup"]}`:                                                     true,
		`{"source":["aws.drs","aws.backup"]}`:                                           true,
		`{"source":["aws.drs"]}`:                                                        false,
		`{"nothing":["x"]}`:                                                             false,
		`{"resources":["arn:aws:s3:b"]}`:                                                true,
		`{"source":["aws.backup"],"detail":{"state":["COMPLETED"]}}`:                    false,
		`{"detail":{"deep":{"name":["Vault-West"]}}}`:                                   true,
		`{"detail":{"tags":{"key":["env"]}}}`:                                           true,
		`{"detail":{"state":[{"prefix":"FA"}]}}`:                                        true,
		`{"detail":{"state":[{"prefix":"fa"}]}}`:                                        false,
		`{"detail":{"state":[{"prefix":{"equals-ignore-case":"fa"}}]}}`:                 true,
		`{"detail":{"state":[{"suffix":"ED"}]}}`:                                        true,
		`{"detail":{"state":[{"equals-ignore-case":"failed"}]}}`:                        true,
		`{"detail":{"deep":{"name":[{"wildcard":"V*t-W*"}]}}}`:                          true,
		`{"detail":{"deep":{"name":[{"wildcard":"V*x-W*"}]}}}`:                          false,
		`{"detail":{"deep":{"name":[{"wildcard":"Vault\\*"}]}}}`:                        false,
		`{"detail":{"ip":[{"cidr":"10.0.0.0/8"}]}}`:                                     true,
		`{"detail":{"ip":[{"cidr":"11.0.0.0/8"}]}}`:                                     false,
		`{"detail":{"state":[{"anything-but":"COMPLETED"}]}}`:                           true,
		`{"detail":{"state":[{"anything-but":["COMPLETED","FAILED"]}]}}`:                false,
		`{"detail":{"state":[{"anything-but":{"prefix":"FA"}}]}}`:                       false,
		`{"detail":{"state":[{"anything-but":{"prefix":["X","Y"]}}]}}`:                  true,
		`{"detail":{"missing":[{"anything-but":"x"}]}}`:                                 false,
		`{"detail":{"size":[300]}}`:                                                     true,
		`{"detail":{"ratio":[300]}}`:                                                    false,
		`{"detail":{"ratio":[{"numeric":["=",300]}]}}`:                                  true,
		`{"detail":{"size":[{"numeric":[">",0,"<=",300]}]}}`:                            true,
		`{"detail":{"size":[{"numeric":[">",300]}]}}`:                                   false,
		`{"detail":{"state":[{"numeric":[">",0]}]}}`:                                    false,
		`{"detail":{"none":[null]}}`:                                                    true,
		`{"detail":{"missing":[null]}}`:                                                 false,
		`{"detail":{"ok":[true]}}`:                                                      true,
		`{"detail":{"ok":["true"]}}`:                                                    false,
		`{"detail":{"none":[{"exists":true}]}}`:                                         true,
		`{"detail":{"missing":[{"exists":false}]}}`:                                     true,
		`{"detail":{"state":[{"exists":false}]}}`:                                       false,
		`{"detail":{"nowhere":{"x":[{"exists":false}]}}}`:                               true,
		`{"$or":[{"source":["aws.drs"]},{"detail":{"state":["FAILED"]}}]}`:              true,
		`{"$or":[{"source":["aws.drs"]},{"detail":{"state":["DONE"]}}]}`:                false,
		`{"source":["aws.drs"],"$or":[{"account":["123456789012"]},{"account":["1"]}]}`: false,
	} {
		p, err := pattern.Parse(text)
		require.NoError(t, err, text)
		doc, err := pattern.Decode(event)
		require.NoError(t, err)
		require.Equal(t, want, p.Match(pattern.Normal(doc)), text)
		require.Equal(t, want, p.Match(pattern.Normal(doc)), "a second time: %s", text)
	}
}

func TestParse_Refusals(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`no json`:                   "not valid JSON",
		`{"source":["a"]} x`:        "more than one",
		`["a"]`:                     "not a JSON object",
		`{}`:                        "Empty objects",
		`{"detail":{}}`:             "detail: Empty objects",
		`{"source":"aws.backup"}`:   `"source" must be an object or an array`,
		`{"source":[]}`:             "source: Empty arrays",
		`{"source":[["a"]]}`:        "Match value must be",
		`{"source":[{"like":"a"}]}`: "Unrecognized match type like",
		`{"source":[{"prefix":"a","suffix":"b"}]}`:          "Only one key",
		`{"source":[{"prefix":1}]}`:                         "must be a string",
		`{"source":[{"exists":"yes"}]}`:                     "either true or false",
		`{"source":[{"cidr":"10.0.0.0"}]}`:                  "malformed CIDR",
		`{"source":[{"anything-but":[]}]}`:                  "must not be empty",
		`{"source":[{"anything-but":{"numeric":["=",1]}}]}`: "Unsupported anything-but",
		`{"n":[{"numeric":["=="," 5"]}]}`:                   "Bad numeric expression",
		`{"n":[{"numeric":["<",0,">",5]}]}`:                 "Bad numeric range",
		`{"n":[{"numeric":["="]}]}`:                         "one comparison or a range",
		`{"$or":[{"source":["a"]}]}`:                        "at least 2",
		`{"$or":["a","b"]}`:                                 "Only objects",
	} {
		_, err := pattern.Parse(text)
		require.ErrorContains(t, err, want, text)
	}
}
