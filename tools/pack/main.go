// Command pack makes the zip of a Lambda function: one program that Lambda starts,
// called bootstrap.
//
// The same program gives the same bytes, whoever packs it and when: setup compares
// packages by their hash, and would otherwise deploy what has not changed.
//
// Usage: pack OUTPUT PROGRAM
package main

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	const want = 2
	if len(args) != want {
		return errors.New("usage: pack OUTPUT PROGRAM")
	}
	program, err := os.ReadFile(args[1])
	if err != nil {
		return fmt.Errorf("read the program: %w", err)
	}
	var out bytes.Buffer
	if err := pack(&out, program); err != nil {
		return fmt.Errorf("pack %s: %w", args[1], err)
	}
	if err := os.WriteFile(args[0], out.Bytes(), 0o600); err != nil {
		return fmt.Errorf("write the package: %w", err)
	}
	return nil
}

// pack writes the zip.
func pack(w io.Writer, program []byte) error {
	archive := zip.NewWriter(w)
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)}
	header.SetMode(0o755) // without it Lambda may not start the program
	file, err := archive.CreateHeader(header)
	if err != nil {
		return fmt.Errorf("add it: %w", err)
	}
	if _, err := file.Write(program); err != nil {
		return fmt.Errorf("write it: %w", err)
	}
	if err := archive.Close(); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	return nil
}
