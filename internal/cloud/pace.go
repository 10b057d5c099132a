package cloud

import "golang.org/x/time/rate"

// class is what one of AWS's token buckets is for: one operation, the changes of a
// service, or all of it. The service is named by the SDK's id.
type class struct {
	service, operation string
	changes            bool
}

// pace is a token bucket: perSecond in the long run, burst at once.
type pace struct {
	perSecond rate.Limit
	burst     int
}

// unlimited are data planes, which have no rate limit that matters here.
const unlimited = rate.Inf

// unpublished is for services whose rates AWS does not publish: modest, since a
// throttled call costs more than one that has waited.
func unpublished() pace { return pace{10, 20} }

// paces are AWS's default rates. Where AWS names requests per second and no
// bucket, the bucket holds those of one second. Sources: EC2 Developer Guide
// "Request throttling", Elastic Load Balancing User Guide "Request throttling",
// CloudWatch User Guide "Service quotas", DynamoDB API Reference
// (DescribeContinuousBackups), KMS Developer Guide "Request quotas", SNS and
// Route 53 quotas, EventBridge User Guide "Quotas", Lambda Developer Guide
// "Quotas". RDS publishes none: half of EC2's is assumed.
func paces() map[class]pace {
	return map[class]pace{
		{service: "S3"}:                                               {perSecond: unlimited},
		{service: "DynamoDB"}:                                         {perSecond: unlimited},
		{service: "Route53 Recovery Cluster"}:                         {perSecond: unlimited},
		{service: "SNS", operation: "Publish"}:                        {perSecond: unlimited},
		{service: "DynamoDB", operation: "DescribeContinuousBackups"}: {10, 10},
		{service: "DynamoDB", operation: "UpdateContinuousBackups"}:   {10, 10},

		{service: "Route 53"}: {5, 5}, // for the whole account, whoever calls

		{service: "EC2"}:                            {20, 100},
		{service: "EC2", changes: true}:             {5, 50},
		{service: "EC2", operation: "RunInstances"}: {2, 5},

		{service: "RDS"}:                {10, 20},
		{service: "RDS", changes: true}: {5, 20},

		{service: "Elastic Load Balancing v2"}:                {10, 40},
		{service: "Elastic Load Balancing v2", changes: true}: {3, 20},
		{service: "Auto Scaling"}:                             {20, 100},
		{service: "Auto Scaling", changes: true}:              {5, 50},

		{service: "CloudWatch", operation: "DescribeAlarms"}:    {9, 9},
		{service: "CloudWatch", operation: "PutMetricAlarm"}:    {3, 3},
		{service: "CloudWatch", operation: "PutCompositeAlarm"}: {3, 3},
		{service: "CloudWatch", operation: "GetMetricData"}:     {50, 50},

		{service: "KMS", operation: "CreateKey"}:   {5, 5},
		{service: "KMS", operation: "CreateAlias"}: {5, 5},
		{service: "SNS"}:                             {30, 30},
		{service: "EventBridge"}:                     {50, 50},
		{service: "Lambda"}:                          {15, 15},
		{service: "Service Quotas"}:                  {5, 5},
		{service: "STS"}:                             {600, 600},
		{service: "Route53 Recovery Control Config"}: {5, 10},
	}
}

// headroom leaves a fifth of the burst to others who call for the same account,
// and to calls that arrive closer together than they were sent.
func (p pace) headroom() int { return max(1, p.burst*4/5) }
