package stack

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// marker is the file by which a folder is known to hold a run. Who runs in the
// folder holds a lock on it, which ends with its process, however that ends.
const marker = ".lifeline-run"

// takeFolder makes the folder of a run, and keeps others out of it until the
// file that it returns is closed.
func takeFolder(dir string, fresh bool) (*os.File, error) {
	if fresh {
		if err := Empty(dir); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "logs"), 0o700); err != nil {
		return nil, fmt.Errorf("folder of the run: %w", err)
	}
	return lock(dir)
}

// Empty removes an earlier run from a folder, and refuses one that holds
// anything else, or where a run is under way.
func Empty(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("folder of the run: %w", err)
	}
	if len(entries) == 0 {
		return nil
	}
	if _, err := os.Stat(filepath.Join(dir, marker)); err != nil {
		return fmt.Errorf("%s holds files that no run has made: name another folder with --out", dir)
	}
	held, err := lock(dir)
	if err != nil {
		return err
	}
	defer held.Close() //nolint:errcheck // only its lock is of interest
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove the last run: %w", err)
	}
	return nil
}

func lock(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, marker), os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // whoever runs it names the folder
	if err != nil {
		return nil, fmt.Errorf("folder of the run: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("%s is in use by a run that is under way: end it, or name another folder with --out (%w)", dir, err)
	}
	return f, nil
}
