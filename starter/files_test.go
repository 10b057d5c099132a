package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"lifeline/internal/report"
)

func TestReport_NameSaysTheFormat(t *testing.T) {
	t.Parallel()
	b := waiting(t)
	for name, begins := range map[string]string{"r.html": "<!doctype html>", "r.json": "{", "r.txt": "Failover of patient-records"} {
		file := filepath.Join(b.dir, name)
		b.expect(exitDone, "report PLAN --out "+file)
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(string(text), begins), name)
	}
	b.expect(exitDone, "report PLAN -o html --out "+filepath.Join(b.dir, "r.txt"))
	text, err := os.ReadFile(filepath.Join(b.dir, "r.txt"))
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(text), "<!doctype html>"), "-o is stronger than the name")
	b.expect(exitUsage, "report PLAN --out "+filepath.Join(b.dir, "r.docx"))
	b.expect(exitDone, "report PLAN -o json")
	var d report.Document
	require.NoError(t, json.Unmarshal([]byte(b.out.String()), &d))
	require.Equal(t, "run-7", d.Report.RunID)
	left, err := filepath.Glob(filepath.Join(b.dir, ".r.*"))
	require.NoError(t, err)
	require.Empty(t, left, "no half-written file stays")
}

func TestReport_ReaderOfTheOldOne_ReadsItToTheEnd(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "r.html")
	require.NoError(t, replaceFile(file, []byte("the old story")))
	reader, err := os.Open(file)
	require.NoError(t, err)
	t.Cleanup(func() { _ = reader.Close() })
	require.NoError(t, replaceFile(file, []byte("new")))
	old, err := io.ReadAll(reader)
	require.NoError(t, err)
	require.Equal(t, "the old story", string(old), "replaced as a whole, never written over")
}

func TestReport_CanNotBeWritten_OldOneStays(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "old")
	require.NoError(t, os.MkdirAll(filepath.Join(file, "not-empty"), 0o750))
	require.ErrorContains(t, replaceFile(file, []byte("new")), file)
	require.DirExists(t, filepath.Join(file, "not-empty"))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1)
	require.Error(t, replaceFile(filepath.Join(dir, "missing", "r.html"), nil))
	b := waiting(t)
	b.expect(exitFailed, "report PLAN --out "+filepath.Join(dir, "missing", "r.html"))
	for _, want := range []string{"missing/r.html: no such file or directory", "is as it was", "--out ANOTHER-FILE.html"} {
		require.Contains(t, b.err.String(), want)
	}
}

func TestReport_LinkInItsPlace_IsReplacedAndNotFollowed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	victim, link := filepath.Join(dir, "victim"), filepath.Join(dir, "r.html")
	require.NoError(t, os.WriteFile(victim, []byte("mine"), 0o600))
	require.NoError(t, os.Symlink(victim, link))
	require.NoError(t, replaceFile(link, []byte("story")))
	text, err := os.ReadFile(victim)
	require.NoError(t, err)
	require.Equal(t, "mine", string(text))
}

func TestReport_OutsideView_StandsBesideTheRun(t *testing.T) {
	t.Parallel()
	b := waiting(t)
	file := filepath.Join(b.dir, "outside.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"source":"probe of 4 clients","time_compression":1}`), 0o600))
	b.expect(exitDone, "report PLAN --outside "+file)
	require.Contains(t, b.out.String(), "probe of 4 clients")
	require.NoError(t, os.WriteFile(file, []byte(`{`), 0o600))
	b.expect(exitUsage, "report PLAN --outside "+file)
}

func TestReport_NoWorkerForALiveRun_Is7(t *testing.T) {
	t.Parallel()
	b := waiting(t)
	b.temporal.silent = true
	b.expect(exitUnreachable, "report PLAN")
}

func TestKeygen_KeyIsPrivateKeptAndAccepted(t *testing.T) {
	t.Parallel()
	b := waiting(t)
	b.expect(exitDone, "keygen eve -o json")
	var made map[string]string
	require.NoError(t, json.Unmarshal([]byte(b.out.String()), &made))
	file := filepath.Join(b.dir, "lifeline", "eve.key")
	require.Equal(t, file, made["key_file"])
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	key, err := readKey(file)
	require.NoError(t, err)
	public, ok := key.Public().(ed25519.PublicKey)
	require.True(t, ok)
	require.Equal(t, made["public_key"], base64.StdEncoding.EncodeToString(public))

	before, err := os.ReadFile(file)
	require.NoError(t, err)
	b.expect(exitUsage, "keygen eve")
	after, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, before, after, "a key is never overwritten")
	b.expect(exitUsage, "keygen ../eve")
	b.expect(exitDone, "keygen eve --key "+filepath.Join(b.dir, "other.key"))
	require.Contains(t, b.out.String(), "publicKey:")
}

