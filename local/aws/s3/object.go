package s3

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/s3"

	"lifeline/local/aws/wire"
)

// kept are the headers that an object keeps as its writer sent them.
func kept() []string {
	return []string{"Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Type", "Expires"}
}

// checksums are the headers that carry checksums; the wire has verified them.
func checksums() []string {
	return []string{
		"X-Amz-Checksum-Crc32", "X-Amz-Checksum-Crc32c", "X-Amz-Checksum-Crc64nvme", "X-Amz-Checksum-Sha1", "X-Amz-Checksum-Sha256",
	}
}

func headersOf(c *wire.Call, names []string) map[string]string {
	out := map[string]string{}
	if c.HTTP == nil {
		return out
	}
	for _, name := range names {
		if v := c.HTTP.Header.Get(name); v != "" {
			out[name] = v
		}
	}
	return out
}

func header(c *wire.Call, name string) string {
	if c.HTTP == nil {
		return ""
	}
	return c.HTTP.Header.Get(name)
}

func setHeader(c *wire.Call, name, value string) {
	if c.Header != nil {
		c.Header.Set(name, value)
	}
}

// writable judges If-None-Match and If-Match of a write.
func (b *bucket) writable(c *wire.Call, key string) error {
	live := b.live(key)
	none, match := header(c, "If-None-Match"), header(c, "If-Match")
	failed := refuse(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	switch {
	case none != "" && none != "*":
		return refuse(http.StatusNotImplemented, "NotImplemented", "A header you provided implies functionality that is not implemented")
	case none == "*" && live != nil:
		return failed
	case match != "" && live == nil:
		return noSuchKey()
	case match != "" && strings.Trim(match, `"`) != strings.Trim(live.etag, `"`):
		return failed
	}
	return nil
}

func noSuchKey() error {
	return refuse(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
}

// PutObjectAPI stores an object.
func (s *S3) PutObjectAPI(c *wire.Call, in *sdk.PutObjectInput) (*sdk.PutObjectOutput, error) {
	var body []byte
	if in.Body != nil {
		var err error
		if body, err = io.ReadAll(in.Body); err != nil {
			return nil, refuse(http.StatusBadRequest, "IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header")
		}
	}
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
	if err := b.writable(c, *in.Key); err != nil {
		return nil, err
	}
	v := &version{
		body: body, etag: etagOf(body), headers: headersOf(c, kept()), metadata: in.Metadata, tags: tags,
		checksums: headersOf(c, checksums()), storageClass: aws.StringValue(in.StorageClass),
	}
	b.encrypt(v, in.ServerSideEncryption, in.SSEKMSKeyId)
	s.add(b, *in.Key, v)
	for name, value := range v.checksums {
		setHeader(c, name, value)
	}
	return &sdk.PutObjectOutput{
		ETag: aws.String(v.etag), VersionId: b.visibleID(v), ServerSideEncryption: aws.String(v.encryption), SSEKMSKeyId: optional(v.key),
		BucketKeyEnabled: bucketKeyOf(v),
	}, nil
}

// encrypt notes how a version is encrypted: as asked, or as the bucket says.
func (b *bucket) encrypt(v *version, algorithm, key *string) {
	rule := b.encryption.Rules[0]
	byDefault := rule.ApplyServerSideEncryptionByDefault
	v.encryption, v.key = *byDefault.SSEAlgorithm, aws.StringValue(byDefault.KMSMasterKeyID)
	if algorithm != nil {
		v.encryption, v.key = *algorithm, aws.StringValue(key)
	}
	v.bucketKey = aws.BoolValue(rule.BucketKeyEnabled) && v.encryption == sdk.ServerSideEncryptionAwsKms
}

// bucketKeyOf is the member of answers: it goes unsaid when there is none.
func bucketKeyOf(v *version) *bool {
	if !v.bucketKey {
		return nil
	}
	return aws.Bool(true)
}

// archived says whether objects of a storage class must be restored before they
// can be read; GLACIER_IR is read at once.
func archived(class string) bool {
	return class == sdk.StorageClassGlacier || class == sdk.StorageClassDeepArchive
}

func optional(v string) *string {
	if v == "" {
		return nil
	}
	return &v
}

func parseTags(header string) ([]*sdk.Tag, error) {
	values, err := url.ParseQuery(header)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "InvalidArgument", "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.")
	}
	var out []*sdk.Tag
	for key, vs := range values {
		out = append(out, &sdk.Tag{Key: aws.String(key), Value: aws.String(vs[0])})
	}
	return out, checkTags(out, 10)
}

