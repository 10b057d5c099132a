package backup_test

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/backup/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/backup"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

const (
	east    = "us-east-1"
	west    = "us-west-2"
	account = "123456789012"
	role    = "arn:aws:iam::123456789012:role/backup"
	table   = "arn:aws:dynamodb:us-east-1:123456789012:table/records"
	db      = "arn:aws:rds:us-east-1:123456789012:db:billing"
	aurora  = "arn:aws:rds:us-east-1:123456789012:cluster:orders"
	bucket  = "arn:aws:s3:::documents"
	volume  = "arn:aws:ec2:us-east-1:123456789012:volume/vol-1"

	patience = 20 * time.Second
	tick     = 5 * time.Millisecond
)

// estate is an inventory that tests change.
type estate struct {
	mu        sync.Mutex
	resources map[string][]backup.Resource
	groups    map[string]bool
}

func newEstate() *estate {
	return &estate{groups: map[string]bool{}, resources: map[string][]backup.Resource{east: {
		{ARN: table, Type: "DynamoDB", Name: "records", Size: 1 << 20, Tags: map[string]string{"app": "records", "tier": "1"}},
		{ARN: db, Type: "RDS", Name: "billing", Size: 1 << 30, Tags: map[string]string{"app": "billing"}, Metadata: map[string]string{"Engine": "postgres"}},
		{ARN: aurora, Type: "Aurora", Name: "orders", Size: 1 << 31, Tags: map[string]string{"app": "records"}},
		{ARN: bucket, Type: "S3", Name: "documents", Size: 1 << 25, Tags: map[string]string{"app": "records"}},
		{ARN: volume, Type: "EBS", Name: "vol-1", Size: 1 << 33, Tags: map[string]string{"app": "billing"}},
	}}}
}

func (e *estate) Resources(region string) []backup.Resource {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.resources[region])
}

func (e *estate) HasOptionGroup(region, name string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.groups[region+"/"+name]
}

// change edits a resource.
func (e *estate) change(arn string, edit func(*backup.Resource)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range e.resources[east] {
		if e.resources[east][i].ARN == arn {
			edit(&e.resources[east][i])
		}
	}
}

// heard is what neighbours were told.
type heard struct {
	mu      sync.Mutex
	metrics map[string]int
	events  []string // detail type, state, Region
	mails   []string
}

func (h *heard) Publish(region, namespace, name string, dimensions map[string]string, value float64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if namespace == backup.Namespace && len(dimensions) == 2 {
		h.metrics[fmt.Sprint(region, " ", name, " ", dimensions["BackupVaultName"], " ", dimensions["ResourceType"])] += int(value)
	}
}

func (h *heard) Emit(region, source, detailType string, _ []string, detail map[string]any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	state := detail["state"]
	if state == nil {
		state = detail["status"]
	}
	h.events = append(h.events, fmt.Sprint(source, " ", detailType, " ", state, " ", region))
}

func (h *heard) Act(_, arn, _, message string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.mails = append(h.mails, arn+" "+message)
	return nil
}

func (h *heard) metric(name string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.metrics[name]
}

func (h *heard) allEvents() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.events)
}

func (h *heard) allMails() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.mails)
}

// lab is AWS Backup in two Regions as the SDK sees it.
type lab struct {
	t      *testing.T
	world  *world.World
	estate *estate
	heard  *heard
	east   *sdk.Client
	west   *sdk.Client
}

type setup struct {
	compression float64
	start       time.Time
	times       backup.Times
	restorer    backup.Restorer
	keys        backup.Keys
	roles       backup.Roles
}

func newLab(t *testing.T, s setup) *lab {
	t.Helper()
	if s.compression == 0 {
		s.compression = 7200
	}
	w := world.New(world.Options{Regions: []string{east, west}, Compression: s.compression})
	t.Cleanup(w.Close)
	l := &lab{t: t, world: w, estate: newEstate(), heard: &heard{metrics: map[string]int{}}}
	b := backup.New(w, backup.Options{
		Times: s.times, Start: s.start, Inventory: l.estate, Groups: l.estate, Restorer: s.restorer, Keys: s.keys, Roles: s.roles,
		Metrics: l.heard, Events: l.heard, Topics: l.heard,
	})
	server := httptest.NewServer(wire.NewServer(w, b.Wire()))
	t.Cleanup(server.Close)
	client := func(region string) *sdk.Client {
		return sdk.New(sdk.Options{
			Region: region, BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
			Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret", ""),
		})
	}
	l.east, l.west = client(east), client(west)
	return l
}

func vaultARN(region, name string) string {
	return fmt.Sprintf("arn:aws:backup:%s:%s:backup-vault:%s", region, account, name)
}

// vault makes a vault with a customer's key.
func (l *lab) vault(c *sdk.Client, region, name string) {
	l.t.Helper()
	_, err := c.CreateBackupVault(l.t.Context(), &sdk.CreateBackupVaultInput{
		BackupVaultName: &name, EncryptionKeyArn: aws.String("arn:aws:kms:" + region + ":123456789012:key/c0ffee"),
	})
	require.NoError(l.t, err)
}

