package backup

import (
	"regexp"

	"github.com/aws/aws-sdk-go/aws"

	"lifeline/local/aws/wire"
)

// principal is AWS Backup in a role's trust policy.
const principal = "backup.amazonaws.com"

// checkRole refuses what is no ARN of a role that lets AWS Backup in.
func (b *Backup) checkRole(arn *string) *wire.Error {
	text := aws.StringValue(arn)
	switch {
	case !regexp.MustCompile(`^arn:aws:iam::\d{12}:role/[\w+=,.@/-]+$`).MatchString(text):
		return invalid("Invalid role arn %s", text)
	case b.options.Roles != nil && !b.options.Roles.Trusts(text, principal):
		return invalid("IAM Role %s cannot be assumed by AWS Backup", text)
	default:
		return nil
	}
}
