package s3

import (
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/s3"

	"lifeline/local/aws/wire"
)

func malformed() error {
	return refuse(http.StatusBadRequest, "MalformedXML",
		"The XML you provided was not well-formed or did not validate against our published schema")
}

// PutBucketVersioning switches versions on, or stops making new ones.
func (s *S3) PutBucketVersioning(c *wire.Call, in *sdk.PutBucketVersioningInput) (*sdk.PutBucketVersioningOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.change(c, in.Bucket)
	if err != nil {
		return nil, err
	}
	status := aws.StringValue(in.VersioningConfiguration.Status)
	switch {
	case status != sdk.BucketVersioningStatusEnabled && status != sdk.BucketVersioningStatusSuspended:
		return nil, malformed()
	case status == sdk.BucketVersioningStatusSuspended && b.replication != nil:
		return nil, refuse(http.StatusConflict, "InvalidBucketState",
			"A replication configuration is present on this bucket, so the versioning state cannot be changed.")
	}
	b.versioning = status
	return nil, nil
}

// GetBucketVersioning tells whether versions are made; nothing when they never were.
func (s *S3) GetBucketVersioning(c *wire.Call, in *sdk.GetBucketVersioningInput) (*sdk.GetBucketVersioningOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.open(c, in.Bucket)
	if err != nil || b.versioning == "" {
		return nil, err
	}
	return &sdk.GetBucketVersioningOutput{Status: aws.String(b.versioning)}, nil
}

// PutBucketEncryption sets how new objects are encrypted.
func (s *S3) PutBucketEncryption(c *wire.Call, in *sdk.PutBucketEncryptionInput) (*sdk.PutBucketEncryptionOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.change(c, in.Bucket)
	if err != nil {
		return nil, err
	}
	rules := in.ServerSideEncryptionConfiguration.Rules
	if len(rules) != 1 || rules[0].ApplyServerSideEncryptionByDefault == nil {
		return nil, malformed()
	}
	// Whether the key exists and may be used is found out when an object is
	// written, as on AWS.
	byDefault := rules[0].ApplyServerSideEncryptionByDefault
	if byDefault.KMSMasterKeyID != nil && *byDefault.SSEAlgorithm == sdk.ServerSideEncryptionAes256 {
		return nil, invalidArgument("a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse")
	}
	b.encryption = clone(in.ServerSideEncryptionConfiguration)
	if rule := b.encryption.Rules[0]; rule.BucketKeyEnabled == nil {
		rule.BucketKeyEnabled = aws.Bool(false)
	}
	return nil, nil
}

// GetBucketEncryption tells how new objects are encrypted.
func (s *S3) GetBucketEncryption(c *wire.Call, in *sdk.GetBucketEncryptionInput) (*sdk.GetBucketEncryptionOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.open(c, in.Bucket)
	if err != nil {
		return nil, err
	}
	return &sdk.GetBucketEncryptionOutput{ServerSideEncryptionConfiguration: clone(b.encryption)}, nil
}

// DeleteBucketEncryption goes back to the default: every object is encrypted
// with S3's own keys since 2023.
func (s *S3) DeleteBucketEncryption(c *wire.Call, in *sdk.DeleteBucketEncryptionInput) (*sdk.DeleteBucketEncryptionOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.change(c, in.Bucket)
	if err != nil {
		return nil, err
	}
	b.encryption = encryptedBy(sdk.ServerSideEncryptionAes256)
	return nil, nil
}

// PutBucketTagging replaces a bucket's tags.
func (s *S3) PutBucketTagging(c *wire.Call, in *sdk.PutBucketTaggingInput) (*sdk.PutBucketTaggingOutput, error) {
	if err := checkTags(in.Tagging.TagSet, 50); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.change(c, in.Bucket)
	if err == nil {
		b.tags = clone(in.Tagging).TagSet
	}
	return nil, err
}

func checkTags(tags []*sdk.Tag, most int) error {
	seen := map[string]bool{}
	for _, t := range tags {
		if seen[*t.Key] {
			return refuse(http.StatusBadRequest, "InvalidTag", "Cannot provide multiple Tags with the same key")
		}
		seen[*t.Key] = true
	}
	if len(tags) > most {
		return refuse(http.StatusBadRequest, "BadRequest", "Object tags cannot be greater than %d", most)
	}
	return nil
}

// GetBucketTagging tells a bucket's tags.
func (s *S3) GetBucketTagging(c *wire.Call, in *sdk.GetBucketTaggingInput) (*sdk.GetBucketTaggingOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.open(c, in.Bucket)
	if err != nil {
		return nil, err
	}
	if len(b.tags) == 0 {
		return nil, refuse(http.StatusNotFound, "NoSuchTagSet", "The TagSet does not exist")
	}
	return clone(&sdk.GetBucketTaggingOutput{TagSet: b.tags}), nil
}

// DeleteBucketTagging removes a bucket's tags.
func (s *S3) DeleteBucketTagging(c *wire.Call, in *sdk.DeleteBucketTaggingInput) (*sdk.DeleteBucketTaggingOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.change(c, in.Bucket)
	if err == nil {
		b.tags = nil
	}
	return nil, err
}

// PutBucketOwnershipControls sets who owns new objects.
func (s *S3) PutBucketOwnershipControls(c *wire.Call, in *sdk.PutBucketOwnershipControlsInput) (*sdk.PutBucketOwnershipControlsOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.change(c, in.Bucket)
	if err != nil {
		return nil, err
	}
	known := []string{sdk.ObjectOwnershipBucketOwnerEnforced, sdk.ObjectOwnershipBucketOwnerPreferred, sdk.ObjectOwnershipObjectWriter}
	rules := in.OwnershipControls.Rules
	if len(rules) != 1 || !slices.Contains(known, aws.StringValue(rules[0].ObjectOwnership)) {
		return nil, malformed()
	}
	b.ownership = clone(in.OwnershipControls)
	return nil, nil
}

// GetBucketOwnershipControls tells who owns new objects.
func (s *S3) GetBucketOwnershipControls(c *wire.Call, in *sdk.GetBucketOwnershipControlsInput) (*sdk.GetBucketOwnershipControlsOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.open(c, in.Bucket)
	if err != nil {
		return nil, err
	}
	if b.ownership == nil {
		return nil, refuse(http.StatusNotFound, "OwnershipControlsNotFoundError", "The bucket ownership controls were not found")
	}
	return &sdk.GetBucketOwnershipControlsOutput{OwnershipControls: clone(b.ownership)}, nil
}

// DeleteBucketOwnershipControls forgets who owns new objects; lists of rights,
// which then count again, are not simulated.
func (s *S3) DeleteBucketOwnershipControls(c *wire.Call, in *sdk.DeleteBucketOwnershipControlsInput) (*sdk.DeleteBucketOwnershipControlsOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.change(c, in.Bucket)
	if err == nil {
		b.ownership = nil
	}
	return nil, err
}
