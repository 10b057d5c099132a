package drs

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/drs/types"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

// Properties of how a server replicates, of templates and of servers alike.
const (
	subnet       = "subnet"
	groups       = "security-groups"
	defaultGroup = "default-security-group"
	encryption   = "encryption"
	key          = "key"
	routing      = "routing"
	publicIP     = "public-ip"
	points       = "points"
)

// staging is how a server replicates: what templates and servers have in common.
// AWS repeats it in five types.
type staging struct {
	Subnet       *string
	Groups       []string
	DefaultGroup *bool
	Encryption   types.ReplicationConfigurationEbsEncryption
	Key          *string
	Routing      types.ReplicationConfigurationDataPlaneRouting
	PublicIP     *bool
	Points       []types.PITPolicyRule
}

// properties are the canonical form of what AWS answered.
func (s staging) properties() map[string]string {
	return map[string]string{
		subnet: aws.ToString(s.Subnet), groups: runbook.List(s.Groups...), defaultGroup: strconv.FormatBool(aws.ToBool(s.DefaultGroup)),
		encryption: string(s.Encryption), key: aws.ToString(s.Key), routing: string(s.Routing),
		publicIP: strconv.FormatBool(aws.ToBool(s.PublicIP)), points: pointsOf(s.Points),
	}
}

// point is a rule of the policy of points in time, as items write it.
type point struct {
	ID       int64  `json:"ruleID"`
	Units    string `json:"units"`
	Interval int32  `json:"interval"`
	Keep     int32  `json:"retentionDuration"`
	Enabled  bool   `json:"enabled"`
}

func pointsOf(rules []types.PITPolicyRule) string {
	out := []point{}
	for _, r := range rules {
		out = append(out, point{ID: r.RuleID, Units: string(r.Units), Interval: aws.ToInt32(r.Interval), Keep: aws.ToInt32(r.RetentionDuration), Enabled: aws.ToBool(r.Enabled)})
	}
	return runbook.Document(out)
}

// different is what has to be sent: wanted properties that are otherwise. The
// rest is left out, and AWS keeps it.
func different(item runbook.Item, have runbook.ItemState) (staging, error) {
	var out staging
	for _, d := range item.Difference(have) {
		switch d.Name {
		case subnet:
			out.Subnet = aws.String(d.Want)
		case groups:
			out.Groups = words(d.Want)
		case defaultGroup:
			out.DefaultGroup = aws.Bool(d.Want == "true")
		case encryption, key:
			out.Encryption = types.ReplicationConfigurationEbsEncryption(item.Want[encryption])
			out.Key = aws.String(item.Want[key])
		case routing:
			out.Routing = types.ReplicationConfigurationDataPlaneRouting(d.Want)
		case publicIP:
			out.PublicIP = aws.Bool(d.Want == "true")
		case points:
			var rules []point
			if err := json.Unmarshal([]byte(d.Want), &rules); err != nil {
				return out, cloud.Errorf(cloud.Invalid, "points in time of %s: %w", item.Name, err)
			}
			for _, r := range rules {
				out.Points = append(out.Points, types.PITPolicyRule{
					RuleID: r.ID, Units: types.PITPolicyRuleUnits(r.Units), Interval: aws.Int32(r.Interval), RetentionDuration: aws.Int32(r.Keep), Enabled: aws.Bool(r.Enabled),
				})
			}
		}
	}
	return out, nil
}

// words takes a list apart. An empty one is sent as such, to take groups off.
func words(list string) []string {
	if list == "" {
		return []string{}
	}
	return strings.Split(list, "\n")
}
