package sim

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"lifeline/local/aws/app"
	"lifeline/local/aws/cloudwatch"
	"lifeline/local/aws/ec2"
)

// published gives services CloudWatch in the words in which they publish.
type published struct{ metrics *cloudwatch.CloudWatch }

// Publish stores one sample.
func (p published) Publish(region, namespace, name string, dimensions map[string]string, value float64) {
	p.metrics.Put(region, cloudwatch.Datum{Namespace: namespace, Name: name, Dimensions: dimensions, Value: value})
}

// boot runs the records application on instances whose user data asks for it.
func boot(fleet *app.Fleet) ec2.Boot {
	return func(ctx context.Context, m ec2.Machine) (http.Handler, error) {
		config, ok, err := app.ParseConfig(m.UserData)
		if err != nil || !ok {
			return nil, err
		}
		return fleet.Boot(ctx, config, m.Network), nil
	}
}

// buckets resolves S3's names. Their port 80 can't be listened on without
// rights; dialer leads it to the API server, which serves public objects too.
type buckets struct{}

// Resolve gives loopback for bucket.s3.region.amazonaws.com.
func (buckets) Resolve(name string) ([]netip.Addr, time.Duration, bool) {
	if !isBucket(name) {
		return nil, 0, false
	}
	return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}, time.Minute, true
}

func isBucket(name string) bool {
	return strings.Contains(name, ".s3.") && strings.HasSuffix(name, ".amazonaws.com")
}

// resolve is how health checkers find an endpoint: anew for every probe.
func (s *Sim) resolve(ctx context.Context, name string) ([]netip.Addr, error) {
	return s.names.Addresses(ctx, name, netip.Prefix{})
}

const (
	s3Host   = "127.0.0.1"
	httpPort = 80
)

// dialer connects checkers: port 80 of S3's address is the API server.
func dialer(api string) func(ctx context.Context, host string, port int) (net.Conn, error) {
	return func(ctx context.Context, host string, port int) (net.Conn, error) {
		target := net.JoinHostPort(host, strconv.Itoa(port))
		if host == s3Host && port == httpPort {
			target = api
		}
		var d net.Dialer
		conn, err := d.DialContext(ctx, "tcp", target)
		if err != nil {
			return nil, fmt.Errorf("dial %s: %w", target, err)
		}
		return conn, nil
	}
}
