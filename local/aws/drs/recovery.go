package drs

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/drs"
)

// begins is how long a job is PENDING.
const begins = 5 * time.Second

// launch is one server in a launch job.
type launch struct {
	d      *DRS
	r      *region
	job    *job
	s      *server
	part   *sdk.ParticipatingServer
	drill  bool
	point  *point // nil = the most recent data
	waited time.Duration
}

// startRecovery launches recovery instances. There is no client token: a server
// takes part in one job at a time, and that is all that guards against launching
// twice.
func (d *DRS) startRecovery(r *region, in *sdk.StartRecoveryInput) (*sdk.StartRecoveryOutput, error) {
	if err := r.room(len(in.SourceServers)); err != nil {
		return nil, err
	}
	all, err := d.launches(r, in)
	if err != nil {
		return nil, err
	}
	by, kind := sdk.InitiatedByStartRecovery, sdk.LastLaunchTypeRecovery
	if aws.BoolValue(in.IsDrill) {
		by, kind = sdk.InitiatedByStartDrill, sdk.LastLaunchTypeDrill
	}
	var parts []*sdk.ParticipatingServer
	for _, l := range all {
		parts = append(parts, l.part)
	}
	j := d.addJob(r, sdk.JobTypeLaunch, by, parts, in.Tags)
	for _, l := range all {
		l.job, l.s.job, l.s.lastResult = j, j, sdk.LastLaunchResultPending
		l.s.lastLaunch = &sdk.LifeCycleLastLaunch{Status: aws.String(sdk.LaunchStatusPending), Initiated: &sdk.LifeCycleLastLaunchInitiated{
			ApiCallDateTime: stamp(d.world.Now()), JobID: aws.String(j.id), Type: aws.String(kind),
		}}
	}
	d.later(begins, func() {
		j.api.Status = aws.String(sdk.JobStatusStarted)
		d.record(j, sdk.JobLogEventJobStart, nil)
		for _, l := range all {
			l.begin()
		}
	})
	return &sdk.StartRecoveryOutput{Job: clone(j.api)}, nil
}

// launches finds the servers of a request and the points in time that it pins;
// one that can't be launched refuses all.
func (d *DRS) launches(r *region, in *sdk.StartRecoveryInput) ([]*launch, error) {
	var all []*launch
	for _, want := range in.SourceServers {
		s, err := r.server(want.SourceServerID)
		if err != nil {
			return nil, err
		}
		l := &launch{d: d, r: r, s: s, drill: aws.BoolValue(in.IsDrill), part: &sdk.ParticipatingServer{
			SourceServerID: aws.String(s.id), LaunchStatus: aws.String(sdk.LaunchStatusPending),
		}}
		if want.RecoverySnapshotID != nil {
			if l.point, err = s.point(*want.RecoverySnapshotID); err != nil {
				return nil, err
			}
		}
		switch {
		case s.job != nil:
			return nil, conflict("Source server %s is in job %s already.", s.id, s.job.id)
		case slices.ContainsFunc(all, func(o *launch) bool { return o.s == s }):
			return nil, conflict("Source server %s is named twice.", s.id)
		}
		all = append(all, l)
	}
	return all, nil
}

func (l *launch) log(event string, data *sdk.JobLogEventData) {
	if data == nil {
		data = &sdk.JobLogEventData{}
	}
	data.SourceServerID = aws.String(l.s.id)
	l.d.record(l.job, event, data)
}

func (l *launch) status(name string) {
	l.part.LaunchStatus = aws.String(name)
	l.s.lastLaunch.Status = aws.String(name)
}

// begin decides what data to launch from.
func (l *launch) begin() {
	l.status(sdk.LaunchStatusInProgress)
	switch {
	case l.point != nil:
		l.convert()
	case l.s.newest() == nil:
		// Nothing was ever replicated, or stopping has deleted it.
		l.log(sdk.JobLogEventServerSkipped, nil)
		l.end(sdk.LaunchStatusFailed)
	default:
		l.log(sdk.JobLogEventSnapshotStart, nil)
		l.fresh()
	}
}

// fresh takes a snapshot of now. It needs the source, waits for it as long as
// DRS does, and then makes do with the last consistent state.
func (l *launch) fresh() {
	const look = 30 * time.Second
	p := &l.s.replication
	switch {
	case p.state == sdk.DataReplicationStateContinuous && l.d.reachable(l.s):
		l.d.later(l.d.o.Times.Snapshot, func() {
			l.point = l.d.takePoint(l.s)
			l.log(sdk.JobLogEventSnapshotEnd, nil)
			l.convert()
		})
	case l.waited < l.d.o.Times.Patience:
		l.waited += look
		l.d.later(look, l.fresh)
	case l.s.newest() == nil:
		l.log(sdk.JobLogEventUsingPreviousSnapshotFailed, nil)
		l.end(sdk.LaunchStatusFailed)
	default:
		l.point = l.s.newest()
		l.log(sdk.JobLogEventUsingPreviousSnapshot, nil)
		l.convert()
	}
}

