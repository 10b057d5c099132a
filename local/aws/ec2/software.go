package ec2

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/ec2"

	"lifeline/local/aws/ec2/link"
)

// ephemeral stands for the port that a client was given by its own system.
const ephemeral = 40000

// internet stands for any host outside the VPC: clients on one side, AWS's
// service endpoints on the other. It belongs to a documentation range (RFC 5737).
func internet() netip.Addr { return netip.AddrFrom4([4]byte{203, 0, 113, 10}) }

// software is what runs on an instance between two stops.
type software struct {
	stop  context.CancelFunc
	port  *link.Port
	only  int // the one port it listens on; 0 = any
	ended chan struct{}
}

// configuration is the part of the user data that concerns the simulator.
type configuration struct {
	Lifeline string `json:"lifeline"`
	Port     int    `json:"port"`
}

// start boots the software of an instance that has some; e.mu is held.
func (e *EC2) start(r *region, i *instance) {
	raw, err := base64.StdEncoding.DecodeString(i.userData)
	var config configuration
	if err != nil || !bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) ||
		json.Unmarshal(raw, &config) != nil || config.Lifeline == "" || e.boot == nil {
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &software{
		stop: stop, only: config.Port, ended: make(chan struct{}),
		port: link.NewPort(&net.TCPAddr{IP: i.address.AsSlice(), Port: config.Port}),
	}
	i.software = s
	id, region := *i.api.InstanceId, r.name
	m := Machine{
		ID: id, Region: region, Zone: *i.subnet.api.AvailabilityZone, Subnet: *i.subnet.api.SubnetId,
		Address: i.address, UserData: raw, Network: func() bool { return e.outward(region, id) },
	}
	// The software may ask this service while it starts: outside the lock.
	e.world.After(0, func() { e.run(ctx, m, s) })
}

// run serves what the machine's software answers until it is stopped.
func (e *EC2) run(ctx context.Context, m Machine, s *software) {
	handler, err := e.boot(ctx, m)
	if err != nil {
		e.world.Logger().Error("software of an instance doesn't start", "instance", m.ID, "region", m.Region, "error", err)
	}
	if err != nil || handler == nil {
		_ = s.port.Close() // refuses every caller, as a machine without a listener does
		return
	}
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: time.Minute,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	go func() {
		select {
		case <-ctx.Done():
		case <-e.world.Done():
			s.stop()
		}
		_ = server.Close()
	}()
	go func() {
		if err := server.Serve(s.port); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			e.world.Logger().Error("software of an instance stopped listening", "instance", m.ID, "error", err)
		}
	}()
}

// halt ends the software of an instance.
func (i *instance) halt() {
	if i.software == nil {
		return
	}
	i.software.stop()
	_ = i.software.port.Close()
	close(i.software.ended)
	i.software = nil
}

// Source is where a connection to an instance comes from.
type Source struct {
	Region  string
	Subnet  string // "" = the internet
	Address netip.Addr
	Groups  []string // security groups of the sender
}

// Dial opens a connection to a port of an instance. It waits while packets are
// dropped: by a security group (which only new connections are asked about), by
// a network ACL, in a dark Region, or by a machine that doesn't run.
func (e *EC2) Dial(ctx context.Context, from Source, id string, port int) (net.Conn, error) {
	admitted := link.Path{Signal: e.signal, Open: func() bool { return e.admitted(from, id, port) }}
	if _, err := admitted.Wait(nil, ctx.Done()); err != nil {
		return nil, context.Cause(ctx)
	}
	s, ok := e.softwareOf(from.Region, id)
	if !ok || (s.only != 0 && s.only != port) {
		return nil, syscall.ECONNREFUSED
	}
	path := link.Path{Signal: e.signal, Ended: s.ended, Open: func() bool { return e.open(from, id, port) }}
	conn, err := s.port.Dial(ctx, &net.TCPAddr{IP: from.Address.AsSlice(), Port: ephemeral}, path)
	if errors.Is(err, net.ErrClosed) {
		return nil, syscall.ECONNREFUSED
	}
	return conn, err
}

func (e *EC2) softwareOf(region, id string) (*software, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	i, ok := e.in(region).instances.get(&id)
	if !ok || i.software == nil {
		return nil, false
	}
	return i.software, true
}

// admitted says whether the first packet of a new connection gets through.
func (e *EC2) admitted(from Source, id string, port int) bool {
	if !e.open(from, id, port) {
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(from.Region)
	i, ok := r.instances.get(&id)
	return ok && r.admits(false, i.groupIDs(), from.Address, from.Groups, port)
}

// open says whether packets pass between the source and an instance that runs.
func (e *EC2) open(from Source, id string, port int) bool {
	if e.world.Dark(from.Region) {
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(from.Region)
	i, ok := r.instances.get(&id)
	if !ok || i.state() != sdk.InstanceStateNameRunning {
		return false
	}
	if from.Subnet == *i.subnet.api.SubnetId {
		return true // network ACLs stand at the edge of a subnet
	}
	return r.passesIn(*i.subnet.api.SubnetId, from.Address, port) &&
		(from.Subnet == "" || r.passesOut(from.Subnet, i.address, port))
}

// passesIn says whether a peer outside the subnet can call a port inside it.
func (r *region) passesIn(subnet string, peer netip.Addr, port int) bool {
	acl, ok := r.aclOf(subnet)
	return ok && allows(acl, false, peer, port) && allows(acl, true, peer, ephemeral)
}

// passesOut says whether a host in the subnet can call a port of a peer outside.
func (r *region) passesOut(subnet string, peer netip.Addr, port int) bool {
	acl, ok := r.aclOf(subnet)
	return ok && allows(acl, true, peer, port) && allows(acl, false, peer, ephemeral)
}

// outward says whether an instance reaches the Region's service endpoints.
func (e *EC2) outward(region, id string) bool {
	const https = 443
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(region)
	i, ok := r.instances.get(&id)
	return ok && i.state() == sdk.InstanceStateNameRunning &&
		r.passesOut(*i.subnet.api.SubnetId, internet(), https) &&
		r.admits(true, i.groupIDs(), internet(), nil, https)
}

// Passes says whether the internet reaches a port in the subnet: the way to a
// load balancer's node there.
func (e *EC2) Passes(region, subnet string, port int) bool {
	if e.world.Dark(region) {
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.in(region).passesIn(subnet, internet(), port)
}

// Signal is raised whenever Passes, or the state of an instance, may have changed.
func (e *EC2) Signal() *link.Signal { return e.signal }

// Placement is where an instance is.
type Placement struct {
	State, VPC, Subnet, Zone string
	Address                  netip.Addr
}

// Placement finds an instance that is not terminated.
func (e *EC2) Placement(region, id string) (Placement, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	i, ok := e.in(region).instances.get(&id)
	if !ok || i.gone() {
		return Placement{}, false
	}
	return Placement{
		State: i.state(), VPC: aws.StringValue(i.api.VpcId), Subnet: aws.StringValue(i.api.SubnetId),
		Zone: *i.subnet.api.AvailabilityZone, Address: i.address,
	}, true
}

// SubnetInfo is what load balancers need to know of a subnet.
type SubnetInfo struct {
	VPC, Zone string
	Block     netip.Prefix
}

// Subnet finds a subnet.
func (e *EC2) Subnet(region, id string) (SubnetInfo, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s, ok := e.in(region).subnets.get(&id)
	if !ok {
		return SubnetInfo{}, false
	}
	return SubnetInfo{VPC: *s.api.VpcId, Zone: *s.api.AvailabilityZone, Block: s.block}, true
}
