package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"syscall"

	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	schema "go.temporal.io/server/schema/sqlite"
)

// database describes the store. In a file, WAL with synchronous=normal survives
// the kill of the process at any moment; a power cut may lose the last moments.
func database(set settings) *config.SQL {
	if set.File == "" {
		return &config.SQL{
			PluginName:        sqlite.PluginName,
			DatabaseName:      "lifeline-" + rand.Text(),
			ConnectAttributes: map[string]string{"mode": "memory", "cache": "shared"},
		}
	}
	return &config.SQL{
		PluginName:   sqlite.PluginName,
		DatabaseName: set.File,
		ConnectAttributes: map[string]string{
			"mode":         "rwc",
			"journal_mode": "wal",
			"synchronous":  "normal",
		},
	}
}

// openDatabase takes the file for this process and gives a new one its schema.
// The lock goes when the process ends, however it ends.
func openDatabase(db *config.SQL) (release func() error, err error) {
	if db.ConnectAttributes["mode"] == "memory" {
		return func() error { return nil }, nil
	}
	if err := os.MkdirAll(filepath.Dir(db.DatabaseName), 0o750); err != nil {
		return nil, fmt.Errorf("create the folder of the database: %w", err)
	}
	lock, err := lockFile(db.DatabaseName)
	if err != nil {
		return nil, err
	}
	if err := ensureSchema(db); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock.Close, nil
}

// lockFile refuses a second server on the same file: SQLite would let both in,
// and two servers that own the same shard destroy each other's runs.
func lockFile(database string) (*os.File, error) {
	path := database + ".lock"
	lock, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("lock database %s: %w", database, err)
	}
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = errors.New("another server uses it; stop that one or choose another file with --db-filename")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock database %s: %w", database, err), lock.Close())
	}
	return lock, nil
}

// ensureSchema builds the schema beside the file and moves it into place, since
// a file with half a schema, left by a kill, could never be opened again.
func ensureSchema(db *config.SQL) error {
	_, err := os.Stat(db.DatabaseName)
	if err == nil {
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look at database %s: %w", db.DatabaseName, err)
	}
	fresh := *db
	fresh.DatabaseName = db.DatabaseName + ".new"
	// Without WAL everything is in the one file that gets moved; without syncs it
	// takes a tenth of the time, and what a kill leaves is thrown away.
	fresh.ConnectAttributes = maps.Clone(db.ConnectAttributes)
	fresh.ConnectAttributes["journal_mode"] = "off"
	fresh.ConnectAttributes["synchronous"] = "off"

	if err := os.Remove(fresh.DatabaseName); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove half a database: %w", err)
	}
	if err := createPrivate(fresh.DatabaseName); err != nil {
		return err
	}
	if err := schema.SetupSchema(&fresh); err != nil {
		return fmt.Errorf("create the schema of %s: %w", db.DatabaseName, err)
	}
	if err := os.Rename(fresh.DatabaseName, db.DatabaseName); err != nil {
		return fmt.Errorf("put database %s in place: %w", db.DatabaseName, err)
	}
	return nil
}

// createPrivate makes the file readable by its owner only: histories hold plans
// and the names of approvers.
func createPrivate(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600) //nolint:gosec // the operator names the file
	if err != nil {
		return fmt.Errorf("create database %s: %w", path, err)
	}
	return file.Close()
}
