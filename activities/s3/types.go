package s3

import (
	"time"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// ObjectSwitch names the object whose presence evacuates a Region.
type ObjectSwitch struct {
	runbook.Command
	Bucket  string        `json:"bucket"`
	Key     string        `json:"key"`    // "evacuate/<region that is left>"
	Region  plan.Region   `json:"region"` // where the bucket is: the surviving Region
	Timeout time.Duration `json:"timeout,omitempty"`
}

// BucketRef is one bucket in its Region.
type BucketRef struct {
	Region plan.Region `json:"region"`
	Bucket string      `json:"bucket"`
}

// BucketLag asks for the watermark of Region Of as Region's bucket holds it.
type BucketLag struct {
	Region  plan.Region   `json:"region"`
	Of      plan.Region   `json:"of"`
	Bucket  string        `json:"bucket"`
	Timeout time.Duration `json:"timeout,omitempty"`
}

// Watermark is the newest mark that was seen.
type Watermark = runbook.Watermark

// BucketCaughtUp waits until a marker written in From now is in To.
type BucketCaughtUp struct {
	runbook.Command
	From     BucketRef     `json:"from"`
	To       BucketRef     `json:"to"`
	Interval time.Duration `json:"interval,omitempty"` // between two looks; 0 is the default
	Timeout  time.Duration `json:"timeout,omitempty"`
}

// BucketWatermark says where a worker leaves its Region's mark.
type BucketWatermark struct {
	Region  plan.Region   `json:"region"`
	Bucket  string        `json:"bucket"`
	Timeout time.Duration `json:"timeout,omitempty"`
}
