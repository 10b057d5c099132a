package plan

import (
	"regexp"
	"strings"
)

// Shapes of names, as regular expressions. They serve the checks and the JSON
// Schema alike.
const (
	labelName    = `^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$` // RFC 1123 label
	locationName = `^[a-z0-9]([a-z0-9-]{0,48}[a-z0-9])?$`
	personName   = `^[A-Za-z0-9][A-Za-z0-9._@-]{0,127}$`
	regionName   = `^[a-z]{2}(-[a-z]+)+-[0-9]{1,2}$`
	hostName     = `^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`
	urlPath      = `^/[A-Za-z0-9._~/-]{0,254}$`
	idPath       = `^/([A-Za-z0-9._~/-]*)\{id\}([A-Za-z0-9._~/-]*)$`
	rdsName      = `^[a-zA-Z](-?[a-zA-Z0-9]){0,62}$`
	bucketName   = `^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`
	elbName      = `^[a-zA-Z0-9]([a-zA-Z0-9-]{0,30}[a-zA-Z0-9])?$`
	tableName    = `^[a-zA-Z0-9_.-]{3,255}$`
	topicARN     = `^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}$`
	controlARN   = `^arn:aws[a-z-]*:route53-recovery-control::[0-9]{12}:controlpanel/[0-9a-zA-Z]{1,64}/routingcontrol/[0-9a-zA-Z]{1,64}$`
	countryCode  = `^[A-Z]{2}$`
	subdivision  = `^[A-Z0-9]{1,3}$`
)

func matches(pattern, s string) bool { return regexp.MustCompile(pattern).MatchString(s) }

// isHost is true for a fully qualified DNS name in lower case, without its final dot.
func isHost(s string) bool { return len(s) <= 253 && matches(hostName, s) }

// within is true for the names below a zone, and not for the zone itself.
func within(name, zone string) bool { return strings.HasSuffix(name, "."+zone) }

// continents are the codes of Route 53's geolocation records.
func continents() []string { return []string{"AF", "AN", "AS", "EU", "NA", "OC", "SA"} }

// Shapes of what setup makes.
const (
	keyAlias     = `^alias/[A-Za-z0-9/_-]{1,250}$`
	vaultName    = `^[A-Za-z0-9_-]{2,50}$`
	roleName     = `^[A-Za-z0-9+=,.@_-]{1,64}$`
	subnetID     = `^subnet-[0-9a-f]{8,17}$`
	groupID      = `^sg-[0-9a-f]{8,17}$`
	stackName    = `^[A-Za-z][A-Za-z0-9-]{0,127}$`
	fileName     = `^[A-Za-z0-9][A-Za-z0-9._-]{0,62}\.ya?ml$`
	topicName    = `^[A-Za-z0-9_-]{1,256}$`
	functionName = `^[A-Za-z0-9_-]{1,64}$`
	clockTime    = `^([01][0-9]|2[0-3]):[0-5][0-9]$`
	volumeID     = `^vol-[0-9a-f]{8,17}$`
	serverID     = `^s-[0-9a-zA-Z]{17}$`
	optionGroup  = `^[a-zA-Z](-?[a-zA-Z0-9]){0,254}$`
)
