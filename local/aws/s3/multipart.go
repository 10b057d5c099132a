package s3

import (
	"bytes"
	"cmp"
	"crypto/md5" // what an ETag is
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/s3"

	"lifeline/local/aws/wire"
)

// smallestPart is the least that every part but the last must have.
const smallestPart = 5 << 20

// upload is an upload in parts that is not finished.
type upload struct {
	bucket, key string
	started     time.Time
	parts       map[int64][]byte
	version     *version // what it will be
}

func noSuchUpload() error {
	return refuse(http.StatusNotFound, "NoSuchUpload",
		"The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.")
}

// CreateMultipartUpload begins an upload in parts.
func (s *S3) CreateMultipartUpload(c *wire.Call, in *sdk.CreateMultipartUploadInput) (*sdk.CreateMultipartUploadOutput, error) {
	tags, err := parseTags(aws.StringValue(in.Tagging))
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.open(c, in.Bucket)
	if err != nil {
		return nil, err
	}
	v := &version{
		headers: headersOf(c, kept()), metadata: in.Metadata, tags: tags, storageClass: aws.StringValue(in.StorageClass),
	}
	b.encrypt(v, in.ServerSideEncryption, in.SSEKMSKeyId)
	id := s.versionID()
	s.uploads[id] = &upload{bucket: b.name, key: *in.Key, started: s.world.Now(), parts: map[int64][]byte{}, version: v}
	return &sdk.CreateMultipartUploadOutput{
		Bucket: aws.String(b.name), Key: aws.String(*in.Key), UploadId: aws.String(id), ServerSideEncryption: aws.String(v.encryption),
	}, nil
}

// pending finds an unfinished upload; s.mu is held.
func (s *S3) pending(c *wire.Call, bucketName, key, id *string) (*bucket, *upload, error) {
	b, err := s.open(c, bucketName)
	if err != nil {
		return nil, nil, err
	}
	u, ok := s.uploads[aws.StringValue(id)]
	if !ok || u.bucket != b.name || u.key != aws.StringValue(key) {
		return nil, nil, noSuchUpload()
	}
	return b, u, nil
}

// UploadPart stores one part; a number used twice keeps the newer one.
func (s *S3) UploadPart(c *wire.Call, in *sdk.UploadPartInput) (*sdk.UploadPartOutput, error) {
	const most = 10_000
	if n := *in.PartNumber; n < 1 || n > most {
		return nil, refuse(http.StatusBadRequest, "InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
	}
	var body []byte
	if in.Body != nil {
		var err error
		if body, err = io.ReadAll(in.Body); err != nil {
			return nil, refuse(http.StatusBadRequest, "IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header")
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, u, err := s.pending(c, in.Bucket, in.Key, in.UploadId)
	if err != nil {
		return nil, err
	}
	u.parts[*in.PartNumber] = body
	for name, value := range headersOf(c, checksums()) {
		setHeader(c, name, value)
	}
	return &sdk.UploadPartOutput{ETag: aws.String(etagOf(body)), ServerSideEncryption: aws.String(u.version.encryption)}, nil
}

// CompleteMultipartUpload makes an object of the parts that are named, in order.
func (s *S3) CompleteMultipartUpload(c *wire.Call, in *sdk.CompleteMultipartUploadInput) (*sdk.CompleteMultipartUploadOutput, error) {
	if in.MultipartUpload == nil || len(in.MultipartUpload.Parts) == 0 {
		return nil, malformed()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, u, err := s.pending(c, in.Bucket, in.Key, in.UploadId)
	if err != nil {
		return nil, err
	}
	if err := b.writable(c, u.key); err != nil {
		return nil, err
	}
	body, sums, err := u.assemble(in.MultipartUpload.Parts)
	if err != nil {
		return nil, err
	}
	whole := md5.Sum(sums) // what an ETag is
	u.version.body = body
	u.version.etag = fmt.Sprintf(`"%s-%d"`, hex.EncodeToString(whole[:]), len(in.MultipartUpload.Parts))
	delete(s.uploads, *in.UploadId)
	s.add(b, u.key, u.version)
	return &sdk.CompleteMultipartUploadOutput{
		Bucket: aws.String(b.name), Key: aws.String(u.key), ETag: aws.String(u.version.etag),
		VersionId: b.visibleID(u.version), Location: aws.String("/" + b.name + "/" + u.key), ServerSideEncryption: aws.String(u.version.encryption),
	}, nil
}

// assemble joins parts and their MD5 sums.
func (u *upload) assemble(parts []*sdk.CompletedPart) (body, sums []byte, err error) {
	ascending := slices.IsSortedFunc(parts, func(a, b *sdk.CompletedPart) int {
		return cmp.Compare(aws.Int64Value(a.PartNumber), aws.Int64Value(b.PartNumber))
	})
	if !ascending {
		return nil, nil, refuse(http.StatusBadRequest, "InvalidPartOrder", "The list of parts was not in ascending order. Parts must be ordered by part number.")
	}
	var out bytes.Buffer
	for i, p := range parts {
		part, ok := u.parts[aws.Int64Value(p.PartNumber)]
		switch {
		case !ok || strings.Trim(aws.StringValue(p.ETag), `"`) != strings.Trim(etagOf(part), `"`):
			return nil, nil, refuse(http.StatusBadRequest, "InvalidPart", "One or more of the specified parts could not be found.")
		case i < len(parts)-1 && len(part) < smallestPart:
			return nil, nil, refuse(http.StatusBadRequest, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
		}
		sum := md5.Sum(part) // what an ETag is
		sums = append(sums, sum[:]...)
		out.Write(part)
	}
	return out.Bytes(), sums, nil
}

// AbortMultipartUpload throws the parts away.
func (s *S3) AbortMultipartUpload(c *wire.Call, in *sdk.AbortMultipartUploadInput) (*sdk.AbortMultipartUploadOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, _, err := s.pending(c, in.Bucket, in.Key, in.UploadId); err != nil {
		return nil, err
	}
	delete(s.uploads, *in.UploadId)
	return nil, nil
}
