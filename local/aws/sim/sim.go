package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"lifeline/local/aws/app"
	"lifeline/local/aws/arc"
	"lifeline/local/aws/autoscaling"
	"lifeline/local/aws/backup"
	"lifeline/local/aws/checkers"
	"lifeline/local/aws/cloudformation"
	"lifeline/local/aws/cloudwatch"
	"lifeline/local/aws/control"
	"lifeline/local/aws/dlm"
	"lifeline/local/aws/dns"
	"lifeline/local/aws/drs"
	"lifeline/local/aws/dynamodb"
	"lifeline/local/aws/ec2"
	"lifeline/local/aws/elbv2"
	"lifeline/local/aws/events"
	"lifeline/local/aws/iam"
	"lifeline/local/aws/kms"
	"lifeline/local/aws/lambda"
	"lifeline/local/aws/rds"
	"lifeline/local/aws/route53"
	"lifeline/local/aws/s3"
	"lifeline/local/aws/s3control"
	"lifeline/local/aws/servicequotas"
	"lifeline/local/aws/sns"
	"lifeline/local/aws/sts"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// Options describe a simulated AWS.
type Options struct {
	API, DNS    string // listen addresses; port 0 takes a free one
	Regions     []string
	Compression float64 // AWS seconds per second; 1 is real time
	Logger      *slog.Logger
	CallLog     io.Writer // receives every call as a JSON line; may be nil
	// WallRates leaves rate limits as they are when waits are compressed.
	WallRates bool
}

// Sim is a simulated AWS that serves.
type Sim struct {
	World    *world.World
	DynamoDB *dynamodb.DynamoDB
	RDS      *rds.RDS
	S3       *s3.S3
	Route53  *route53.Route53
	SNS      *sns.SNS
	IAM      *iam.IAM
	KMS      *kms.KMS
	Events   *events.Events
	DRS      *drs.DRS
	Quotas   *servicequotas.Quotas

	api     net.Listener
	server  *http.Server
	names   *dns.Server
	fleet   *checkers.Fleet
	stopped chan error
}

