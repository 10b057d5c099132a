package servicequotas

import (
	"fmt"
	"net/http"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/servicequotas"

	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// Quota is one limit with its default value.
type Quota struct {
	Service, ServiceName, Code, Name string
	Default                          float64
	Unit                             string
	Fixed                            bool // can't be raised
}

// StandardVCPUs is the quota of vCPUs of running on-demand standard instances.
const StandardVCPUs = "L-1216C47A"

// defaults are the quotas that recovery depends on, with the values that AWS
// documents for new accounts (real ones differ: they are read at run time).
func defaults() []Quota {
	ec2, ebs, elb := "Amazon Elastic Compute Cloud (Amazon EC2)", "Amazon Elastic Block Store (Amazon EBS)", "Elastic Load Balancing (ELB)"
	rds, drs := "Amazon Relational Database Service (Amazon RDS)", "AWS Elastic Disaster Recovery"
	return []Quota{
		{"ec2", ec2, StandardVCPUs, "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", 256, "None", false},
		{"ec2", ec2, "L-0263D0A3", "EC2-VPC Elastic IPs", 5, "None", false},
		{"vpc", "Amazon Virtual Private Cloud (Amazon VPC)", "L-DF5E4CA3", "Network interfaces per Region", 5000, "None", false},
		{"ebs", ebs, "L-309BACF6", "Snapshots per Region", 100_000, "None", false},
		{"ebs", ebs, "L-7A658B76", "Storage for General Purpose SSD (gp3) volumes, in TiB", 50, "None", false},
		{"ebs", ebs, "L-D18FCD1D", "Storage for General Purpose SSD (gp2) volumes, in TiB", 50, "None", false},
		{"elasticloadbalancing", elb, "L-53DA6B97", "Application Load Balancers per Region", 50, "None", false},
		{"elasticloadbalancing", elb, "L-7E6692B2", "Targets per Application Load Balancer", 1000, "None", false},
		{"elasticloadbalancing", elb, "L-A0D0B863", "Targets per Target Group per Region", 1000, "None", false},
		{"elasticloadbalancing", elb, "L-EEF1AD04", "Targets per Network Load Balancer", 3000, "None", false},
		{"autoscaling", "Amazon EC2 Auto Scaling", "L-CDE20ADC", "Auto Scaling groups per region", 500, "None", false},
		{"rds", rds, "L-7B6409FD", "DB instances", 40, "None", false},
		{"rds", rds, "L-952B80B8", "DB clusters", 40, "None", false},
		{"drs", drs, "L-C1D14A2B", "Max number of source servers replicating per AWS Account per AWS Region", 300, "None", true},
		{"drs", drs, "L-E28BE5E0", "Max number of source servers in all statuses", 4000, "None", false},
		{"drs", drs, "L-B827C881", "Max number of source servers in a single Job", 100, "None", true},
		{"drs", drs, "L-05AFA8C6", "Max number of source servers in all Jobs", 500, "None", true},
		{"drs", drs, "L-D88FAC3A", "Concurrent jobs in progress", 20, "None", true},
		{"drs", drs, "L-DD6D028C", "Max concurrent Jobs per source server", 1, "None", true},
	}
}

// Quotas is the service in all Regions.
type Quotas struct {
	world *world.World
	known []Quota

	mu      sync.Mutex
	applied map[string]float64 // "<region> <service> <code>" where it isn't the default
	changes []*sdk.RequestedServiceQuotaChange
}

// New makes a Service Quotas in which every limit has its default.
func New(w *world.World) *Quotas {
	return &Quotas{world: w, known: defaults(), applied: map[string]float64{}}
}

// Wire is the service's API.
func (q *Quotas) Wire() *wire.Service {
	s := wire.NewService("servicequotas", sdk.New(wire.V1Session()), wire.JSON11)
	wire.Handle(s, "GetServiceQuota", q.GetServiceQuota)
	wire.Handle(s, "ListServiceQuotas", q.ListServiceQuotas)
	wire.Handle(s, "GetAWSDefaultServiceQuota", q.GetAWSDefaultServiceQuota)
	wire.Handle(s, "ListServices", q.ListServices)
	wire.Handle(s, "RequestServiceQuotaIncrease", q.RequestServiceQuotaIncrease)
	wire.Handle(s, "GetRequestedServiceQuotaChange", q.GetRequestedServiceQuotaChange)
	return s
}

func key(region, service, code string) string { return region + " " + service + " " + code }

// Set changes a limit in one Region.
func (q *Quotas) Set(region, service, code string, v float64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.applied[key(region, service, code)] = v
}

// Value is a limit in a Region; ok is false when there is no such quota.
func (q *Quotas) Value(region, service, code string) (v float64, ok bool) {
	found, err := q.find(service, code)
	if err != nil {
		return 0, false
	}
	return q.value(region, found), true
}

// VCPUs is how many vCPUs of running on-demand standard instances a Region may have.
func (q *Quotas) VCPUs(region string) int {
	v, _ := q.Value(region, "ec2", StandardVCPUs) // it is among the defaults
	return int(v)
}

func (q *Quotas) value(region string, of Quota) float64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	if v, ok := q.applied[key(region, of.Service, of.Code)]; ok {
		return v
	}
	return of.Default
}

func (q *Quotas) find(service, code string) (Quota, error) {
	for _, k := range q.known {
		if k.Service == service && k.Code == code {
			return k, nil
		}
	}
	return Quota{}, missing()
}

func missing() error {
	return wire.Errorf(http.StatusBadRequest, "NoSuchResourceException", "The request failed because the specified service or quota does not exist.")
}

