package lambda

import (
	"archive/zip"
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

// program is the least that is an ELF file for a machine.
func elfFor(t *testing.T, machine elf.Machine) []byte {
	t.Helper()
	var out bytes.Buffer
	header := elf.Header64{Type: uint16(elf.ET_EXEC), Machine: uint16(machine), Version: uint32(elf.EV_CURRENT), Ehsize: 64, Phentsize: 56, Shentsize: 64}
	copy(header.Ident[:], elf.ELFMAG)
	header.Ident[elf.EI_CLASS], header.Ident[elf.EI_DATA], header.Ident[elf.EI_VERSION] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)
	require.NoError(t, binary.Write(&out, binary.LittleEndian, header))
	return out.Bytes()
}

func zipped(t *testing.T, name string, content []byte) string {
	t.Helper()
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	file, err := archive.Create(name)
	require.NoError(t, err)
	_, err = file.Write(content)
	require.NoError(t, err)
	require.NoError(t, archive.Close())
	path := filepath.Join(t.TempDir(), "trigger.zip")
	require.NoError(t, os.WriteFile(path, out.Bytes(), 0o600))
	return path
}

func TestLoad_FindsTheMachineOfTheProgram(t *testing.T) {
	t.Parallel()
	for machine, want := range map[elf.Machine]types.Architecture{elf.EM_X86_64: types.ArchitectureX8664, elf.EM_AARCH64: types.ArchitectureArm64} {
		p, err := load(zipped(t, "bootstrap", elfFor(t, machine)))
		require.NoError(t, err)
		require.Equal(t, want, p.architecture)
		require.Len(t, p.sum, 44, "base64 of 32 bytes, as Lambda tells it")
	}
}

func TestLoad_WhatLambdaCouldNotStart_IsRefusedBeforeItIsSent(t *testing.T) {
	t.Parallel()
	text := filepath.Join(t.TempDir(), "text")
	require.NoError(t, os.WriteFile(text, []byte("no zip"), 0o600))
	for says, path := range map[string]string{
		"is not there: make it with \"make trigger\"": filepath.Join(t.TempDir(), "none.zip"),
		"open it":                    text,
		"look for bootstrap":         zipped(t, "main", elfFor(t, elf.EM_X86_64)),
		"no program for Linux":       zipped(t, "bootstrap", []byte("#!/bin/sh")),
		"is for EM_RISCV":            zipped(t, "bootstrap", elfFor(t, elf.EM_RISCV)),
		"read the trigger's package": t.TempDir(),
	} {
		_, err := load(path)
		require.ErrorContains(t, err, says)
		require.Equal(t, cloud.Invalid, cloud.KindOf(err), "trying again makes no package")
	}
}

func TestSoon_RoleThatIsNotKnownYet_IsTriedAgain(t *testing.T) {
	t.Parallel()
	answer := func(message string) error {
		return cloud.Explain("us-west-2", &smithy.GenericAPIError{Code: "InvalidParameterValueException", Message: message})
	}
	require.Equal(t, cloud.NotYet, cloud.KindOf(soon(answer("The role defined for the function cannot be assumed by Lambda."))))
	require.Equal(t, cloud.Invalid, cloud.KindOf(soon(answer("Unsupported runtime"))))
	require.Error(t, soon(errors.New("no answer")))
}

func TestGrant_SaysWhatIsWanted(t *testing.T) {
	t.Parallel()
	item := runbook.Item{Want: map[string]string{principal: "sns.amazonaws.com", action: "lambda:InvokeFunction", source: "arn:topic"}}
	like := map[string]map[string]string{"ArnLike": {"AWS:SourceArn": "arn:topic"}}
	good := grant{Effect: "Allow", Principal: []byte(`{"Service":"sns.amazonaws.com"}`), Action: "lambda:InvokeFunction", Condition: like}
	require.True(t, good.gives(item))
	for name, spoil := range map[string]func(*grant){
		"everybody":       func(g *grant) { g.Principal = []byte(`"*"`) },
		"another service": func(g *grant) { g.Principal = []byte(`{"Service":"s3.amazonaws.com"}`) },
		"any topic":       func(g *grant) { g.Condition = nil },
		"another topic":   func(g *grant) { g.Condition = map[string]map[string]string{"ArnLike": {"AWS:SourceArn": "arn:other"}} },
		"denied":          func(g *grant) { g.Effect = "Deny" },
		"another condition": func(g *grant) {
			g.Condition = map[string]map[string]string{"ArnLike": like["ArnLike"], "Bool": {"x": "true"}}
		},
	} {
		g := good
		spoil(&g)
		require.False(t, g.gives(item), name)
	}
}
