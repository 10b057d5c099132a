package s3

import (
	sdk "github.com/aws/aws-sdk-go/service/s3"

	"lifeline/local/aws/cloudwatch"
)

// route is one rule's way from a bucket to another.
type route struct{ source, destination, rule string }

// sample is one value for CloudWatch in a Region.
type sample struct {
	region string
	cloudwatch.Datum
}

// publish tells CloudWatch how far replication is, for rules that have metrics
// switched on: what is behind in the destination's Region, what failed in the source's.
func (s *S3) publish() {
	for _, v := range s.samples() {
		s.metrics.Put(v.region, v.Datum)
	}
}

func (s *S3) samples() []sample {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []sample
	for _, from := range s.buckets {
		if from.replication == nil {
			continue
		}
		for _, r := range from.replication.Rules {
			to := s.buckets[destination(r)]
			measured := r.Destination.Metrics != nil && *r.Destination.Metrics.Status == sdk.MetricsStatusEnabled
			if to != nil && measured && s.connected(from.region, to.region) {
				out = append(out, s.measure(route{from.name, to.name, *r.ID}, from.region, to.region)...)
			}
		}
	}
	return out
}

// measure gives what S3 publishes of one rule each minute.
func (s *S3) measure(w route, home, region string) []sample {
	var latency, size, operations float64
	now := s.world.Now()
	for _, t := range s.queue {
		if t.source == w.source && t.rule == w.rule {
			latency = max(latency, now.Sub(t.queued).Seconds()*s.world.Compression())
			size += float64(len(t.version.body))
			operations++
		}
	}
	failures := s.failures[w]
	delete(s.failures, w)
	of := map[string]string{"SourceBucket": w.source, "DestinationBucket": w.destination, "RuleId": w.rule}
	put := func(name, unit string, v float64) sample {
		return sample{region, cloudwatch.Datum{Namespace: "AWS/S3", Name: name, Dimensions: of, Value: v, Unit: unit}}
	}
	failed := put("OperationsFailedReplication", "Count", float64(failures))
	failed.region = home
	return []sample{
		put("ReplicationLatency", "Seconds", latency),
		put("BytesPendingReplication", "Bytes", size),
		put("OperationsPendingReplication", "Count", operations),
		failed,
	}
}
