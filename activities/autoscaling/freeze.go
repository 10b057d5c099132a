package autoscaling

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"lifeline/internal/runbook"
)

// beforeFreeze is the tag that remembers which processes were suspended already.
const beforeFreeze = "lifeline:before-freeze"

// frozen are the processes that can remove capacity, or act on a schedule,
// while a Region is in trouble.
func frozen() []string {
	return []string{"AlarmNotification", "ScheduledActions", "AZRebalance", "Terminate", "ReplaceUnhealthy"}
}

// FreezeScaling suspends everything in a group that could take capacity away.
// Launch goes on: the survivor must grow.
func (s *Steps) FreezeScaling(ctx context.Context, in GroupStep) (runbook.Outcome, error) {
	g := s.group(in.ref())
	var now state
	return runbook.Act{
		Check: func(ctx context.Context) (bool, string, error) {
			var err error
			now, err = g.read(ctx)
			return now.suspended(frozen()...), now.String(), err
		},
		Do: func(ctx context.Context) (string, error) {
			if err := g.remember(ctx, now, beforeFreeze, list(now.among(frozen()...))); err != nil {
				return "", err
			}
			return g.suspend(ctx, frozen())
		},
		Would: fmt.Sprintf("SuspendProcesses %s of %q in %s", list(frozen()), in.Group, in.Region),
	}.Run(ctx, in.DryRun)
}

// UnfreezeScaling resumes what FreezeScaling suspended, and leaves suspended
// what was so before. The tag goes last: until then a repetition does it again.
func (s *Steps) UnfreezeScaling(ctx context.Context, in GroupStep) (runbook.Outcome, error) {
	g := s.group(in.ref())
	var now state
	return runbook.Act{
		Check: func(ctx context.Context) (bool, string, error) {
			var err error
			now, err = g.read(ctx)
			_, ours := now.tags[beforeFreeze]
			return !ours, now.String(), err
		},
		Do: func(ctx context.Context) (string, error) {
			before := items(now.tags[beforeFreeze])
			id, err := g.resume(ctx, slices.DeleteFunc(frozen(), func(p string) bool { return slices.Contains(before, p) }))
			if err != nil {
				return "", err
			}
			return id, g.forget(ctx, beforeFreeze)
		},
		Would: fmt.Sprintf("ResumeProcesses of %q in %s that were suspended by Lifeline", in.Group, in.Region),
	}.Run(ctx, in.DryRun)
}

// ScaleGroup grows a group to at least Desired, raising its maximum when it must.
// It does not wait for instances and never makes a group smaller.
func (s *Steps) ScaleGroup(ctx context.Context, in GroupScale) (runbook.Outcome, error) {
	g := s.group(GroupRef{Region: in.Region, Group: in.Group, Timeout: in.Timeout})
	var now state
	return runbook.Act{
		Check: func(ctx context.Context) (bool, string, error) {
			var err error
			now, err = g.read(ctx)
			return now.Desired >= in.Desired, now.String(), err
		},
		Do: func(ctx context.Context) (string, error) {
			to := size{desired: count(in.Desired)}
			if in.Desired > now.Max {
				to.max = count(in.Desired)
			}
			return g.resize(ctx, to)
		},
		Would: fmt.Sprintf("UpdateAutoScalingGroup %q in %s to desired %d", in.Group, in.Region, in.Desired),
	}.Run(ctx, in.DryRun)
}

func (in GroupStep) ref() GroupRef {
	return GroupRef{Region: in.Region, Group: in.Group, Timeout: in.Timeout}
}

// list is a list of processes as a tag holds it.
func list(processes []string) string { return strings.Join(processes, ",") }

// items reads a list.
func items(s string) []string {
	return slices.DeleteFunc(strings.Split(s, ","), func(p string) bool { return p == "" })
}

// count is a size as AWS takes it. Sizes are checked by AWS; those beyond its
// type become ones that AWS refuses.
func count(n int) *int32 { return aws.Int32(int32(max(-1, min(n, 1<<30)))) }
