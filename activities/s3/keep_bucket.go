package s3

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

// tag is the prefix of tags among the properties of a bucket.
const tag = "tag/"

// readBucket asks for the tags: one answer says whether the bucket is there,
// where, whose it is, and how it is marked.
func (k keeper) readBucket(ctx context.Context, at cloud.At, item runbook.Item) (runbook.ItemState, error) {
	in := &sdk.GetBucketTaggingInput{Bucket: bucketOf(item)}
	if owner := item.Want["owner"]; owner != "" {
		// Names are one space over all accounts: nothing is sent to a stranger's bucket.
		in.ExpectedBucketOwner = aws.String(owner)
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).GetBucketTagging, in)
	state := runbook.ItemState{Found: true, Have: map[string]string{"owner": item.Want["owner"], "region": string(at.Region)}}
	state.Out = map[string]string{"arn": "arn:aws:s3:::" + item.Name, "name": item.Name}
	switch {
	case code(err) == "NoSuchBucket":
		return runbook.ItemState{}, nil
	case slices.Contains([]string{"PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}, code(err)):
		state.Have["region"] = "another Region"
	case cloud.KindOf(err) == cloud.Denied:
		// One bucket that isn't ours must not keep the others from being read.
		state.Have["owner"] = "somebody else, or the permission s3:GetBucketTagging is missing"
	case err != nil && code(err) != "NoSuchTagSet":
		return state, err
	case err == nil:
		for _, t := range out.TagSet {
			state.Have[tag+aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
	}
	return state, nil
}

// writeBucket makes the bucket, and marks it.
func (k keeper) writeBucket(ctx context.Context, at cloud.At, item runbook.Item, have runbook.ItemState) (string, error) {
	request := ""
	if !have.Found {
		var err error
		if request, err = k.create(ctx, at, item); err != nil {
			return "", err
		}
	}
	if !slices.ContainsFunc(tagsOf(item), func(name string) bool { return have.Have[name] != item.Want[name] }) {
		return request, nil
	}
	tags := map[string]string{}
	for _, from := range []map[string]string{have.Have, item.Want} {
		for name, value := range from {
			if key, ok := strings.CutPrefix(name, tag); ok {
				tags[key] = value
			}
		}
	}
	in := &sdk.PutBucketTaggingInput{Bucket: bucketOf(item), Tagging: &types.Tagging{}}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		in.Tagging.TagSet = append(in.Tagging.TagSet, types.Tag{Key: aws.String(key), Value: aws.String(tags[key])})
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).PutBucketTagging, in)
	if err != nil {
		return "", fmt.Errorf("tags of bucket %s: %w", item.Name, err)
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

func tagsOf(item runbook.Item) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(item.Want)), func(n string) bool { return !strings.HasPrefix(n, tag) })
}

func (k keeper) create(ctx context.Context, at cloud.At, item runbook.Item) (string, error) {
	in := &sdk.CreateBucketInput{Bucket: aws.String(item.Name)}
	if at.Region != "us-east-1" { // the one Region that takes no constraint
		in.CreateBucketConfiguration = &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(at.Region)}
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).CreateBucket, in)
	switch code(err) {
	case "BucketAlreadyOwnedByYou":
		return "", nil // by a call whose answer was lost
	case "BucketAlreadyExists":
		return "", cloud.Errorf(cloud.Invalid, "bucket %s belongs to another account: names are one space over all accounts, so choose another: %w", item.Name, err)
	}
	if err != nil {
		return "", fmt.Errorf("create bucket %s: %w", item.Name, err)
	}
	return cloud.RequestID(out.ResultMetadata), nil
}
