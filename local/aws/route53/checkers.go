package route53

// CheckerAddress is an address from the range that Route 53's checkers in a
// Region use; "" when it has none there.
func CheckerAddress(region string) string {
	switch region {
	case "us-east-1":
		return "107.23.255.7"
	case "us-west-1":
		return "54.183.255.135"
	case "us-west-2":
		return "54.244.52.199"
	case "eu-west-1":
		return "54.228.16.7"
	case "ap-southeast-1":
		return "54.255.254.199"
	case "ap-southeast-2":
		return "54.252.254.199"
	case "ap-northeast-1":
		return "54.250.253.199"
	case "sa-east-1":
		return "54.232.40.71"
	default:
		return ""
	}
}
