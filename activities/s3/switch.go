package s3

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

// EvacuateByObject puts the switch object. The inverted health check on it then
// turns the evacuated Region's records unhealthy. Only the surviving Region's
// data plane is needed.
func (s *Steps) EvacuateByObject(ctx context.Context, in ObjectSwitch) (runbook.Outcome, error) {
	outcome, err := runbook.Act{
		Check: func(ctx context.Context) (bool, string, error) { return s.present(ctx, in, true) },
		Do: func(ctx context.Context) (string, error) {
			out, err := cloud.Call(ctx, in.at(), s.Clients(in.Region).PutObject, &sdk.PutObjectInput{
				Bucket: aws.String(in.Bucket), Key: aws.String(in.Key),
				ContentType: aws.String("text/plain"),
				Body:        strings.NewReader("evacuated by Lifeline at " + stamp(s.Now()) + ", token " + in.Token + "\n"),
			})
			if err != nil {
				return "", err
			}
			return cloud.RequestID(out.ResultMetadata), nil
		},
		Would: "PutObject " + in.String(),
	}.Run(ctx, in.DryRun)
	if err != nil {
		return runbook.Outcome{}, fmt.Errorf("evacuate by object %s: %w", in, err)
	}
	return outcome, nil
}

// ReturnByObject deletes the switch object: the Region may serve again.
func (s *Steps) ReturnByObject(ctx context.Context, in ObjectSwitch) (runbook.Outcome, error) {
	outcome, err := runbook.Act{
		Check: func(ctx context.Context) (bool, string, error) { return s.present(ctx, in, false) },
		Do: func(ctx context.Context) (string, error) {
			out, err := cloud.Call(ctx, in.at(), s.Clients(in.Region).DeleteObject,
				&sdk.DeleteObjectInput{Bucket: aws.String(in.Bucket), Key: aws.String(in.Key)})
			if err != nil {
				return "", err
			}
			return cloud.RequestID(out.ResultMetadata), nil
		},
		Would: "DeleteObject " + in.String(),
	}.Run(ctx, in.DryRun)
	if err != nil {
		return runbook.Outcome{}, fmt.Errorf("return by object %s: %w", in, err)
	}
	return outcome, nil
}

// present says whether the object's presence is as wanted.
func (s *Steps) present(ctx context.Context, in ObjectSwitch, want bool) (bool, string, error) {
	_, err := cloud.Call(ctx, in.at(), s.Clients(in.Region).HeadObject,
		&sdk.HeadObjectInput{Bucket: aws.String(in.Bucket), Key: aws.String(in.Key)})
	switch {
	case err == nil:
		return want, in.String() + " is there", nil
	case absent(err):
		return !want, in.String() + " is not there", nil
	default:
		return false, "", err
	}
}

func (in ObjectSwitch) at() cloud.At { return cloud.At{Region: in.Region, Timeout: in.Timeout} }

// String is the object's address.
func (in ObjectSwitch) String() string {
	return fmt.Sprintf("s3://%s/%s in %s", in.Bucket, in.Key, in.Region)
}
