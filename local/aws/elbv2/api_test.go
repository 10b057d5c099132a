package elbv2_test

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/elbv2"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

func TestCreateLoadBalancer_UsEast1Dark_DiesEverywhere(t *testing.T) {
	t.Parallel()
	s := newSite(t, west)
	s.world.Inject(world.Fault{Kind: world.Blackout, Region: east})
	ask := &sdk.CreateLoadBalancerInput{Name: aws.String("late"), Subnets: s.subnets, SecurityGroups: []*string{s.group}}
	_, err := s.CreateLoadBalancer(s.call(), ask)
	var refused *wire.Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, 503, refused.Status)
	s.world.Heal(east)
	_, err = s.CreateLoadBalancer(s.call(), ask)
	require.NoError(t, err)
}

func TestRefusals_SpeakAWSsCodes(t *testing.T) {
	t.Parallel()
	s := newSite(t, east).build()
	forward := []*sdk.Action{{Type: aws.String("forward"), TargetGroupArn: s.targets.TargetGroupArn}}
	no := aws.String("arn:aws:elasticloadbalancing:us-east-1:123456789012:nothing")
	for _, c := range []struct {
		want string
		ask  func() error
	}{
		{"LoadBalancerNotFound", func() error {
			_, err := s.DescribeLoadBalancers(s.call(), &sdk.DescribeLoadBalancersInput{Names: []*string{aws.String("x")}})
			return err
		}},
		{"TargetGroupNotFound", func() error {
			_, err := s.DescribeTargetHealth(s.call(), &sdk.DescribeTargetHealthInput{TargetGroupArn: no})
			return err
		}},
		{"ListenerNotFound", func() error {
			_, err := s.DeleteListener(s.call(), &sdk.DeleteListenerInput{ListenerArn: no})
			return err
		}},
		{"ValidationError", func() error {
			_, err := s.CreateLoadBalancer(s.call(), &sdk.CreateLoadBalancerInput{Name: aws.String("one"), Subnets: s.subnets[:1]})
			return err
		}},
		{"SubnetNotFound", func() error {
			_, err := s.CreateLoadBalancer(s.call(), &sdk.CreateLoadBalancerInput{Name: aws.String("two"), Subnets: []*string{no, s.subnets[0]}})
			return err
		}},
		{"DuplicateLoadBalancerName", func() error {
			_, err := s.CreateLoadBalancer(s.call(), &sdk.CreateLoadBalancerInput{Name: aws.String("patient-web"), Subnets: s.subnets[:2], SecurityGroups: []*string{s.group}})
			return err
		}},
		{"DuplicateListener", func() error {
			_, err := s.CreateListener(s.call(), &sdk.CreateListenerInput{LoadBalancerArn: s.balance.LoadBalancerArn, Port: &s.port, Protocol: aws.String("HTTP"), DefaultActions: forward})
			return err
		}},
		{"CertificateNotFound", func() error {
			_, err := s.CreateListener(s.call(), &sdk.CreateListenerInput{LoadBalancerArn: s.balance.LoadBalancerArn, Port: aws.Int64(443), Protocol: aws.String("HTTPS"), DefaultActions: forward})
			return err
		}},
		{"ResourceInUse", func() error {
			_, err := s.DeleteTargetGroup(s.call(), &sdk.DeleteTargetGroupInput{TargetGroupArn: s.targets.TargetGroupArn})
			return err
		}},
		{"InvalidTarget", func() error {
			_, err := s.RegisterTargets(s.call(), &sdk.RegisterTargetsInput{TargetGroupArn: s.targets.TargetGroupArn, Targets: []*sdk.TargetDescription{{Id: aws.String("i-0")}}})
			return err
		}},
		{"InvalidConfigurationRequest", func() error {
			_, err := s.ModifyLoadBalancerAttributes(s.call(), &sdk.ModifyLoadBalancerAttributesInput{
				LoadBalancerArn: s.balance.LoadBalancerArn, Attributes: []*sdk.LoadBalancerAttribute{{Key: aws.String("colour"), Value: aws.String("red")}},
			})
			return err
		}},
	} {
		err := c.ask()
		var refused *wire.Error
		require.ErrorAs(t, err, &refused, c.want)
		require.Equal(t, c.want, refused.Code)
	}
}

func TestDeleteLoadBalancer_ItsPortAndNameAreGone(t *testing.T) {
	t.Parallel()
	s := newSite(t, east).build()
	addrs, _, _ := s.Resolve(*s.balance.DNSName)
	require.True(t, strings.HasPrefix(*s.balance.DNSName, "patient-web-") && strings.HasSuffix(*s.balance.DNSName, ".us-east-1.elb.amazonaws.com"))
	_, err := s.DeleteLoadBalancer(s.call(), &sdk.DeleteLoadBalancerInput{LoadBalancerArn: s.balance.LoadBalancerArn})
	require.NoError(t, err)
	_, _, ok := s.Resolve(*s.balance.DNSName)
	require.False(t, ok)
	_, err = (&net.Dialer{Timeout: time.Second}).DialContext(t.Context(), "tcp", netip.AddrPortFrom(addrs[0], uint16(s.port)).String())
	require.Error(t, err)
}