// Start builds a world and serves it until Close.
func Start(ctx context.Context, o Options) (*Sim, error) {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", o.API)
	if err != nil {
		return nil, fmt.Errorf("listen for AWS calls: %w", err)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Sim{
		World: world.New(world.Options{Regions: o.Regions, Compression: o.Compression, Logger: o.Logger, CallLog: o.CallLog}),
		api:   listener, stopped: make(chan error, 1),
	}
	if err := s.assemble(ctx, o); err != nil {
		_ = listener.Close()
		s.World.Close()
		return nil, err
	}
	go func() { s.stopped <- s.server.Serve(listener) }()
	return s, nil
}

// assemble makes the services in the order in which they need each other.
func (s *Sim) assemble(ctx context.Context, o Options) error {
	w := s.World
	s.IAM = iam.New(w)
	sessions := sts.New(w, sts.Options{Roles: s.IAM})
	s.KMS = kms.New(w, kms.Options{Roles: s.IAM, Callers: sessions})
	functions := lambda.New(w, lambda.Options{
		Endpoint: "http://" + s.API(), Roles: s.IAM,
		Objects: func(region, bucket, key string) ([]byte, bool, error) { return s.S3.GetObject(region, bucket, key) },
	})
	s.SNS = sns.New(w, sns.Options{Keys: s.KMS, Functions: functions.For("sns.amazonaws.com")})
	metrics := cloudwatch.New(w, cloudwatch.Options{Actions: s.SNS, Logger: o.Logger})
	s.Events = events.New(w, events.Options{Topics: s.SNS, Functions: functions.For("events.amazonaws.com"), Metrics: published{metrics}})
	s.DynamoDB = dynamodb.New(w, dynamodb.Options{Metrics: published{metrics}, Keys: s.KMS})
	var instances *ec2.EC2 // made below; RDS asks it for subnets once it serves
	s.RDS = rds.New(w, rds.Options{Metrics: published{metrics}, Keys: s.KMS, Topics: s.SNS, Subnets: func(region, id string) (vpc, zone string, ok bool) {
		found, ok := instances.Subnet(region, id)
		return found.VPC, found.Zone, ok
	}})
	s.S3 = s3.New(w, s3.Options{Metrics: metrics, Keys: s.KMS})
	s.Quotas = servicequotas.New(w)

	fleet := app.NewFleet(w, app.Stores{Tables: s.DynamoDB, Databases: s.RDS, Buckets: s.S3}, o.Logger)
	instances = ec2.New(w, ec2.Options{Boot: boot(fleet), VCPUs: s.Quotas.VCPUs, Keys: s.KMS, Events: s.Events})
	lifecycles := dlm.New(w, instances, instances, dlm.Options{Roles: s.IAM, Events: s.Events, Metrics: published{metrics}})
	s.DRS = drs.New(w, instances, drs.Options{Subnets: instances, Metrics: published{metrics}, Events: s.Events})
	backups := backup.New(w, backup.Options{
		Inventory: protectable{w.Account(), s.DynamoDB, s.RDS, s.S3, instances}, Groups: s.RDS, Metrics: published{metrics}, Topics: s.SNS, Roles: s.IAM,
		Events: s.Events, Keys: s.KMS,
	})
	balancers := elbv2.New(w, instances, elbv2.Options{Metrics: metrics})
	groups := autoscaling.New(w, instances, balancers)
	controls := arc.New(w, arc.Options{BaseURL: "http://" + s.API(), Logger: o.Logger})
	s.Route53 = route53.New(w, route53.Options{Targets: balancers, Metrics: metrics, RoutingControls: controls, Logger: o.Logger})
	controls.OnChange(s.Route53.Refresh)

	s.names = dns.New(dns.Options{Address: o.DNS, Zones: s.Route53, Resolvers: []dns.Resolver{balancers, buckets{}}, Logger: o.Logger})
	if err := s.names.Start(ctx); err != nil {
		return fmt.Errorf("start name server: %w", err)
	}
	s.fleet = checkers.New(w, checkers.Options{
		Route53: s.Route53, Metrics: metrics, Logger: o.Logger, Dial: dialer(s.API()),
		Resolve: s.resolve,
	})

	services := []*wire.Service{
		s.IAM.Wire(), sessions.Wire(), s.KMS.Wire(), functions.Wire(), s.SNS.Wire(), s.Events.Wire(), metrics.Wire(), s.DynamoDB.Wire(), s.RDS.Wire(),
		s3control.New(w, s.S3, s3control.Options{}).Wire(), s.S3.Wire(), s.Quotas.Wire(), // in this order: see its Wire
		instances.Wire(), lifecycles.Wire(), s.DRS.Wire(), backups.Wire(), balancers.Wire(), groups.Wire(), controls.Wire(), controls.ClusterWire(), s.Route53.Wire(),
	}
	stacks := cloudformation.New(w, cloudformation.Options{Services: services})
	api := wire.NewServer(w, append(services, stacks.Wire())...)
	api.Limit(wire.DefaultLimits())
	if o.WallRates {
		api.LimitInWallTime()
	}
	for prefix, region := range arc.Routes() {
		api.Route(prefix, region)
	}
	api.Mount(control.Prefix, control.New(w, control.Options{Sections: map[string]func() any{
		"tables":  func() any { return s.DynamoDB.Backlogs() },
		"buckets": func() any { return s.S3.Backlogs() },
	}, Install: s.install}))
	s.server = &http.Server{Handler: api, ReadHeaderTimeout: time.Minute}
	return nil
}

// API is where AWS calls are served, host:port.
func (s *Sim) API() string { return s.api.Addr().String() }

// DNS is where names are answered, host:port.
func (s *Sim) DNS() string { return s.names.Addr().String() }

// Close stops serving, then the world.
func (s *Sim) Close() error {
	s.fleet.Close()
	err := errors.Join(s.server.Close(), s.names.Close())
	s.World.Close()
	if ended := <-s.stopped; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}
