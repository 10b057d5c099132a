package dlm

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/dlm"
	"github.com/stretchr/testify/require"
)

func TestNext(t *testing.T) {
	t.Parallel()
	// A Wednesday.
	now := time.Date(2026, time.November, 25, 22, 30, 15, 0, time.UTC)
	daily := &sdk.CreateRule{Interval: aws.Int64(24), Times: []*string{aws.String("02:00")}}
	twice := &sdk.CreateRule{Interval: aws.Int64(12), Times: []*string{aws.String("11:00")}}
	cron := func(text string) *sdk.CreateRule { return &sdk.CreateRule{CronExpression: &text} }
	for name, c := range map[string]struct {
		rule *sdk.CreateRule
		want string
	}{
		"daily at two":          {daily, "2026-11-26T02:00:00Z"},
		"twelve hours from ten": {twice, "2026-11-25T23:00:00Z"},
		"sundays":               {cron("cron(0 2 ? * SUN *)"), "2026-11-29T02:00:00Z"},
		"not on sundays":        {cron("cron(0 2 ? * MON-SAT *)"), "2026-11-26T02:00:00Z"},
		"twice a day":           {cron("cron(0 6,18 * * ? *)"), "2026-11-26T06:00:00Z"},
		"every six hours":       {cron("cron(15 0/6 * * ? *)"), "2026-11-26T00:15:00Z"},
		"last day of the month": {cron("cron(0 0 L * ? *)"), "2026-11-30T00:00:00Z"},
		"in february":           {cron("cron(0 12 29 FEB ? *)"), "2028-02-29T12:00:00Z"},
		"in one year":           {cron("cron(0 12 1 1 ? 2027)"), "2027-01-01T12:00:00Z"},
	} {
		got, err := next(c.rule, now)
		require.NoError(t, err, name)
		require.Equal(t, c.want, got.Format(time.RFC3339), name)
	}
	for _, text := range []string{"cron(0 2 * * * *)", "cron(0 2 ? * ? *)", "cron(60 2 ? * SUN *)", "cron(0 2 ? * SUN)", "rate(1 day)", "cron(0 5-2 ? * SUN *)"} {
		_, err := parseCron(text)
		require.Error(t, err, text)
	}
	_, err := next(cron("cron(0 12 1 1 ? 2020)"), now)
	require.ErrorContains(t, err, "no time")
}
