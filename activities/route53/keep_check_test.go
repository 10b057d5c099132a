package route53

import (
	"context"
	"fmt"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud/keep"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// account is the health checks of an account, listed ten a page.
type account struct {
	SetupAPI // what is not called here
	checks   []types.HealthCheck
	names    map[string]string
	spent    map[string]bool // caller references of deleted checks
	tagCalls int
	created  []string
}

func (a *account) ListHealthChecks(_ context.Context, in *sdk.ListHealthChecksInput, _ ...func(*sdk.Options)) (*sdk.ListHealthChecksOutput, error) {
	const page = 10
	from, _ := strconv.Atoi(aws.ToString(in.Marker))
	shown := a.checks
	to := min(from+page, len(shown))
	return &sdk.ListHealthChecksOutput{HealthChecks: shown[from:to], IsTruncated: to < len(shown), NextMarker: aws.String(strconv.Itoa(to))}, nil
}

func (a *account) ListTagsForResources(_ context.Context, in *sdk.ListTagsForResourcesInput, _ ...func(*sdk.Options)) (*sdk.ListTagsForResourcesOutput, error) {
	if len(in.ResourceIds) > taggedAtOnce {
		return nil, &smithy.GenericAPIError{Code: "InvalidInput"}
	}
	a.tagCalls++
	out := &sdk.ListTagsForResourcesOutput{}
	for _, id := range in.ResourceIds {
		set := types.ResourceTagSet{ResourceId: aws.String(id)}
		if name := a.names[id]; name != "" {
			set.Tags = []types.Tag{{Key: aws.String("Name"), Value: aws.String(name)}}
		}
		out.ResourceTagSets = append(out.ResourceTagSets, set)
	}
	return out, nil
}

func (a *account) ChangeTagsForResource(_ context.Context, in *sdk.ChangeTagsForResourceInput, _ ...func(*sdk.Options)) (*sdk.ChangeTagsForResourceOutput, error) {
	for _, tag := range in.AddTags {
		if aws.ToString(tag.Key) == "Name" {
			a.names[aws.ToString(in.ResourceId)] = aws.ToString(tag.Value)
		}
	}
	return &sdk.ChangeTagsForResourceOutput{}, nil
}

func (a *account) CreateHealthCheck(_ context.Context, in *sdk.CreateHealthCheckInput, _ ...func(*sdk.Options)) (*sdk.CreateHealthCheckOutput, error) {
	ref := aws.ToString(in.CallerReference)
	used := a.spent[ref]
	for _, c := range a.checks {
		used = used || aws.ToString(c.CallerReference) == ref
	}
	if used {
		return nil, &smithy.GenericAPIError{Code: "HealthCheckAlreadyExists"}
	}
	a.created = append(a.created, ref)
	return &sdk.CreateHealthCheckOutput{HealthCheck: a.add(ref, "")}, nil
}

func (a *account) add(reference, name string) *types.HealthCheck {
	c := types.HealthCheck{
		Id: aws.String(fmt.Sprintf("check-%02d", len(a.checks))), CallerReference: aws.String(reference), HealthCheckVersion: aws.Int64(1),
		HealthCheckConfig: &types.HealthCheckConfig{Type: types.HealthCheckTypeHttp, FullyQualifiedDomainName: aws.String("use1.example"), RequestInterval: aws.Int32(10)},
	}
	a.checks, a.names[*c.Id] = append(a.checks, c), name
	return &c
}

func newAccount(others int) (*account, kept) {
	a := &account{names: map[string]string{}, spent: map[string]bool{}}
	for i := range others {
		a.add("somebody-"+strconv.Itoa(i), "somebody's")
	}
	return a, kept{func(plan.Region) SetupAPI { return a }}
}

func deep() runbook.Item {
	return runbook.Item{
		Type: "route53-health-check", Region: "us-east-1", Name: "records/us-east-1/deep",
		Want: map[string]string{"type": "HTTP", "host": "use1.example", "interval": "10", "inverted": "false", "disabled": "false", "tag/Name": "records/us-east-1/deep"},
	}
}

func TestReadChecks_OwnOnes_AreFoundWithoutAskingForEverybodysTags(t *testing.T) {
	t.Parallel()
	a, k := newAccount(25)
	a.add(references(deep())[0], deep().Name)
	got, err := k.readChecks(t.Context(), keep.At("us-east-1"), []runbook.Item{deep()})
	require.NoError(t, err)
	require.True(t, got[0].Found)
	require.Empty(t, deep().Difference(got[0]))
	require.Equal(t, 1, a.tagCalls)
}

func TestReadChecks_MadeByOthers_AreFoundByTheirName(t *testing.T) {
	t.Parallel()
	a, k := newAccount(25)
	a.add("by hand", deep().Name)
	got, err := k.readChecks(t.Context(), keep.At("us-east-1"), []runbook.Item{deep()})
	require.NoError(t, err)
	require.True(t, got[0].Found)
	require.Equal(t, "check-25", got[0].Out["id"])
	require.Equal(t, 3, a.tagCalls, "ten a call")
}

func TestReadChecks_MadeButNotNamedYet_IsNamedAndNotMadeAgain(t *testing.T) {
	t.Parallel()
	a, k := newAccount(0)
	a.add(references(deep())[0], "") // the answer was lost before the tag
	at := keep.At("us-east-1")
	got, err := k.readChecks(t.Context(), at, []runbook.Item{deep()})
	require.NoError(t, err)
	require.Equal(t, []runbook.Property{{Name: "tag/Name", Want: deep().Name}}, deep().Difference(got[0]))
	_, err = k.writeCheck(t.Context(), at, deep(), got[0])
	require.NoError(t, err)
	require.Empty(t, a.created)
	require.Equal(t, deep().Name, a.names["check-00"])
}

func TestCreateCheck_ReferenceOfADeletedCheck_TakesTheNext(t *testing.T) {
	t.Parallel()
	a, k := newAccount(0)
	a.spent[references(deep())[0]], a.spent[references(deep())[1]] = true, true
	_, err := k.writeCheck(t.Context(), keep.At("us-east-1"), deep(), runbook.ItemState{})
	require.NoError(t, err)
	require.Equal(t, []string{references(deep())[2]}, a.created)
	for _, ref := range references(deep()) {
		require.LessOrEqual(t, len(ref), 64, "AWS's limit")
	}
}

func TestCreateCheck_ThereAlready_IsNotMadeTwice(t *testing.T) {
	t.Parallel()
	a, k := newAccount(0)
	a.add(references(deep())[0], "")
	_, err := k.writeCheck(t.Context(), keep.At("us-east-1"), deep(), runbook.ItemState{})
	require.ErrorContains(t, err, "HealthCheckAlreadyExists")
	require.Empty(t, a.created)
}

func TestPlace_ThereAndBack(t *testing.T) {
	t.Parallel()
	for _, words := range []string{"continent EU", "country *", "country US", "country US subdivision CA", ""} {
		require.Equal(t, words, place(geolocation(words)))
	}
}
