package lambda

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"lifeline/internal/cloud"
)

// program is the file in the package that Lambda's provided runtimes start.
const program = "bootstrap"

// largest bounds what is read of a package: Lambda takes 50 MB.
const largest = 50 << 20

// pack is a packaged function.
type pack struct {
	zip          []byte
	sum          string // as Lambda writes it: base64 of SHA-256
	architecture types.Architecture
}

// load reads a package and finds out what machine its program is for.
func load(path string) (pack, error) {
	raw, err := os.ReadFile(path) //nolint:gosec // the plan names it
	if errors.Is(err, fs.ErrNotExist) {
		return pack{}, cloud.Errorf(cloud.Invalid, "the trigger's package %s is not there: make it with \"make trigger\", where the worker runs", path)
	}
	if err != nil {
		return pack{}, cloud.Errorf(cloud.Invalid, "read the trigger's package: %w", err)
	}
	if len(raw) > largest {
		return pack{}, cloud.Errorf(cloud.Invalid, "the trigger's package %s has %d bytes, and Lambda takes %d", path, len(raw), largest)
	}
	architecture, err := machine(raw)
	if err != nil {
		return pack{}, cloud.Errorf(cloud.Invalid, "the trigger's package %s: %w: make it anew with \"make trigger\"", path, err)
	}
	sum := sha256.Sum256(raw)
	return pack{zip: raw, sum: base64.StdEncoding.EncodeToString(sum[:]), architecture: architecture}, nil
}

// machine is the architecture of the program in a package: with another one the
// function would be made, and fail at its first alarm.
func machine(raw []byte) (types.Architecture, error) {
	archive, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return "", fmt.Errorf("open it: %w", err)
	}
	file, err := archive.Open(program)
	if err != nil {
		return "", fmt.Errorf("look for %s: %w", program, err)
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, 5*largest)) // Lambda's bound on what is unpacked
	if err != nil {
		return "", fmt.Errorf("read %s: %w", program, err)
	}
	binary, err := elf.NewFile(bytes.NewReader(text))
	if err != nil {
		return "", fmt.Errorf("%s is no program for Linux: %w", program, err)
	}
	switch binary.Machine {
	case elf.EM_X86_64:
		return types.ArchitectureX8664, nil
	case elf.EM_AARCH64:
		return types.ArchitectureArm64, nil
	default:
		return "", fmt.Errorf("%s is for %s, which Lambda does not have", program, binary.Machine)
	}
}
