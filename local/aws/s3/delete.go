package s3

import (
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/s3"

	"lifeline/local/aws/wire"
)

// DeleteObject hides an object behind a delete marker, or removes one version
// for good.
func (s *S3) DeleteObject(c *wire.Call, in *sdk.DeleteObjectInput) (*sdk.DeleteObjectOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.open(c, in.Bucket)
	if err != nil {
		return nil, err
	}
	if match := header(c, "If-Match"); match != "" {
		live := b.live(*in.Key)
		if live == nil || (match != "*" && strings.Trim(match, `"`) != strings.Trim(live.etag, `"`)) {
			return nil, refuse(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
		}
	}
	return s.erase(b, *in.Key, in.VersionId), nil
}

func (s *S3) erase(b *bucket, key string, id *string) *sdk.DeleteObjectOutput {
	if id != nil {
		out := &sdk.DeleteObjectOutput{VersionId: aws.String(*id)}
		if v := b.objects[key].find(*id); v != nil {
			if v.marker {
				out.DeleteMarker = aws.Bool(true)
			}
			b.remove(key, v)
		}
		return out
	}
	if b.versioning == "" {
		delete(b.objects, key)
		return &sdk.DeleteObjectOutput{}
	}
	marker := &version{marker: true}
	s.add(b, key, marker)
	return &sdk.DeleteObjectOutput{DeleteMarker: aws.Bool(true), VersionId: aws.String(marker.id)}
}

// DeleteObjects deletes up to a thousand objects in one call.
func (s *S3) DeleteObjects(c *wire.Call, in *sdk.DeleteObjectsInput) (*sdk.DeleteObjectsOutput, error) {
	const most = 1000
	if n := len(in.Delete.Objects); n == 0 || n > most {
		return nil, malformed()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.open(c, in.Bucket)
	if err != nil {
		return nil, err
	}
	out := &sdk.DeleteObjectsOutput{}
	for _, o := range in.Delete.Objects {
		gone := s.erase(b, *o.Key, o.VersionId)
		if aws.BoolValue(in.Delete.Quiet) {
			continue
		}
		d := &sdk.DeletedObject{Key: aws.String(*o.Key), DeleteMarker: gone.DeleteMarker}
		if o.VersionId != nil {
			d.VersionId = aws.String(*o.VersionId)
		}
		if gone.DeleteMarker != nil {
			d.DeleteMarkerVersionId = gone.VersionId
		}
		out.Deleted = append(out.Deleted, d)
	}
	return out, nil
}

// tagPlace is the version whose tags a call means.
func (s *S3) tagPlace(c *wire.Call, bucketName, key, id *string) (*bucket, *version, error) {
	if _, err := s.open(c, bucketName); err != nil {
		return nil, nil, err
	}
	return s.readable(c, bucketName, key, id)
}

// PutObjectTagging replaces an object's tags. Tags are replicated like a new
// version, but onto the version that the replica is.
func (s *S3) PutObjectTagging(c *wire.Call, in *sdk.PutObjectTaggingInput) (*sdk.PutObjectTaggingOutput, error) {
	if err := checkTags(in.Tagging.TagSet, 10); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, v, err := s.tagPlace(c, in.Bucket, in.Key, in.VersionId)
	if err != nil {
		return nil, err
	}
	v.tags = clone(in.Tagging).TagSet
	s.replicate(b, *in.Key, v)
	return &sdk.PutObjectTaggingOutput{VersionId: b.visibleID(v)}, nil
}

// GetObjectTagging tells an object's tags.
func (s *S3) GetObjectTagging(c *wire.Call, in *sdk.GetObjectTaggingInput) (*sdk.GetObjectTaggingOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, v, err := s.tagPlace(c, in.Bucket, in.Key, in.VersionId)
	if err != nil {
		return nil, err
	}
	return clone(&sdk.GetObjectTaggingOutput{TagSet: v.tags, VersionId: b.visibleID(v)}), nil
}

// DeleteObjectTagging removes an object's tags.
func (s *S3) DeleteObjectTagging(c *wire.Call, in *sdk.DeleteObjectTaggingInput) (*sdk.DeleteObjectTaggingOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, v, err := s.tagPlace(c, in.Bucket, in.Key, in.VersionId)
	if err != nil {
		return nil, err
	}
	v.tags = nil
	s.replicate(b, *in.Key, v)
	return &sdk.DeleteObjectTaggingOutput{VersionId: b.visibleID(v)}, nil
}
