package ec2

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/ec2"

	"lifeline/local/aws/wire"
)

// launchToken remembers what a client token stood for.
type launchToken struct {
	request     string // digest of the request
	reservation string
}

// launch is a RunInstances request with its template and its defaults worked in.
type launch struct {
	image, kind, key, profile, userData, token string
	subnet                                     *subnet
	groups                                     []*group
	tags                                       []*sdk.Tag
	disks                                      []disk
}

// RunInstances launches between MinCount and MaxCount instances. The same client
// token with the same request gives the same reservation again.
func (e *EC2) RunInstances(c *wire.Call, in *sdk.RunInstancesInput) (*sdk.Reservation, error) {
	low, high := aws.Int64Value(in.MinCount), aws.Int64Value(in.MaxCount)
	if low < 1 || high < low {
		return nil, refuse("InvalidParameterValue", "Value (%d) for parameter minCount is invalid. Must be at least 1 and at most maxCount.", low)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(c.Region)
	digest, err := digestOf(in)
	if err != nil {
		return nil, err
	}
	token := aws.StringValue(in.ClientToken)
	if before, ok := r.launches[token]; ok && token != "" {
		if before.request != digest {
			return nil, refuse("IdempotentParameterMismatch", "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).")
		}
		return e.reservation(r, before.reservation), nil
	}
	l, err := e.resolve(r, in)
	if err != nil {
		return nil, err
	}
	n, err := e.room(r, l, int(low), int(high))
	if err != nil {
		return nil, err
	}
	id := e.world.NewID("r-")
	for index := range n {
		if err := e.launch(r, l, id, index); err != nil {
			return nil, err
		}
	}
	if token != "" {
		r.launches[token] = launchToken{digest, id}
	}
	return e.reservation(r, id), nil
}

func digestOf(in *sdk.RunInstancesInput) (string, error) {
	raw, err := json.Marshal(in) //nolint:gosec // only its digest is kept; the client token is no secret
	if err != nil {
		return "", fmt.Errorf("digest launch request: %w", err)
	}
	sum := sha256.Sum256(raw)
	return string(sum[:]), nil
}

// room says how many instances quota and capacity allow. A reservation holds
// where there is no other capacity.
func (e *EC2) room(r *region, l launch, low, high int) (int, error) {
	n, kind := high, l.kind
	if e.vcpus != nil && standard(kind) {
		used := 0
		for _, i := range r.instances.all() {
			if i.countsAgainstQuota() && standard(*i.api.InstanceType) {
				used += vcpus(*i.api.InstanceType)
			}
		}
		limit := e.vcpus(r.name)
		n = min(n, (limit-used)/vcpus(kind))
		if n < low {
			return 0, refuse("VcpuLimitExceeded",
				"You have requested more vCPU capacity than your current vCPU limit of %d allows for the instance bucket that the specified instance type belongs to.", limit)
		}
	}
	if capacity, bounded := e.capacity[r.name]; bounded {
		reserved := r.reserved(kind, *l.subnet.api.AvailabilityZone)
		n = min(n, capacity+reserved)
		if n < low {
			return 0, wire.Errorf(500, "InsufficientInstanceCapacity",
				"We currently do not have sufficient %s capacity in the Availability Zone you requested.", kind)
		}
		e.capacity[r.name] = capacity - max(0, n-reserved)
	}
	return n, nil
}

// standard says whether the type belongs to the families of quota L-1216C47A.
func standard(kind string) bool {
	return kind != "" && strings.ContainsRune("acdhimrtz", rune(kind[0]))
}

// vcpus of a type by its size; families differ by a few for the smallest sizes.
func vcpus(kind string) int {
	_, size, _ := strings.Cut(kind, ".")
	n := 0
	switch {
	case size == "small" && strings.HasPrefix(kind, "m1"), size == "medium" && strings.HasPrefix(kind, "m"):
		return 1
	case size == "xlarge":
		return 4
	default:
		if _, err := fmt.Sscanf(size, "%dxlarge", &n); err == nil {
			return 4 * n
		}
		return 2
	}
}

// cpuOptions are the defaults of a type: one thread for each core on Graviton
// (a g after the generation) and T2, two elsewhere.
func cpuOptions(kind string) *sdk.CpuOptions {
	threads := 2
	if vcpus(kind) == 1 || strings.HasPrefix(kind, "t2.") || regexp.MustCompile(`^[a-z]+[0-9]+g`).MatchString(kind) {
		threads = 1
	}
	return &sdk.CpuOptions{
		CoreCount: aws.Int64(int64(vcpus(kind) / threads)), ThreadsPerCore: aws.Int64(int64(threads)),
	}
}

// resolve works the launch template and the defaults into the request.
func (e *EC2) resolve(r *region, in *sdk.RunInstancesInput) (launch, error) {
	data := &sdk.ResponseLaunchTemplateData{}
	if in.LaunchTemplate != nil {
		t, err := r.findTemplate(in.LaunchTemplate.LaunchTemplateId, in.LaunchTemplate.LaunchTemplateName)
		if err != nil {
			return launch{}, err
		}
		v, err := t.version(aws.StringValue(in.LaunchTemplate.Version))
		if err != nil {
			return launch{}, err
		}
		data = v.LaunchTemplateData
	}
	l := launch{
		image:    pick(in.ImageId, data.ImageId),
		kind:     cmp.Or(pick(in.InstanceType, data.InstanceType), "m1.small"),
		key:      pick(in.KeyName, data.KeyName),
		userData: pick(in.UserData, data.UserData),
		token:    aws.StringValue(in.ClientToken),
		tags:     tagsFor(in.TagSpecifications, "instance"),
		disks:    disksFor(in, data),
	}
	for _, s := range data.TagSpecifications {
		if aws.StringValue(s.ResourceType) == "instance" {
			l.tags = merge(clones(s.Tags), l.tags)
		}
	}
	if p := in.IamInstanceProfile; p != nil {
		l.profile = cmp.Or(aws.StringValue(p.Arn), aws.StringValue(p.Name))
	} else if p := data.IamInstanceProfile; p != nil {
		l.profile = cmp.Or(aws.StringValue(p.Arn), aws.StringValue(p.Name))
	}
	if err := checkLaunch(l); err != nil {
		return launch{}, err
	}
	return l, e.place(r, in, data, &l)
}

func pick(first, second *string) string {
	if first != nil {
		return *first
	}
	return aws.StringValue(second)
}

func checkLaunch(l launch) error {
	switch {
	case l.image == "":
		return refuse("MissingParameter", "The request must contain the parameter ImageId")
	case !regexp.MustCompile(`^ami-[0-9a-f]{8,17}$`).MatchString(l.image):
		// Any well-formed id passes for a public image: the images themselves
		// are not simulated.
		return refuse("InvalidAMIID.Malformed", "Invalid id: %q (expecting \"ami-...\")", l.image)
	}
	if _, err := base64.StdEncoding.DecodeString(l.userData); err != nil {
		return refuse("InvalidUserData.Malformed", "Invalid BASE64 encoding of user data")
	}
	return nil
}

// place finds the subnet and the security groups of a launch.
func (e *EC2) place(r *region, in *sdk.RunInstancesInput, data *sdk.ResponseLaunchTemplateData, l *launch) error {
	want, groups := in.SubnetId, in.SecurityGroupIds
	if len(groups) == 0 {
		groups = data.SecurityGroupIds
	}
	for _, n := range data.NetworkInterfaces {
		if want == nil {
			want = n.SubnetId
		}
		if len(groups) == 0 {
			groups = n.Groups
		}
	}
	for _, n := range in.NetworkInterfaces {
		want, groups = n.SubnetId, n.Groups
	}
	var zone *string
	if in.Placement != nil {
		zone = in.Placement.AvailabilityZone
	}
	s, err := r.pickSubnet(want, zone)
	if err != nil {
		return err
	}
	l.subnet = s
	return r.pickGroups(l, groups, in.SecurityGroups, *s.api.VpcId)
}

func (r *region) pickSubnet(want, zone *string) (*subnet, error) {
	if want != nil {
		s, ok := r.subnets.get(want)
		if !ok {
			return nil, missing("SubnetID", "subnet ID", *want)
		}
		return s, nil
	}
	vpc, err := r.defaultVPC()
	if err != nil {
		return nil, err
	}
	for _, s := range r.subnets.all() {
		if *s.api.VpcId == *vpc.VpcId && *s.api.DefaultForAz && (zone == nil || *zone == *s.api.AvailabilityZone) {
			return s, nil
		}
	}
	return nil, refuse("InvalidParameterValue", "Invalid availability zone: [%s]", aws.StringValue(zone))
}

func (r *region) pickGroups(l *launch, ids, names []*string, vpc string) error {
	for _, id := range ids {
		g, err := r.findGroup(id, nil)
		if err != nil {
			return err
		}
		if g.vpc != vpc {
			return refuse("InvalidParameter", "Security group %s and subnet %s belong to different networks.", g.id, *l.subnet.api.SubnetId)
		}
		l.groups = append(l.groups, g)
	}
	for _, name := range names {
		g, err := r.findGroup(nil, name)
		if err != nil {
			return err
		}
		l.groups = append(l.groups, g)
	}
	if len(l.groups) > 0 {
		return nil
	}
	i := slices.IndexFunc(r.groups.all(), func(g *group) bool { return g.vpc == vpc && g.name == "default" })
	if i < 0 {
		return refuse("InvalidGroup.NotFound", "The security group 'default' does not exist in VPC '%s'", vpc)
	}
	l.groups = append(l.groups, r.groups.all()[i])
	return nil
}
