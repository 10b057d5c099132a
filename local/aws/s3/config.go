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
	b.encryption = clone(in.ServerSideEncryptionConfiguration)
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

// PutBucketLifecycleConfiguration sets the lifecycle rules.
func (s *S3) PutBucketLifecycleConfiguration(c *wire.Call, in *sdk.PutBucketLifecycleConfigurationInput) (*sdk.PutBucketLifecycleConfigurationOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.change(c, in.Bucket)
	if err != nil {
		return nil, err
	}
	if in.LifecycleConfiguration == nil || len(in.LifecycleConfiguration.Rules) == 0 {
		return nil, malformed()
	}
	ids := map[string]bool{}
	for _, r := range in.LifecycleConfiguration.Rules {
		if err := checkLifecycle(r); err != nil {
			return nil, err
		}
		if id := aws.StringValue(r.ID); id != "" && ids[id] {
			return nil, refuse(http.StatusBadRequest, "InvalidArgument", "Rule ID must be unique. Found same ID for more than one rule")
		}
		ids[aws.StringValue(r.ID)] = true
	}
	b.lifecycle = nil
	for _, r := range in.LifecycleConfiguration.Rules {
		kept := clone(r)
		if kept.ID == nil {
			kept.ID = aws.String(s.world.NewID(""))
		}
		b.lifecycle = append(b.lifecycle, kept)
	}
	return nil, nil
}

func checkLifecycle(r *sdk.LifecycleRule) error {
	acts := r.Expiration != nil || len(r.Transitions) > 0 || r.NoncurrentVersionExpiration != nil ||
		len(r.NoncurrentVersionTransitions) > 0 || r.AbortIncompleteMultipartUpload != nil
	if !acts {
		return refuse(http.StatusBadRequest, "InvalidRequest", "At least one action needs to be specified in a rule")
	}
	for _, t := range r.Transitions {
		if t.StorageClass == nil || (t.Days == nil) == (t.Date == nil) {
			return malformed()
		}
		if cold := *t.StorageClass == "STANDARD_IA" || *t.StorageClass == "ONEZONE_IA"; cold && t.Days != nil && *t.Days < 30 {
			return refuse(http.StatusBadRequest, "InvalidArgument",
				"'Days' in Transition action must be greater than or equal to 30 for storageClass '%s'", *t.StorageClass)
		}
	}
	return nil
}

// GetBucketLifecycleConfiguration tells the lifecycle rules.
func (s *S3) GetBucketLifecycleConfiguration(c *wire.Call, in *sdk.GetBucketLifecycleConfigurationInput) (*sdk.GetBucketLifecycleConfigurationOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.open(c, in.Bucket)
	if err != nil {
		return nil, err
	}
	if len(b.lifecycle) == 0 {
		return nil, refuse(http.StatusNotFound, "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist")
	}
	return clone(&sdk.GetBucketLifecycleConfigurationOutput{Rules: b.lifecycle}), nil
}

// DeleteBucketLifecycle removes the lifecycle rules.
func (s *S3) DeleteBucketLifecycle(c *wire.Call, in *sdk.DeleteBucketLifecycleInput) (*sdk.DeleteBucketLifecycleOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.change(c, in.Bucket)
	if err == nil {
		b.lifecycle = nil
	}
	return nil, err
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
	return &sdk.GetBucketOwnershipControlsOutput{OwnershipControls: clone(b.ownership)}, nil
}
