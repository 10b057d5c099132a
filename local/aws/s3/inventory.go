package s3

import (
	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/s3"
)

// Stored is a bucket as a service sees it that looks after what is stored.
type Stored struct {
	Name      string
	Versioned bool
	Tags      map[string]string
	Bytes     int64 // of the current versions
}

// Inventory are the buckets of a Region.
func (s *S3) Inventory(region string) []Stored {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Stored
	for _, b := range s.buckets {
		if b.region != region {
			continue
		}
		one := Stored{Name: b.name, Versioned: b.versioning == sdk.BucketVersioningStatusEnabled, Tags: map[string]string{}}
		for _, tag := range b.tags {
			one.Tags[aws.StringValue(tag.Key)] = aws.StringValue(tag.Value)
		}
		for _, o := range b.objects {
			if v := o.current(); v != nil {
				one.Bytes += int64(len(v.body))
			}
		}
		out = append(out, one)
	}
	return out
}
