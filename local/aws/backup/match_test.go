package backup

import (
	"testing"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/backup"
	"github.com/stretchr/testify/require"
)

func TestTakes_WhatASelectionAssigns(t *testing.T) {
	t.Parallel()
	table := Resource{ARN: "arn:aws:dynamodb:us-east-1:123456789012:table/records", Type: "DynamoDB", Tags: map[string]string{"app": "records", "tier": "1"}}
	bucket := Resource{ARN: "arn:aws:s3:::documents", Type: "S3", Tags: map[string]string{"app": "records"}}
	aurora := Resource{ARN: "arn:aws:rds:us-east-1:123456789012:cluster:orders", Type: "Aurora", Tags: map[string]string{"app": "records"}}
	byTag := []*sdk.Condition{{ConditionType: aws.String("STRINGEQUALS"), ConditionKey: aws.String("app"), ConditionValue: aws.String("records")}}
	where := func(key, value string) []*sdk.ConditionParameter {
		return []*sdk.ConditionParameter{{ConditionKey: aws.String("aws:ResourceTag/" + key), ConditionValue: aws.String(value)}}
	}
	all := aws.StringSlice([]string{"*"})
	for name, c := range map[string]struct {
		selection sdk.Selection
		optIn     map[string]bool
		takes     []bool // table, bucket, Aurora
	}{
		"by name":                           {sdk.Selection{Resources: aws.StringSlice([]string{table.ARN})}, nil, []bool{true, false, false}},
		"by name, opted out":                {sdk.Selection{Resources: aws.StringSlice([]string{table.ARN, bucket.ARN})}, map[string]bool{"DynamoDB": false}, []bool{true, true, false}},
		"by wildcard":                       {sdk.Selection{Resources: aws.StringSlice([]string{"arn:aws:dynamodb:*:*:table/rec*"})}, nil, []bool{true, false, false}},
		"Aurora by name, opted out":         {sdk.Selection{Resources: aws.StringSlice([]string{aurora.ARN})}, map[string]bool{"Aurora": false}, []bool{false, false, false}},
		"Aurora by name, opted in":          {sdk.Selection{Resources: aws.StringSlice([]string{aurora.ARN})}, nil, []bool{false, false, true}},
		"everything opted in":               {sdk.Selection{Resources: all}, nil, []bool{true, false, true}},
		"everything but":                    {sdk.Selection{Resources: all, NotResources: aws.StringSlice([]string{"arn:aws:rds:*"})}, map[string]bool{"S3": true}, []bool{true, true, false}},
		"by tag, S3 not opted in":           {sdk.Selection{ListOfTags: byTag}, nil, []bool{true, false, true}},
		"by tag, S3 opted in":               {sdk.Selection{ListOfTags: byTag}, map[string]bool{"S3": true}, []bool{true, true, true}},
		"name or tag":                       {sdk.Selection{Resources: aws.StringSlice([]string{bucket.ARN}), ListOfTags: byTag}, map[string]bool{"DynamoDB": false}, []bool{false, true, true}},
		"name and condition":                {sdk.Selection{Resources: aws.StringSlice([]string{table.ARN, bucket.ARN}), Conditions: &sdk.Conditions{StringEquals: where("tier", "1")}}, nil, []bool{true, false, false}},
		"condition alone":                   {sdk.Selection{Conditions: &sdk.Conditions{StringLike: where("app", "rec*")}}, nil, []bool{true, false, true}},
		"not equal to a tag that isn't":     {sdk.Selection{Resources: all, Conditions: &sdk.Conditions{StringNotEquals: where("tier", "1")}}, nil, []bool{false, false, true}},
		"not like":                          {sdk.Selection{Resources: all, Conditions: &sdk.Conditions{StringNotLike: where("app", "rec*")}}, nil, []bool{false, false, false}},
		"all conditions hold, not just one": {sdk.Selection{Resources: all, Conditions: &sdk.Conditions{StringEquals: where("app", "records"), StringNotLike: where("tier", "*")}}, nil, []bool{false, false, true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &region{settings: newSettings()}
			for kind, on := range c.optIn {
				r.settings.optIn[kind] = on
			}
			for i, res := range []Resource{table, bucket, aurora} {
				require.Equal(t, c.takes[i], r.takes(&c.selection, res), res.Type)
			}
		})
	}
}
