package ec2

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/plan"
)

// BlueprintRef is a version of a launch template.
type BlueprintRef struct {
	Region   plan.Region `json:"region"`
	Template string      `json:"template"` // id
	Version  string      `json:"version"`
	// Names are what differs between Regions by right, and what stands for it in
	// the comparison: the Region's own name, its bucket and so on.
	Names   map[string]string `json:"names,omitempty"`
	Timeout time.Duration     `json:"timeout,omitempty"`
}

// Blueprint is what a launch template makes, in words that are the same in two
// Regions when both make the same.
type Blueprint struct {
	InstanceType string `json:"instance_type"`
	Image        string `json:"image"`
	// ImageState is available, missing or what AWS says; empty when the endpoint
	// can't tell.
	ImageState string `json:"image_state,omitempty"`
	// UserData is a hash of the user data with Names put in: it may hold secrets,
	// and a history keeps what it is told.
	UserData string `json:"user_data"`
	// Rules of the security groups, sorted: "in tcp 443-443 0.0.0.0/0".
	Rules []string `json:"rules,omitempty"`
}

// DescribeBlueprint reads what a launch template would make now.
func (r *Ready) DescribeBlueprint(ctx context.Context, in BlueprintRef) (Blueprint, error) {
	at := cloud.At{Region: in.Region, Timeout: in.Timeout}
	data, err := r.version(ctx, at, in.Template, in.Version)
	if err != nil {
		return Blueprint{}, err
	}
	out := Blueprint{InstanceType: string(data.InstanceType), Image: aws.ToString(data.ImageId), UserData: fingerprint(aws.ToString(data.UserData), in.Names)}
	if out.ImageState, err = r.image(ctx, at, out.Image); err != nil {
		return Blueprint{}, err
	}
	out.Rules, err = r.rules(ctx, at, groupsOf(data))
	return out, err
}

// fingerprint is a hash of user data without what differs by right.
func fingerprint(encoded string, names map[string]string) string {
	text := encoded
	if plain, err := base64.StdEncoding.DecodeString(encoded); err == nil {
		text = string(plain)
	}
	// The longest first: one name may be a part of another.
	order := slices.SortedFunc(maps.Keys(names), func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	for _, name := range order {
		text = strings.ReplaceAll(text, name, names[name])
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// image says whether an image can be launched from. A template may name a
// parameter of Systems Manager instead, which EC2 resolves at launch.
func (r *Ready) image(ctx context.Context, at cloud.At, id string) (string, error) {
	if !strings.HasPrefix(id, "ami-") {
		return "", nil
	}
	// By a filter: asked by id, EC2 refuses the call when the image is gone.
	got, err := cloud.Call(ctx, at, r.Clients(at.Region).DescribeImages, &sdk.DescribeImagesInput{
		Filters: []types.Filter{{Name: aws.String("image-id"), Values: []string{id}}},
	})
	if keep.Unserved(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("describe image %s: %w", id, err)
	}
	if len(got.Images) == 0 {
		return "missing", nil
	}
	return string(got.Images[0].State), nil
}

func groupsOf(data *types.ResponseLaunchTemplateData) []string {
	ids := slices.Clone(data.SecurityGroupIds)
	for _, i := range data.NetworkInterfaces {
		ids = append(ids, i.Groups...)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// rules are what security groups allow, in words that hold in any Region.
func (r *Ready) rules(ctx context.Context, at cloud.At, ids []string) ([]string, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	got, err := cloud.Call(ctx, at, r.Clients(at.Region).DescribeSecurityGroups, &sdk.DescribeSecurityGroupsInput{GroupIds: ids})
	if err != nil {
		return nil, fmt.Errorf("describe %d security groups: %w", len(ids), err)
	}
	own, err := r.networks(ctx, at, got.SecurityGroups)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, g := range got.SecurityGroups {
		for _, p := range g.IpPermissions {
			out = append(out, words("in", p, own)...)
		}
		for _, p := range g.IpPermissionsEgress {
			out = append(out, words("out", p, own)...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// networks are the address ranges of the groups' VPCs, which differ by right.
func (r *Ready) networks(ctx context.Context, at cloud.At, groups []types.SecurityGroup) (map[string]bool, error) {
	var ids []string
	for _, g := range groups {
		ids = append(ids, aws.ToString(g.VpcId))
	}
	slices.Sort(ids)
	got, err := cloud.Call(ctx, at, r.Clients(at.Region).DescribeVpcs, &sdk.DescribeVpcsInput{VpcIds: slices.Compact(ids)})
	if err != nil {
		return nil, fmt.Errorf("describe VPCs: %w", err)
	}
	out := map[string]bool{}
	for _, v := range got.Vpcs {
		out[aws.ToString(v.CidrBlock)] = true
		for _, a := range v.CidrBlockAssociationSet {
			out[aws.ToString(a.CidrBlock)] = true
		}
	}
	return out, nil
}

// words is one permission, a line for each peer. Groups and prefix lists have
// other ids in each Region.
func words(way string, p types.IpPermission, own map[string]bool) []string {
	head := fmt.Sprintf("%s %s %d-%d ", way, aws.ToString(p.IpProtocol), aws.ToInt32(p.FromPort), aws.ToInt32(p.ToPort))
	var out []string
	for _, r := range p.IpRanges {
		peer := aws.ToString(r.CidrIp)
		if own[peer] {
			peer = "its own VPC"
		}
		out = append(out, head+peer)
	}
	for _, r := range p.Ipv6Ranges {
		out = append(out, head+aws.ToString(r.CidrIpv6))
	}
	for range p.UserIdGroupPairs {
		out = append(out, head+"a security group")
	}
	for range p.PrefixListIds {
		out = append(out, head+"a prefix list")
	}
	return out
}
