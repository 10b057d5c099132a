package cloud

import "strings"

// Permission is the IAM action that an SDK operation needs, e.g.
// "rds:FailoverGlobalCluster" for service id "RDS". Most operations are called
// like their action; the exceptions come from the Service Authorization Reference.
func Permission(serviceID, operation string) string {
	return prefix(serviceID) + ":" + action(serviceID, operation)
}

// prefix is the IAM prefix of a service where it is not its id in lower case.
func prefix(serviceID string) string {
	switch serviceID {
	case "Elastic Load Balancing v2":
		return "elasticloadbalancing"
	case "Route53 Recovery Cluster":
		return "route53-recovery-cluster"
	default:
		return strings.ToLower(strings.ReplaceAll(serviceID, " ", ""))
	}
}

// action is the IAM action of an operation where the two differ.
func action(serviceID, operation string) string {
	if serviceID == "S3" {
		switch operation {
		case "HeadObject":
			return "GetObject"
		case "HeadBucket", "ListObjectsV2":
			return "ListBucket"
		}
	}
	return operation
}