// vaults makes "main" in the east and "dr" in the west.
func (l *lab) vaults() {
	l.t.Helper()
	l.vault(l.east, east, "main")
	l.vault(l.west, west, "dr")
}

// plan makes a plan of rules for some ARNs.
func (l *lab) plan(name string, resources []string, rules ...types.BackupRuleInput) string {
	l.t.Helper()
	out, err := l.east.CreateBackupPlan(l.t.Context(), &sdk.CreateBackupPlanInput{BackupPlan: &types.BackupPlanInput{BackupPlanName: &name, Rules: rules}})
	require.NoError(l.t, err)
	_, err = l.east.CreateBackupSelection(l.t.Context(), &sdk.CreateBackupSelectionInput{BackupPlanId: out.BackupPlanId, BackupSelection: &types.BackupSelection{
		SelectionName: aws.String("all"), IamRoleArn: aws.String(role), Resources: resources,
	}})
	require.NoError(l.t, err)
	return *out.BackupPlanId
}

// rule is a rule that stores in main with a start window of an hour.
func rule(name, schedule string, days int64, edits ...func(*types.BackupRuleInput)) types.BackupRuleInput {
	r := types.BackupRuleInput{
		RuleName: &name, TargetBackupVaultName: aws.String("main"), ScheduleExpression: &schedule,
		StartWindowMinutes: aws.Int64(60), Lifecycle: &types.Lifecycle{DeleteAfterDays: &days},
	}
	for _, edit := range edits {
		edit(&r)
	}
	return r
}

func copied(r *types.BackupRuleInput) {
	r.CopyActions = append(r.CopyActions, types.CopyAction{DestinationBackupVaultArn: aws.String(vaultARN(west, "dr"))})
}

func continuous(r *types.BackupRuleInput) { r.EnableContinuousBackup = aws.Bool(true) }

// backUp runs a job on demand to its end.
func (l *lab) backUp(arn string, edits ...func(*sdk.StartBackupJobInput)) *sdk.DescribeBackupJobOutput {
	l.t.Helper()
	in := &sdk.StartBackupJobInput{BackupVaultName: aws.String("main"), ResourceArn: &arn, IamRoleArn: aws.String(role)}
	for _, edit := range edits {
		edit(in)
	}
	started, err := l.east.StartBackupJob(l.t.Context(), in)
	require.NoError(l.t, err)
	return l.ended(*started.BackupJobId)
}

func (l *lab) ended(id string) *sdk.DescribeBackupJobOutput {
	l.t.Helper()
	var out *sdk.DescribeBackupJobOutput
	require.Eventually(l.t, func() bool {
		var err error
		out, err = l.east.DescribeBackupJob(l.t.Context(), &sdk.DescribeBackupJobInput{BackupJobId: &id})
		return err == nil && slices.Contains([]types.BackupJobState{
			types.BackupJobStateCompleted, types.BackupJobStateFailed, types.BackupJobStateExpired, types.BackupJobStateAborted,
		}, out.State)
	}, patience, tick)
	return out
}

// copy runs a copy job to its end.
func (l *lab) copy(point string, edits ...func(*sdk.StartCopyJobInput)) *types.CopyJob {
	l.t.Helper()
	in := &sdk.StartCopyJobInput{
		RecoveryPointArn: &point, SourceBackupVaultName: aws.String("main"), DestinationBackupVaultArn: aws.String(vaultARN(west, "dr")), IamRoleArn: aws.String(role),
	}
	for _, edit := range edits {
		edit(in)
	}
	started, err := l.east.StartCopyJob(l.t.Context(), in)
	require.NoError(l.t, err)
	var out *sdk.DescribeCopyJobOutput
	require.Eventually(l.t, func() bool {
		out, err = l.east.DescribeCopyJob(l.t.Context(), &sdk.DescribeCopyJobInput{CopyJobId: started.CopyJobId})
		return err == nil && (out.CopyJob.State == types.CopyJobStateCompleted || out.CopyJob.State == types.CopyJobStateFailed)
	}, patience, tick)
	return out.CopyJob
}

// jobs are all backup jobs of the east, youngest first.
func (l *lab) jobs() []types.BackupJob {
	l.t.Helper()
	out, err := l.east.ListBackupJobs(l.t.Context(), &sdk.ListBackupJobsInput{})
	require.NoError(l.t, err)
	return out.BackupJobs
}

// points are the recovery points of a vault.
func (l *lab) points(c *sdk.Client, vault string) []types.RecoveryPointByBackupVault {
	l.t.Helper()
	out, err := c.ListRecoveryPointsByBackupVault(l.t.Context(), &sdk.ListRecoveryPointsByBackupVaultInput{BackupVaultName: &vault})
	require.NoError(l.t, err)
	return out.RecoveryPoints
}

func code(t *testing.T, err error) string {
	t.Helper()
	var api smithy.APIError
	require.ErrorAs(t, err, &api)
	return api.ErrorCode()
}

const (
	badValue = "InvalidParameterValueException"
	badAsk   = "InvalidRequestException"
	noSuch   = "ResourceNotFoundException"
	tooMany  = "LimitExceededException"
	thereIs  = "AlreadyExistsException"
)
