package wire_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lifeline/local/aws/wire"
)

func self(s string) string { return s }

func limited(token *string, size int64) wire.Page {
	return wire.Page{Token: token, Size: &size, SizeName: "MaxRecords", Min: 1, Max: 100, Default: 100}
}

func TestPaginate_EveryItemOnce_WhateverAppearsBetween(t *testing.T) {
	t.Parallel()
	items := []string{"d", "b", "a", "c", "e"}

	first, token, err := wire.Paginate(limited(nil, 2), items, self)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, first)

	// "a0" comes up before the token, "b" goes away: neither shifts the rest.
	second, token, err := wire.Paginate(limited(token, 2), []string{"a", "a0", "c", "d", "e"}, self)
	require.NoError(t, err)
	require.Equal(t, []string{"c", "d"}, second)

	last, token, err := wire.Paginate(limited(token, 2), items, self)
	require.NoError(t, err)
	require.Equal(t, []string{"e"}, last)
	require.Nil(t, token)
}

func TestPaginate_FullLastPage_HasNoToken(t *testing.T) {
	t.Parallel()
	page, token, err := wire.Paginate(limited(nil, 2), []string{"a", "b"}, self)
	require.NoError(t, err)
	require.Len(t, page, 2)
	require.Nil(t, token)
}

func TestPaginate_BadInput_IsRefused(t *testing.T) {
	t.Parallel()
	_, _, err := wire.Paginate(limited(nil, 101), []string{"a"}, self)
	require.ErrorContains(t, err, "MaxRecords")
	made := "bm9uc2Vuc2U"
	_, _, err = wire.Paginate(limited(&made, 5), []string{"a"}, self)
	require.ErrorContains(t, err, "token")
}
