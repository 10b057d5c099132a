package wire

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
)

// maxBody bounds a request. AWS takes larger objects, but nothing that Lifeline
// stores comes near it.
const maxBody = 64 << 20

// nvme is the polynomial of CRC-64/NVME, bits reversed.
const nvme = 0x9a6c9329ac4bc9b5

// readBody reads the whole body, without its chunks. Trailers become headers,
// which is what they mean.
func readBody(r *http.Request) ([]byte, *Error) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, refuse(malformedBody, "read body: %v", err)
	}
	if len(raw) > maxBody {
		return nil, refuse(tooLarge, "Your proposed upload exceeds the maximum allowed size of %d bytes", maxBody)
	}
	if isChunked(r) {
		if raw, err = dechunk(raw, r.Header); err != nil {
			return nil, refuse(malformedBody, "%v", err)
		}
		r.Header.Set("Content-Encoding", withoutCoding(r.Header.Get("Content-Encoding"), "aws-chunked"))
		if r.Header.Get("Content-Encoding") == "" {
			r.Header.Del("Content-Encoding")
		}
	}
	return raw, nil
}

func isChunked(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") ||
		strings.Contains(r.Header.Get("Content-Encoding"), "aws-chunked")
}

func withoutCoding(header, coding string) string {
	var kept []string
	for _, c := range strings.Split(header, ",") {
		if c = strings.TrimSpace(c); c != "" && c != coding {
			kept = append(kept, c)
		}
	}
	return strings.Join(kept, ",")
}

// dechunk takes aws-chunked apart: hex size, optional signature, data, and after
// the last chunk the trailers, which it adds to header.
func dechunk(raw []byte, header http.Header) ([]byte, error) {
	in := bufio.NewReader(bytes.NewReader(raw))
	var out bytes.Buffer
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return nil, fmt.Errorf("aws-chunked body ends early: %w", err)
		}
		text, _, _ := strings.Cut(strings.TrimRight(line, "\r\n"), ";")
		size, err := strconv.ParseInt(text, 16, 64)
		if err != nil || size < 0 || size > maxBody {
			return nil, fmt.Errorf("aws-chunked size %q", text)
		}
		if size == 0 {
			break
		}
		if _, err := io.CopyN(&out, in, size); err != nil {
			return nil, fmt.Errorf("aws-chunked body ends early: %w", err)
		}
		if end, err := in.ReadString('\n'); err != nil || strings.TrimRight(end, "\r\n") != "" {
			return nil, errors.New("aws-chunked chunk is longer than its size")
		}
	}
	if err := readTrailers(in, header); err != nil {
		return nil, err
	}
	if want := header.Get("X-Amz-Decoded-Content-Length"); want != "" && want != strconv.Itoa(out.Len()) {
		return nil, fmt.Errorf("decoded %d bytes, X-Amz-Decoded-Content-Length says %s", out.Len(), want)
	}
	return out.Bytes(), nil
}

func readTrailers(in *bufio.Reader, header http.Header) error {
	for {
		line, err := in.ReadString('\n')
		line = strings.TrimRight(line, "\r\n")
		if key, value, ok := strings.Cut(line, ":"); ok {
			header.Set(textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(key)), strings.TrimSpace(value))
		}
		if errors.Is(err, io.EOF) || line == "" {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read trailers: %w", err)
		}
	}
}

// checkDigests compares the body with every checksum that the client sent for it.
func checkDigests(body []byte, header http.Header) *Error {
	for name, digest := range map[string]func() hash.Hash{
		"X-Amz-Checksum-Crc32":     func() hash.Hash { return crc32.NewIEEE() },
		"X-Amz-Checksum-Crc32c":    func() hash.Hash { return crc32.New(crc32.MakeTable(crc32.Castagnoli)) },
		"X-Amz-Checksum-Crc64nvme": func() hash.Hash { return crc64.New(crc64.MakeTable(nvme)) },
		"X-Amz-Checksum-Sha1":      sha1.New,
		"X-Amz-Checksum-Sha256":    sha256.New,
		"Content-Md5":              md5.New,
	} {
		want := header.Get(name)
		if want == "" {
			continue
		}
		sum := digest()
		sum.Write(body)
		if base64.StdEncoding.EncodeToString(sum.Sum(nil)) != want {
			return refuse(badDigest, "The %s you specified did not match the calculated checksum", name)
		}
	}
	want := header.Get("X-Amz-Content-Sha256")
	if len(want) != 2*sha256.Size {
		return nil // UNSIGNED-PAYLOAD, STREAMING-..., or none
	}
	if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) != strings.ToLower(want) {
		return refuse(badDigest, "The provided 'x-amz-content-sha256' header does not match what was computed")
	}
	return nil
}

// gunzip unpacks a compressed request; CloudWatch's clients compress metrics.
func gunzip(body []byte) ([]byte, *Error) {
	in, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, refuse(malformedBody, "Content-Encoding is gzip, the body is not: %v", err)
	}
	out, err := io.ReadAll(io.LimitReader(in, maxBody+1))
	switch {
	case err != nil:
		return nil, refuse(malformedBody, "unpack body: %v", err)
	case len(out) > maxBody:
		return nil, refuse(tooLarge, "The unpacked body exceeds %d bytes", maxBody)
	}
	return out, nil
}
