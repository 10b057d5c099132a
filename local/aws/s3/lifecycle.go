package s3

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/s3"

	"lifeline/local/aws/wire"
)

// minimumSize is the header with which a configuration says whether objects
// below 128 KB may change their storage class; version 1 of the SDK has no
// member for it.
const (
	minimumSize = "X-Amz-Transition-Default-Minimum-Object-Size"
	noSmall     = "all_storage_classes_128K" // the default since September 2024
	byClass     = "varies_by_storage_class"
)

// leastInfrequent is how old, in days, an object must be for an infrequent
// access class.
const leastInfrequent = 30

// PutBucketLifecycleConfiguration sets the lifecycle rules.
func (s *S3) PutBucketLifecycleConfiguration(c *wire.Call, in *sdk.PutBucketLifecycleConfigurationInput) (*sdk.PutBucketLifecycleConfigurationOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.change(c, in.Bucket)
	if err != nil {
		return nil, err
	}
	size := cmp.Or(header(c, minimumSize), noSmall)
	if size != noSmall && size != byClass {
		return nil, invalidArgument("Invalid value for %s", minimumSize)
	}
	if err := checkLifecycle(in.LifecycleConfiguration); err != nil {
		return nil, err
	}
	b.lifecycle, b.smallest = nil, size
	for _, r := range in.LifecycleConfiguration.Rules {
		kept := clone(r)
		if kept.ID == nil {
			kept.ID = aws.String(s.world.NewID(""))
		}
		b.lifecycle = append(b.lifecycle, kept)
	}
	setHeader(c, minimumSize, size)
	return nil, nil
}

func checkLifecycle(config *sdk.BucketLifecycleConfiguration) error {
	if config == nil || len(config.Rules) == 0 || len(config.Rules) > mostRules {
		return malformed()
	}
	ids := map[string]bool{}
	for _, r := range config.Rules {
		if err := checkLifecycleRule(r); err != nil {
			return err
		}
		if id := aws.StringValue(r.ID); id != "" && ids[id] {
			return invalidArgument("Rule ID must be unique. Found same ID for more than one rule")
		}
		ids[aws.StringValue(r.ID)] = true
	}
	return nil
}

func checkLifecycleRule(r *sdk.LifecycleRule) error {
	acts := r.Expiration != nil || len(r.Transitions) > 0 || r.NoncurrentVersionExpiration != nil ||
		len(r.NoncurrentVersionTransitions) > 0 || r.AbortIncompleteMultipartUpload != nil
	tagged := len(scopeOf(r).tags) > 0
	switch {
	case (r.Filter == nil) == (r.Prefix == nil):
		return malformed()
	case !acts:
		return invalidRequest("At least one action needs to be specified in a rule")
	case tagged && r.AbortIncompleteMultipartUpload != nil:
		return invalidRequest("AbortIncompleteMultipartUpload cannot be specified with Tags")
	case tagged && r.Expiration != nil && aws.BoolValue(r.Expiration.ExpiredObjectDeleteMarker):
		return invalidRequest("ExpiredObjectDeleteMarker cannot be specified with Tags")
	}
	if err := checkTransitions(r); err != nil {
		return err
	}
	if err := checkNoncurrent(r); err != nil {
		return err
	}
	return checkExpiration(r)
}

func checkTransitions(r *sdk.LifecycleRule) error {
	classes := map[string]bool{}
	for _, t := range r.Transitions {
		class := aws.StringValue(t.StorageClass)
		switch {
		case class == "" || (t.Days == nil) == (t.Date == nil):
			return malformed()
		case classes[class]:
			return invalidRequest("'StorageClass' must be different for 'Transition' actions in same 'Rule'")
		case aws.Int64Value(t.Days) < 0:
			return invalidArgument("'Days' in Transition action must be nonnegative")
		case t.Days != nil && infrequent(class) && *t.Days < leastInfrequent:
			return invalidArgument("'Days' in Transition action must be greater than or equal to %d for storageClass '%s'", leastInfrequent, class)
		}
		classes[class] = true
	}
	return nil
}

func infrequent(class string) bool {
	return class == sdk.TransitionStorageClassStandardIa || class == sdk.TransitionStorageClassOnezoneIa
}

func checkNoncurrent(r *sdk.LifecycleRule) error {
	for _, t := range r.NoncurrentVersionTransitions {
		class := aws.StringValue(t.StorageClass)
		switch {
		case class == "" || t.NoncurrentDays == nil:
			return malformed()
		case infrequent(class) && *t.NoncurrentDays < leastInfrequent:
			return invalidArgument("'NoncurrentDays' in NoncurrentVersionTransition action must be greater than or equal to %d for storageClass '%s'",
				leastInfrequent, class)
		}
		if e := r.NoncurrentVersionExpiration; e != nil && aws.Int64Value(e.NoncurrentDays) <= *t.NoncurrentDays {
			return invalidArgument("'NoncurrentDays' in the NoncurrentVersionExpiration action must be greater than 'NoncurrentDays' in the NoncurrentVersionTransition action")
		}
	}
	if e := r.NoncurrentVersionExpiration; e != nil && aws.Int64Value(e.NoncurrentDays) < 1 {
		return invalidArgument("'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer")
	}
	return nil
}

func checkExpiration(r *sdk.LifecycleRule) error {
	e := r.Expiration
	if e == nil {
		return nil
	}
	forms := 0
	for _, given := range []bool{e.Days != nil, e.Date != nil, e.ExpiredObjectDeleteMarker != nil} {
		if given {
			forms++
		}
	}
	switch {
	case forms != 1:
		return malformed()
	case e.Days != nil && *e.Days < 1:
		return invalidArgument("'Days' for Expiration action must be a positive integer")
	case e.Days != nil && slices.ContainsFunc(r.Transitions, func(t *sdk.Transition) bool { return t.Days != nil && *t.Days >= *e.Days }):
		return invalidArgument("'Days' in the Expiration action must be greater than 'Days' in the Transition action")
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
	setHeader(c, minimumSize, b.smallest)
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
