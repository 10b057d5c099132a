package elbv2_test

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/elbv2"
	"github.com/stretchr/testify/require"
)

// A client whose time is up is told with its answer: nothing is broken off, and its
// next request finds a new way.
func TestKeepalive_ConnectionsEndWithAnAnswer(t *testing.T) {
	t.Parallel()
	s := newSite(t, east).build()
	s.awaitState(s.launch(0), "healthy")
	_, err := s.ModifyLoadBalancerAttributes(s.call(), &sdk.ModifyLoadBalancerAttributesInput{
		LoadBalancerArn: s.balance.LoadBalancerArn,
		Attributes:      []*sdk.LoadBalancerAttribute{{Key: aws.String("client_keep_alive.seconds"), Value: aws.String("60")}},
	})
	require.NoError(t, err)
	var opened atomic.Int64
	dial := (&net.Dialer{}).DialContext
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		opened.Add(1)
		return dial(ctx, network, address)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	c := &http.Client{Transport: transport, Timeout: 10 * time.Second}
	asked := int64(0)
	require.Eventually(t, func() bool {
		status, _, err := s.get(c, "/")
		require.NoError(t, err)
		require.Equal(t, 200, status)
		asked++
		return opened.Load() > 2
	}, 10*time.Second, time.Millisecond, "again and again")
	require.Greater(t, asked, opened.Load(), "most requests share one")
}