// convert makes the disks bootable on EC2.
func (l *launch) convert() {
	converter := aws.String(l.d.world.NewID("i-"))
	took := l.d.o.Times.ConvertLinux
	if l.s.windows() {
		took = l.d.o.Times.ConvertOther
	}
	l.log(sdk.JobLogEventConversionStart, &sdk.JobLogEventData{ConversionServerID: converter})
	l.d.later(took, func() {
		l.log(sdk.JobLogEventConversionEnd, &sdk.JobLogEventData{
			ConversionServerID: converter, ConversionProperties: &sdk.ConversionProperties{DataTimestamp: stamp(l.point.at)},
		})
		l.clean()
	})
}

// clean terminates whatever the server had launched before, drill or not, also
// when it was disconnected: production included.
func (l *launch) clean() {
	if len(l.s.launched) == 0 {
		l.start()
		return
	}
	l.log(sdk.JobLogEventCleanupStart, nil)
	err := l.d.terminate(l.r, l.s.launched)
	l.d.later(l.d.o.Times.Clean, func() {
		if err != nil {
			l.log(sdk.JobLogEventCleanupFail, &sdk.JobLogEventData{RawError: aws.String(err.Error())})
		} else {
			l.log(sdk.JobLogEventCleanupEnd, nil)
		}
		for _, id := range l.s.launched {
			delete(l.r.instances, id)
		}
		l.s.launched = nil
		l.start()
	})
}

// start asks EC2 for the instance.
func (l *launch) start() {
	l.log(sdk.JobLogEventLaunchStart, nil)
	l.d.later(l.d.o.Times.Launch, func() {
		id, err := l.d.run(l)
		if err != nil {
			l.fail(err.Error())
			return
		}
		l.part.RecoveryInstanceID = aws.String(id)
		l.d.remember(l, id)
		l.watch(id)
	})
}

func (l *launch) fail(reason string) {
	data := &sdk.JobLogEventData{RawError: aws.String(reason), TargetInstanceID: l.part.RecoveryInstanceID}
	l.log(sdk.JobLogEventLaunchFailed, data)
	l.end(sdk.LaunchStatusFailed)
}

// watch waits for the instance to run, and to stop again where the settings say
// that it is to be launched stopped.
func (l *launch) watch(id string) {
	stopped := aws.StringValue(l.s.launching.LaunchDisposition) == sdk.LaunchDispositionStopped
	switch state := l.d.state(l.r.name, id); {
	case state == "pending" || state == "stopping" && stopped:
		l.d.later(begins, func() { l.watch(id) })
	case state == "running" && stopped:
		if err := l.d.stop(l.r.name, id); err != nil {
			l.fail(err.Error())
			return
		}
		l.d.later(begins, func() { l.watch(id) })
	case state == "running" || state == "stopped":
		l.act(id, l.s.ordered(), true)
	default:
		l.d.forget(l.r, l.s, id)
		l.fail("The recovery instance ended before it ran: " + state)
	}
}

// act runs the launch actions one after the other. One that fails and isn't
// optional makes the launch a failure, though the instance runs.
func (l *launch) act(id string, actions []*sdk.LaunchAction, good bool) {
	if !aws.BoolValue(l.s.launching.PostLaunchEnabled) || len(actions) == 0 {
		l.end(sdk.LaunchStatusLaunched)
		if !good {
			l.s.lastResult = sdk.LastLaunchResultFailed
		}
		return
	}
	action := actions[0]
	run := &sdk.LaunchActionRun{
		Action: clone(action), RunId: aws.String(l.d.world.NewID("run-")), Status: aws.String(sdk.LaunchActionRunStatusInProgress),
	}
	if l.part.LaunchActionsStatus == nil {
		l.part.LaunchActionsStatus = &sdk.LaunchActionsStatus{SsmAgentDiscoveryDatetime: stamp(l.d.world.Now())}
	}
	l.part.LaunchActionsStatus.Runs = append(l.part.LaunchActionsStatus.Runs, run)
	l.d.later(l.d.o.Times.Action, func() {
		run.Status = aws.String(sdk.LaunchActionRunStatusSucceeded)
		if f := l.d.o.RunAction; f != nil {
			if err := f(l.r.name, id, *action.ActionCode); err != nil {
				run.Status, run.FailureReason = aws.String(sdk.LaunchActionRunStatusFailed), aws.String(err.Error())
				good = good && aws.BoolValue(action.Optional)
			}
		}
		l.act(id, actions[1:], good)
	})
}

// end is the end of one server's part.
func (l *launch) end(status string) {
	l.status(status)
	state := "RECOVERY_LAUNCH_SUCCEEDED"
	l.s.lastResult = sdk.LastLaunchResultSucceeded
	if status == sdk.LaunchStatusFailed {
		l.s.lastResult, state = sdk.LastLaunchResultFailed, "RECOVERY_LAUNCH_FAILED"
	}
	l.s.job = nil
	l.d.emit(l.r.name, "DRS Source Server Launch Result", l.s.arn, state)
	l.d.done(l.job)
}