// readable finds the version that a read means, for whoever asks.
func (s *S3) readable(c *wire.Call, bucketName, key, versionID *string) (*bucket, *version, error) {
	b, err := s.locate(c, bucketName)
	if err != nil {
		return nil, nil, err
	}
	if c.Caller == "" && !b.anyone("s3:GetObject", *key) {
		return nil, nil, denied()
	}
	if versionID == nil {
		if v := b.live(*key); v != nil {
			return b, v, nil
		}
		// Without the right to list, even absence is a secret.
		if !s.mayList(c, b) {
			return nil, nil, denied()
		}
		if b.objects[*key].current() != nil {
			setHeader(c, "X-Amz-Delete-Marker", "true")
		}
		return nil, nil, noSuchKey()
	}
	switch v := b.objects[*key].find(*versionID); {
	case v == nil:
		return nil, nil, refuse(http.StatusNotFound, "NoSuchVersion", "The specified version does not exist.")
	case v.marker:
		return nil, nil, refuse(http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.")
	default:
		return b, v, nil
	}
}

// mayList says whether the caller may know what is not in a bucket.
func (s *S3) mayList(c *wire.Call, b *bucket) bool {
	if c.Caller == "" {
		return b.anyone("s3:ListBucket", "")
	}
	return s.world.Allowed(c.Caller, "s3:ListBucket")
}

// unchanged judges the conditions of a read.
func unchanged(c *wire.Call, v *version) error {
	match, none := header(c, "If-Match"), header(c, "If-None-Match")
	same := func(tag string) bool { return tag == "*" || strings.Trim(tag, `"`) == strings.Trim(v.etag, `"`) }
	switch {
	case match != "" && !same(match):
		return refuse(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	case none != "" && same(none):
		return refuse(http.StatusNotModified, "NotModified", "Not Modified")
	}
	return nil
}

// describe sets the headers of an answer about a version.
func (s *S3) describe(c *wire.Call, v *version) {
	for name, value := range v.headers {
		setHeader(c, name, value)
	}
	if v.headers["Content-Type"] == "" {
		setHeader(c, "Content-Type", "binary/octet-stream")
	}
	if header(c, "X-Amz-Checksum-Mode") == "ENABLED" && header(c, "Range") == "" {
		for name, value := range v.checksums {
			setHeader(c, name, value)
		}
	}
}

// GetObjectAPI reads an object, or a part of it.
func (s *S3) GetObjectAPI(c *wire.Call, in *sdk.GetObjectInput) (*sdk.GetObjectOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, v, err := s.readable(c, in.Bucket, in.Key, in.VersionId)
	if err != nil {
		return nil, err
	}
	if err := unchanged(c, v); err != nil {
		return nil, err
	}
	if archived(v.storageClass) {
		return nil, refuse(http.StatusForbidden, "InvalidObjectState", "The operation is not valid for the object's storage class")
	}
	body, span, err := cut(v.body, aws.StringValue(in.Range))
	if err != nil {
		return nil, err
	}
	s.describe(c, v)
	out := &sdk.GetObjectOutput{
		Body: io.NopCloser(bytes.NewReader(body)), ETag: aws.String(v.etag), LastModified: aws.Time(v.modified),
		VersionId: b.visibleID(v), Metadata: maps.Clone(v.metadata), AcceptRanges: aws.String("bytes"),
		ReplicationStatus: optional(v.replication), ServerSideEncryption: aws.String(v.encryption),
		SSEKMSKeyId: optional(v.key), StorageClass: shownClass(v), ContentRange: optional(span), BucketKeyEnabled: bucketKeyOf(v),
	}
	if len(v.tags) > 0 {
		out.TagCount = aws.Int64(int64(len(v.tags)))
	}
	if span != "" {
		c.Status = http.StatusPartialContent
	}
	return out, nil
}

// shownClass is the storage class as answers carry it: STANDARD goes unsaid.
func shownClass(v *version) *string {
	if v.storageClass == sdk.StorageClassStandard {
		return nil
	}
	return optional(v.storageClass)
}

// HeadObject tells about an object.
func (s *S3) HeadObject(c *wire.Call, in *sdk.HeadObjectInput) (*sdk.HeadObjectOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, v, err := s.readable(c, in.Bucket, in.Key, in.VersionId)
	if err != nil {
		return nil, err
	}
	if err := unchanged(c, v); err != nil {
		return nil, err
	}
	s.describe(c, v)
	return &sdk.HeadObjectOutput{
		ContentLength: aws.Int64(int64(len(v.body))), ETag: aws.String(v.etag), LastModified: aws.Time(v.modified),
		VersionId: b.visibleID(v), Metadata: maps.Clone(v.metadata), AcceptRanges: aws.String("bytes"),
		ReplicationStatus: optional(v.replication), ServerSideEncryption: aws.String(v.encryption),
		SSEKMSKeyId: optional(v.key), StorageClass: shownClass(v), BucketKeyEnabled: bucketKeyOf(v),
	}, nil
}

// CopyObject makes a new object from one that exists, here or in another bucket.
func (s *S3) CopyObject(c *wire.Call, in *sdk.CopyObjectInput) (*sdk.CopyObjectOutput, error) {
	source, id, err := parseSource(*in.CopySource)
	if err != nil {
		return nil, err
	}
	fromName, fromKey, _ := strings.Cut(source, "/")
	s.mu.Lock()
	defer s.mu.Unlock()
	to, err := s.open(c, in.Bucket)
	if err != nil {
		return nil, err
	}
	from, v, err := s.copySource(c.Region, fromName, fromKey, id)
	if err != nil {
		return nil, err
	}
	if m := aws.StringValue(in.CopySourceIfMatch); m != "" && strings.Trim(m, `"`) != strings.Trim(v.etag, `"`) {
		return nil, refuse(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	}
	replace := aws.StringValue(in.MetadataDirective) == sdk.MetadataDirectiveReplace
	if from == to && fromKey == *in.Key && !replace && in.StorageClass == nil && in.ServerSideEncryption == nil {
		return nil, refuse(http.StatusBadRequest, "InvalidRequest",
			"This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.")
	}
	next := &version{
		body: v.body, etag: etagOf(v.body), headers: v.headers, metadata: v.metadata, tags: v.tags,
		checksums: v.checksums, storageClass: aws.StringValue(in.StorageClass),
	}
	if replace {
		next.headers, next.metadata = headersOf(c, kept()), in.Metadata
	}
	to.encrypt(next, in.ServerSideEncryption, in.SSEKMSKeyId)
	s.add(to, *in.Key, next)
	return &sdk.CopyObjectOutput{
		VersionId: to.visibleID(next), CopySourceVersionId: from.visibleID(v), ServerSideEncryption: aws.String(next.encryption),
		CopyObjectResult: &sdk.CopyObjectResult{ETag: aws.String(next.etag), LastModified: aws.Time(next.modified)},
	}, nil
}

func parseSource(raw string) (source string, id *string, err error) {
	path, query, versioned := strings.Cut(raw, "?versionId=")
	source, err = url.PathUnescape(strings.TrimPrefix(path, "/"))
	if err != nil || !strings.Contains(source, "/") {
		return "", nil, refuse(http.StatusBadRequest, "InvalidArgument", "Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
	}
	if versioned {
		id = &query
	}
	return source, id, nil
}

// copySource reads across Regions, as far as the network between them goes.
func (s *S3) copySource(region, name, key string, id *string) (*bucket, *version, error) {
	b, ok := s.buckets[name]
	if !ok {
		return nil, nil, noSuchBucket()
	}
	if b.region != region && !s.world.Reachable(region, b.region) {
		return nil, nil, refuse(http.StatusServiceUnavailable, "ServiceUnavailable", "Service is unable to handle request.")
	}
	v := b.live(key)
	if id != nil {
		v = b.objects[key].find(*id)
	}
	switch {
	case v == nil || v.marker:
		return nil, nil, noSuchKey()
	case archived(v.storageClass):
		return nil, nil, refuse(http.StatusForbidden, "ObjectNotInActiveTierError", "The source object of the COPY action is not in the active tier")
	}
	return b, v, nil
}