func (q *Quotas) describe(region string, of Quota, v float64) *sdk.ServiceQuota {
	return &sdk.ServiceQuota{
		ServiceCode: aws.String(of.Service), ServiceName: aws.String(of.ServiceName), QuotaCode: aws.String(of.Code), QuotaName: aws.String(of.Name),
		QuotaArn: aws.String(fmt.Sprintf("arn:aws:servicequotas:%s:%s:%s/%s", region, q.world.Account(), of.Service, of.Code)),
		Value:    aws.Float64(v), Unit: aws.String(of.Unit), Adjustable: aws.Bool(!of.Fixed), GlobalQuota: aws.Bool(false),
		QuotaAppliedAtLevel: aws.String(sdk.AppliedLevelEnumAccount),
	}
}

// GetServiceQuota tells the limit that applies in the Region.
func (q *Quotas) GetServiceQuota(c *wire.Call, in *sdk.GetServiceQuotaInput) (*sdk.GetServiceQuotaOutput, error) {
	of, err := q.find(*in.ServiceCode, *in.QuotaCode)
	if err != nil {
		return nil, err
	}
	return &sdk.GetServiceQuotaOutput{Quota: q.describe(c.Region, of, q.value(c.Region, of))}, nil
}

// GetAWSDefaultServiceQuota tells the limit of a new account.
func (q *Quotas) GetAWSDefaultServiceQuota(c *wire.Call, in *sdk.GetAWSDefaultServiceQuotaInput) (*sdk.GetAWSDefaultServiceQuotaOutput, error) {
	of, err := q.find(*in.ServiceCode, *in.QuotaCode)
	if err != nil {
		return nil, err
	}
	return &sdk.GetAWSDefaultServiceQuotaOutput{Quota: q.describe(c.Region, of, of.Default)}, nil
}

// ListServiceQuotas lists the limits of a service.
func (q *Quotas) ListServiceQuotas(c *wire.Call, in *sdk.ListServiceQuotasInput) (*sdk.ListServiceQuotasOutput, error) {
	var all []*sdk.ServiceQuota
	for _, of := range q.known {
		if of.Service == *in.ServiceCode && (in.QuotaCode == nil || *in.QuotaCode == of.Code) {
			all = append(all, q.describe(c.Region, of, q.value(c.Region, of)))
		}
	}
	if len(all) == 0 {
		return nil, missing()
	}
	found, next, err := wire.Paginate(
		wire.Page{Token: in.NextToken, Size: in.MaxResults, SizeName: "MaxResults", Min: 1, Max: 100, Default: 100},
		all, func(v *sdk.ServiceQuota) string { return *v.QuotaCode })
	return &sdk.ListServiceQuotasOutput{Quotas: found, NextToken: next}, err
}

// ListServices lists the services that have limits here.
func (q *Quotas) ListServices(_ *wire.Call, in *sdk.ListServicesInput) (*sdk.ListServicesOutput, error) {
	var all []*sdk.ServiceInfo
	for _, of := range q.known {
		if !slices.ContainsFunc(all, func(s *sdk.ServiceInfo) bool { return *s.ServiceCode == of.Service }) {
			all = append(all, &sdk.ServiceInfo{ServiceCode: aws.String(of.Service), ServiceName: aws.String(of.ServiceName)})
		}
	}
	found, next, err := wire.Paginate(
		wire.Page{Token: in.NextToken, Size: in.MaxResults, SizeName: "MaxResults", Min: 1, Max: 100, Default: 100},
		all, func(v *sdk.ServiceInfo) string { return *v.ServiceCode })
	return &sdk.ListServicesOutput{Services: found, NextToken: next}, err
}

// RequestServiceQuotaIncrease asks for a higher limit and gets it.
func (q *Quotas) RequestServiceQuotaIncrease(c *wire.Call, in *sdk.RequestServiceQuotaIncreaseInput) (*sdk.RequestServiceQuotaIncreaseOutput, error) {
	of, err := q.find(*in.ServiceCode, *in.QuotaCode)
	if err != nil {
		return nil, err
	}
	switch now := q.value(c.Region, of); {
	case of.Fixed:
		return nil, wire.Errorf(http.StatusBadRequest, "IllegalArgumentException", "The quota %s is not adjustable", of.Code)
	case *in.DesiredValue <= now:
		return nil, wire.Errorf(http.StatusBadRequest, "IllegalArgumentException", "You must provide a quota value greater than the current quota value")
	}
	q.Set(c.Region, of.Service, of.Code, *in.DesiredValue)
	change := &sdk.RequestedServiceQuotaChange{
		Id: aws.String(q.world.NewID("")), ServiceCode: aws.String(of.Service), ServiceName: aws.String(of.ServiceName), QuotaCode: aws.String(of.Code),
		QuotaName: aws.String(of.Name), DesiredValue: aws.Float64(*in.DesiredValue), Status: aws.String(sdk.RequestStatusApproved),
		Created: aws.Time(q.world.Now()), LastUpdated: aws.Time(q.world.Now()), GlobalQuota: aws.Bool(false), Unit: aws.String(of.Unit),
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.changes = append(q.changes, change)
	return &sdk.RequestServiceQuotaIncreaseOutput{RequestedQuota: change}, nil
}

// GetRequestedServiceQuotaChange tells what became of a request.
func (q *Quotas) GetRequestedServiceQuotaChange(_ *wire.Call, in *sdk.GetRequestedServiceQuotaChangeInput) (*sdk.GetRequestedServiceQuotaChangeOutput, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, change := range q.changes {
		if *change.Id == *in.RequestId {
			return &sdk.GetRequestedServiceQuotaChangeOutput{RequestedQuota: change}, nil
		}
	}
	return nil, missing()
}
