package stack

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"

	"github.com/goccy/go-yaml"

	"lifeline/internal/plan"
)

// localise makes the plan one of this machine: everybody in it gets a fresh key
// that only this run's folder holds, and the name servers are the simulator's.
func localise(p plan.Plan, dir, nameServer string) (plan.Plan, string, error) {
	keys := filepath.Join(dir, "config", "lifeline")
	if err := os.MkdirAll(keys, 0o700); err != nil {
		return p, "", fmt.Errorf("folder for keys: %w", err)
	}
	for _, people := range [][]plan.Approver{p.Approvals.Approvers, p.Approvals.Operators} {
		for i := range people {
			public, err := writeKey(filepath.Join(keys, people[i].Name+".key"))
			if err != nil {
				return p, "", fmt.Errorf("key of %s: %w", people[i].Name, err)
			}
			people[i].PublicKey = public
		}
	}
	p.Traffic.NameServers = []string{nameServer}
	file := filepath.Join(dir, "plan.yaml")
	return p, file, writePlan(p, file)
}

func writePlan(p plan.Plan, file string) error {
	text, err := yaml.Marshal(p)
	if err != nil {
		return fmt.Errorf("write plan: %w", err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return fmt.Errorf("write plan: %w", err)
	}
	return nil
}

// Adopt puts what AWS has named into the plan, as people do. Workers that were
// started with another plan turn its runs away: start them again.
func (s *Stack) Adopt(p plan.Plan) error {
	s.Plan = p
	return writePlan(p, s.PlanFile)
}

// writeKey makes a key pair and returns the public key in the plan's notation.
func writeKey(file string) (string, error) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", err
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	return base64.StdEncoding.EncodeToString(public), os.WriteFile(file, block, 0o600)
}
