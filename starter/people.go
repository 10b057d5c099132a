package main

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"lifeline/internal/plan"
)

// who is the person at the keyboard, as typed.
type who struct {
	name, keyFile string
}

func (w *who) add(c *cobra.Command) {
	c.Flags().StringVar(&w.name, "as", "", "your name, as the plan lists it (required)")
	c.Flags().StringVar(&w.keyFile, "key", "", "your Ed25519 private key, mode 0600 (default $XDG_CONFIG_HOME/lifeline/NAME.key)")
}

// signer is a person who has proved by the key that they are in the plan.
type signer struct {
	name string
	key  ed25519.PrivateKey
}

// identify finds the person in the plan and their key on this machine. The run
// checks the signature again; this only spares a wasted walk.
func (a *app) identify(p plan.Plan, w who) (signer, error) {
	people := slices.Concat(p.Approvals.Approvers, p.Approvals.Operators)
	names := make([]string, len(people))
	for i, person := range people {
		names[i] = person.Name
	}
	if w.name == "" {
		return signer{}, usage("add --as NAME, one of: "+strings.Join(names, ", "), "who are you?")
	}
	i := slices.Index(names, w.name)
	if i < 0 {
		return signer{}, usage("add --as NAME, one of: "+strings.Join(names, ", "), "the plan lists nobody called %q%s", w.name, didYouMean(w.name, names))
	}
	file := w.keyFile
	if file == "" {
		dir, err := a.keyDir()
		if err != nil {
			return signer{}, err
		}
		file = filepath.Join(dir, w.name+".key")
	}
	key, err := readKey(file)
	if err != nil {
		return signer{}, usage(nextForKey(w.name, file, err), "key of %s: %w", w.name, err)
	}
	if public, ok := key.Public().(ed25519.PublicKey); !ok || base64.StdEncoding.EncodeToString(public) != people[i].PublicKey {
		return signer{}, usage("name the right file with --key, or let the plan's owner change the public key", "key of %s: %s does not belong to the public key in the plan", w.name, file)
	}
	return signer{w.name, key}, nil
}

// nextForKey is what helps with a key that can't be used.
func nextForKey(name, file string, err error) string {
	switch {
	case errors.Is(err, errLoose):
		return "chmod 600 " + shellWord(file)
	case errors.Is(err, fs.ErrNotExist):
		return "name your key with --key FILE; or, without one: starter keygen " + name + ", and the plan's owner adds the public key"
	default:
		return "name your key with --key FILE"
	}
}

// keyDir is where keys are kept unless --key says otherwise. A relative
// XDG_CONFIG_HOME is no place (XDG Base Directory Specification).
func (a *app) keyDir() (string, error) {
	if dir := a.env("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "lifeline"), nil
	}
	if home := a.env("HOME"); home != "" {
		return filepath.Join(home, ".config", "lifeline"), nil
	}
	return "", usage("add --key FILE", "neither XDG_CONFIG_HOME nor HOME says where keys are kept")
}

var errLoose = errors.New("can be used by others")

// readKey reads a private key as PEM (PKCS #8) or base64 (seed or whole key).
func readKey(file string) (ed25519.PrivateKey, error) {
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return nil, fmt.Errorf("read key: %w", err)
	case !info.Mode().IsRegular():
		// A pipe would be waited for, for ever.
		return nil, fmt.Errorf("%s is no file", file)
	case info.Mode().Perm()&^0o600 != 0:
		return nil, fmt.Errorf("%s %w (mode %04o)", file, errLoose, info.Mode().Perm())
	}
	text, err := os.ReadFile(file) //nolint:gosec // the person names their own key file
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	key, err := parseKey(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return key, nil
}

var errNoKey = errors.New("holds no Ed25519 private key (PEM, or base64 of the seed)")

func parseKey(text []byte) (ed25519.PrivateKey, error) {
	if block, _ := pem.Decode(text); block != nil {
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errNoKey, err)
		}
		private, ok := key.(ed25519.PrivateKey)
		if !ok {
			return nil, fmt.Errorf("%w: the PEM holds another kind of key", errNoKey)
		}
		return private, nil
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, errNoKey
	}
	switch len(raw) {
	case ed25519.SeedSize:
		return ed25519.NewKeyFromSeed(raw), nil
	case ed25519.PrivateKeySize:
		return ed25519.PrivateKey(raw), nil
	default:
		return nil, errNoKey
	}
}
