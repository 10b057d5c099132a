package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/spf13/cobra"
)

func (a *app) keygen() *cobra.Command {
	file := ""
	c := &cobra.Command{
		Use:   "keygen NAME",
		Short: "Make the key pair that proves who you are",
		Long: `Make an Ed25519 key pair. The private key is written with mode 0600 and never leaves
this machine; an existing file is never overwritten. The public key is printed, for
the plan's owner to add to approvals.approvers or approvals.operators.`,
		Example: "  starter keygen amara",
		Args:    cobra.ArbitraryArgs,
	}
	c.Flags().StringVar(&file, "key", "", "where to write the private key (default $XDG_CONFIG_HOME/lifeline/NAME.key)")
	return a.verb(c, func(_ *cobra.Command, args []string) error {
		if len(args) != 1 || !regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`).MatchString(args[0]) {
			return usage("starter keygen NAME", "name one person, in letters, digits, dots, dashes and underscores")
		}
		return a.makeKey(args[0], file)
	})
}

func (a *app) makeKey(name, file string) error {
	if file == "" {
		dir, err := a.keyDir()
		if err != nil {
			return err
		}
		file = filepath.Join(dir, name+".key")
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return fmt.Errorf("make key pair: %w", err)
	}
	if err := writeKey(file, private); err != nil {
		return err
	}
	text := base64.StdEncoding.EncodeToString(public)
	if a.output == "json" {
		return a.json(map[string]string{"name": name, "key_file": file, "public_key": text})
	}
	a.say("private key: %s (keep it; nobody else needs it)", file)
	a.say("for the plan:\n    - {name: %s, publicKey: %q}", name, text)
	return nil
}

// writeKey writes a new file only: a key that is lost locks its person out.
func writeKey(file string, key ed25519.PrivateKey) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("encode private key: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return usage(keygenElsewhere, "make key directory: %w", err)
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the person names their own key file
	if err != nil {
		return usage(keygenElsewhere, "write private key: %w", err)
	}
	err = pem.Encode(f, &pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		// Half a key would be taken for a whole one, and never be overwritten.
		err = errors.Join(err, os.Remove(file))
		return &trouble{code: exitFailed, err: fmt.Errorf("write private key %s: %w", file, err), safe: "no key was made", next: "make room, then type the same command again"}
	}
	return nil
}

const keygenElsewhere = "starter keygen NAME --key ANOTHER-FILE"
