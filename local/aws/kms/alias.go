package kms

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/kms"
	"github.com/google/uuid"

	"lifeline/local/aws/iam/policy"
	"lifeline/local/aws/wire"
)

const (
	aliasPrefix = "alias/"
	ownPrefix   = "alias/aws/"
	maxAliases  = 50 // of one key
)

// alias is a name of a key in its Region.
type alias struct {
	key              *key
	created, changed time.Time
}

// services are those whose AWS managed key appears when somebody asks for it.
func services() []string {
	return []string{"backup", "dynamodb", "ebs", "lambda", "rds", "s3", "secretsmanager", "sns", "sqs", "ssm"}
}

// byAlias gives the key behind a name, and makes an AWS managed one that isn't
// there yet; k.mu is held.
func (k *KMS) byAlias(region, name string) (*key, error) {
	if a, ok := k.aliases[place{region, name}]; ok {
		return a.key, nil
	}
	if service, own := strings.CutPrefix(name, ownPrefix); own && slices.Contains(services(), service) {
		return k.makeOwn(region, service)
	}
	return nil, notFound("Alias %s is not found.", k.arn(region, name))
}

// makeOwn makes the AWS managed key of a service.
func (k *KMS) makeOwn(region, service string) (*key, error) {
	made := k.build(region, uuid.NewString(), &family{primary: region, members: map[string]*key{}})
	made.service, made.description = service, "Default key that protects my data when no other key is defined, for "+service
	made.policy = k.ownPolicy(region, service)
	var err error
	if made.document, err = policy.Parse(made.policy, policy.Resource); err != nil {
		return nil, fmt.Errorf("policy of the AWS managed key for %s: %w", service, err)
	}
	made.rotate()
	made.rotation = rotation{on: true, days: yearly}
	k.add(made)
	k.plan(made)
	k.aliases[place{region, ownPrefix + service}] = &alias{key: made, created: made.created, changed: made.created}
	return made, nil
}

// ownPolicy lets everybody in the account use the key through its service, and
// nobody change it.
func (k *KMS) ownPolicy(region, service string) string {
	via := service
	if service == "ebs" {
		via = "ec2"
	}
	return fmt.Sprintf(`{"Version":"2012-10-17","Id":"auto-%[1]s-1","Statement":[
{"Sid":"Allow access through the service for all principals in the account","Effect":"Allow","Principal":{"AWS":"*"},
 "Action":["kms:Encrypt","kms:Decrypt","kms:ReEncrypt*","kms:GenerateDataKey*","kms:CreateGrant","kms:DescribeKey"],"Resource":"*",
 "Condition":{"StringEquals":{"kms:CallerAccount":"%[2]s","kms:ViaService":"%[3]s.%[4]s.amazonaws.com"}}},
{"Sid":"Allow direct access to key metadata to the account","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::%[2]s:root"},
 "Action":["kms:Describe*","kms:Get*","kms:List*","kms:RevokeGrant"],"Resource":"*"}]}`, service, k.world.Account(), via, region)
}

// checkAlias refuses names that aren't a customer's.
func checkAlias(name string) error {
	switch {
	case !strings.HasPrefix(name, aliasPrefix) || name == aliasPrefix:
		return refuse(sdk.ErrCodeInvalidAliasNameException, "Alias must start with the prefix \"%s\". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html", aliasPrefix)
	case strings.HasPrefix(name, ownPrefix):
		return refuse("NotAuthorizedException", "The prefix %s is reserved for AWS managed keys", ownPrefix)
	case strings.Contains(name, ":"):
		return refuse(sdk.ErrCodeInvalidAliasNameException, "Alias contains invalid characters for an alias")
	}
	return nil
}

// CreateAlias names a key.
func (k *KMS) CreateAlias(c *wire.Call, in *sdk.CreateAliasInput) (*sdk.CreateAliasOutput, error) {
	if err := checkAlias(*in.AliasName); err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, taken := k.aliases[place{c.Region, *in.AliasName}]; taken {
		return nil, refuse(sdk.ErrCodeAlreadyExistsException, "An alias with the name %s already exists", k.arn(c.Region, *in.AliasName))
	}
	target, err := k.named(c, in.TargetKeyId)
	if err != nil {
		return nil, err
	}
	k.aliases[place{c.Region, *in.AliasName}] = &alias{key: target, created: k.now(), changed: k.now()}
	return nil, nil
}

// named gives a key that may get one more alias.
func (k *KMS) named(c *wire.Call, ref *string) (*key, error) {
	target, err := k.open(c, ref, present()...)
	if err != nil {
		return nil, err
	}
	names := 0
	for _, a := range k.aliases {
		if a.key == target {
			names++
		}
	}
	if names >= maxAliases {
		return nil, refuse(sdk.ErrCodeLimitExceededException, "%s has %d aliases, which is the most", target.arn, maxAliases)
	}
	return target, nil
}

// UpdateAlias makes a name mean another key.
func (k *KMS) UpdateAlias(c *wire.Call, in *sdk.UpdateAliasInput) (*sdk.UpdateAliasOutput, error) {
	if err := checkAlias(*in.AliasName); err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	a, ok := k.aliases[place{c.Region, *in.AliasName}]
	if !ok {
		return nil, notFound("Alias %s is not found.", k.arn(c.Region, *in.AliasName))
	}
	target, err := k.named(c, in.TargetKeyId)
	if err != nil {
		return nil, err
	}
	a.key, a.changed = target, k.now()
	return nil, nil
}

// DeleteAlias takes a name away; its key stays.
func (k *KMS) DeleteAlias(c *wire.Call, in *sdk.DeleteAliasInput) (*sdk.DeleteAliasOutput, error) {
	if err := checkAlias(*in.AliasName); err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	at := place{c.Region, *in.AliasName}
	a, ok := k.aliases[at]
	if !ok {
		return nil, notFound("Alias %s is not found.", k.arn(c.Region, *in.AliasName))
	}
	if err := k.admit(c, a.key); err != nil {
		return nil, err
	}
	delete(k.aliases, at)
	return nil, nil
}

// ListAliases lists the Region's names, or those of one key. The names of AWS
// managed keys that don't exist yet are among them, without a key.
func (k *KMS) ListAliases(c *wire.Call, in *sdk.ListAliasesInput) (*sdk.ListAliasesOutput, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var only *key
	if in.KeyId != nil {
		var err error
		if only, err = k.find(c.Region, *in.KeyId, false); err != nil {
			return nil, err
		}
	}
	var all []*sdk.AliasListEntry
	for at, a := range k.aliases {
		if at.region == c.Region && (only == nil || only == a.key) {
			all = append(all, &sdk.AliasListEntry{
				AliasName: aws.String(at.name), AliasArn: aws.String(k.arn(at.region, at.name)), TargetKeyId: aws.String(a.key.id),
				CreationDate: aws.Time(a.created), LastUpdatedDate: aws.Time(a.changed),
			})
		}
	}
	for _, service := range services() {
		name := ownPrefix + service
		if _, ok := k.aliases[place{c.Region, name}]; !ok && only == nil {
			all = append(all, &sdk.AliasListEntry{AliasName: aws.String(name), AliasArn: aws.String(k.arn(c.Region, name))})
		}
	}
	found, next, more, err := page(in.Marker, in.Limit, 100, all, func(e *sdk.AliasListEntry) string { return *e.AliasName })
	return &sdk.ListAliasesOutput{Aliases: found, NextMarker: next, Truncated: more}, err
}
