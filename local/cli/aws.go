package cli

import (
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"lifeline/local/aws/sim"
	"lifeline/local/stack"
)

func (a *app) aws() *cobra.Command {
	var port, dnsPort int
	var regions, calls string
	var compression float64
	var wallRates bool
	c := &cobra.Command{
		Use: "aws", Short: "Run the simulated AWS alone",
		Args: cobra.NoArgs,
		RunE: run(func(cmd *cobra.Command, _ []string) error {
			o := sim.Options{
				API: fmt.Sprintf("127.0.0.1:%d", port), DNS: fmt.Sprintf("127.0.0.1:%d", dnsPort),
				Regions: strings.Split(regions, ","), Compression: compression, WallRates: wallRates, Logger: slog.New(slog.NewTextHandler(a.err, nil)),
			}
			if calls != "" {
				file, err := os.OpenFile(calls, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // the user names it
				if err != nil {
					return fmt.Errorf("call log: %w", err)
				}
				defer func() { _ = file.Close() }() // every line is written at once
				o.CallLog = file
			}
			s, err := sim.Start(cmd.Context(), o)
			if err != nil {
				return err
			}
			fmt.Fprintf(a.out, "READY aws=http://%s dns=%s regions=%s time_compression=%g\n", s.API(), s.DNS(), regions, compression)
			<-cmd.Context().Done()
			return s.Close()
		}),
	}
	c.Flags().IntVar(&port, "port", stack.DefaultPorts().AWS, "AWS API (0: a free one)")
	c.Flags().IntVar(&dnsPort, "dns-port", stack.DefaultPorts().DNS, "DNS (0: a free one)")
	c.Flags().StringVar(&regions, "regions", "us-east-1,us-west-2,us-east-2", "the Regions that exist")
	c.Flags().StringVar(&calls, "calls", "", "file that receives every call as a JSON line")
	c.Flags().Float64Var(&compression, "compression", 1, "AWS seconds that pass in one second; 1 is real time")
	c.Flags().BoolVar(&wallRates, "wall-rates", false, "do not compress rate limits")
	return c
}