func TestIdentify_KeyThatOthersCanRead_IsRefused(t *testing.T) {
	t.Parallel()
	b := waiting(t)
	file := filepath.Join(b.dir, "lifeline", "amara.key")
	for _, loose := range []os.FileMode{0o640, 0o604, 0o700, 0o666} {
		require.NoError(t, os.Chmod(file, loose))
		b.expect(exitUsage, "approve PLAN --as amara"+acknowledged)
		require.Contains(t, b.err.String(), "chmod 600")
	}
	require.NoError(t, os.Chmod(file, 0o400))
	b.expect(exitDone, "approve PLAN --as amara"+acknowledged)
}

func TestIdentify_KeyThatCanNotBeUsed_SaysWhatHelps(t *testing.T) {
	t.Parallel()
	b := waiting(t)
	pipe, loose, junk := filepath.Join(b.dir, "pipe"), filepath.Join(b.dir, "loose key"), filepath.Join(b.dir, "junk")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	require.NoError(t, os.WriteFile(loose, nil, 0o600))
	require.NoError(t, os.Chmod(loose, 0o644))
	require.NoError(t, os.WriteFile(junk, []byte("junk"), 0o600))
	for file, next := range map[string]string{
		pipe: "next:     name your key with --key", b.dir: "next:     name your key with --key", junk: "next:     name your key with --key",
		loose: "next:     chmod 600 '" + loose + "'",
	} {
		b.expect(exitUsage, "approve PLAN --as amara", "--key", file)
		require.Contains(t, b.err.String(), next, file)
	}
	require.Empty(t, b.temporal.updates)
}

func TestKeygen_NoPlaceForIt_NamesAnotherWay(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.expect(exitUsage, "keygen eve --key "+filepath.Join(b.plan, "below-a-file", "eve.key"))
	require.Contains(t, b.err.String(), keygenElsewhere)
}

func TestIdentify_AnothersKey_IsRefused(t *testing.T) {
	t.Parallel()
	b := waiting(t)
	b.expect(exitUsage, "approve PLAN --as amara --key "+filepath.Join(b.dir, "lifeline", "bela.key")+acknowledged)
	require.Contains(t, b.err.String(), "does not belong to the public key in the plan")
	b.expect(exitUsage, "approve PLAN --as amara --key "+filepath.Join(b.dir, "nowhere.key"))
	require.Contains(t, b.err.String(), "starter keygen amara")
	require.Empty(t, b.temporal.updates)
}

func TestParseKey_Encodings(t *testing.T) {
	t.Parallel()
	want := keyOf("amara")
	der, err := x509.MarshalPKCS8PrivateKey(want)
	require.NoError(t, err)
	for _, text := range []string{
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		base64.StdEncoding.EncodeToString(want.Seed()) + "\n",
		base64.StdEncoding.EncodeToString(want),
	} {
		got, err := parseKey([]byte(text))
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	short := make([]byte, 16)
	_, err = rand.Read(short)
	require.NoError(t, err)
	for _, text := range []string{"", "not base64!", base64.StdEncoding.EncodeToString(short), "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"} {
		_, err := parseKey([]byte(text))
		require.ErrorIs(t, err, errNoKey, text)
	}
}

func TestKeyDir_FallsBackToHome(t *testing.T) {
	t.Parallel()
	a := &app{system: system{env: func(name string) string { return map[string]string{"HOME": "/home/amara"}[name] }}}
	dir, err := a.keyDir()
	require.NoError(t, err)
	require.Equal(t, "/home/amara/.config/lifeline", dir)
	a.env = func(name string) string {
		return map[string]string{"HOME": "/home/amara", "XDG_CONFIG_HOME": "relative"}[name]
	}
	dir, err = a.keyDir()
	require.NoError(t, err)
	require.Equal(t, "/home/amara/.config/lifeline", dir)
	a.env = func(string) string { return "" }
	_, err = a.keyDir()
	require.Error(t, err)
}

func TestValidate_Valid_ShowsCapabilityAndNeedsNoTemporal(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.dial = nil // any use would panic
	b.expect(exitDone, "validate PLAN")
	require.Contains(t, b.out.String(), "predicted floor")
	require.Contains(t, b.out.String(), "the plan is valid")
	b.expect(exitDone, "validate PLAN -o json")
	var got struct {
		Valid bool   `json:"valid"`
		Floor string `json:"predicted_floor"`
	}
	require.NoError(t, json.Unmarshal([]byte(b.out.String()), &got))
	require.True(t, got.Valid)
	require.Equal(t, b.temporal.plan.PredictedFloor().String(), got.Floor)
}

func TestValidate_InvalidJSON_ListsProblemsAndIs3(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	require.NoError(t, os.WriteFile(b.plan, []byte("apiVersion: lifeline/v1\nnonsense: 1\n"), 0o600))
	b.expect(exitPlan, "validate PLAN -o json")
	var got struct {
		Valid    bool `json:"valid"`
		Problems []struct {
			Message string `json:"message"`
		} `json:"problems"`
	}
	require.NoError(t, json.Unmarshal([]byte(b.out.String()), &got))
	require.False(t, got.Valid)
	require.NotEmpty(t, got.Problems)
}
