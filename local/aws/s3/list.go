package s3

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/s3"

	"lifeline/local/aws/wire"
)

const mostKeys = 1000

// listing is one request to list keys.
type listing struct {
	prefix, delimiter, after string
	limit                    int
	encode                   bool
}

func newListing(prefix, delimiter, encoding *string, limit *int64) (listing, error) {
	l := listing{
		prefix: aws.StringValue(prefix), delimiter: aws.StringValue(delimiter),
		encode: aws.StringValue(encoding) == sdk.EncodingTypeUrl, limit: mostKeys,
	}
	if limit != nil {
		if *limit < 0 {
			return l, refuse(http.StatusBadRequest, "InvalidArgument", "Argument maxKeys must be an integer between 0 and 2147483647")
		}
		l.limit = min(mostKeys, int(*limit))
	}
	return l, nil
}

// name encodes a key as the request wants it.
func (l listing) name(key string) *string {
	if l.encode {
		key = strings.ReplaceAll(url.QueryEscape(key), "%2F", "/")
	}
	return aws.String(key)
}

// page is one page of a listing: keys and common prefixes count alike.
type page struct {
	keys     []string
	prefixes []*sdk.CommonPrefix
	last     string // "" when this page is the last one
}

// page walks the keys in order, from the one after l.after.
func (l listing) page(keys []string) page {
	var p page
	n, seen, last := 0, "", ""
	for _, key := range keys {
		group := ""
		if rest := key[len(l.prefix):]; l.delimiter != "" {
			if i := strings.Index(rest, l.delimiter); i >= 0 {
				group = key[:len(l.prefix)+i+len(l.delimiter)]
			}
		}
		if key <= l.after || (group != "" && (group == seen || strings.HasPrefix(l.after, group))) {
			continue
		}
		if n == l.limit {
			p.last = last
			return p
		}
		n++
		if group != "" {
			seen, last = group, group
			p.prefixes = append(p.prefixes, &sdk.CommonPrefix{Prefix: l.name(group)})
			continue
		}
		last = key
		p.keys = append(p.keys, key)
	}
	return p
}

// listable finds a bucket for whoever lists it.
func (s *S3) listable(c *wire.Call, name *string) (*bucket, error) {
	b, err := s.locate(c, name)
	if err == nil && c.Caller == "" && !b.anyone("s3:ListBucket", "") {
		return nil, denied()
	}
	return b, err
}

// livingKeys are the keys that have a current version which is no delete marker.
func (b *bucket) livingKeys(prefix string) []string {
	var out []string
	for _, key := range b.keys(prefix) {
		if b.live(key) != nil {
			out = append(out, key)
		}
	}
	return out
}

func (b *bucket) contents(l listing, keys []string) []*sdk.Object {
	var out []*sdk.Object
	for _, key := range keys {
		v := b.live(key)
		out = append(out, &sdk.Object{
			Key: l.name(key), ETag: aws.String(v.etag), LastModified: aws.Time(v.modified), Size: aws.Int64(int64(len(v.body))),
			StorageClass: aws.String(orStandard(v.storageClass)),
		})
	}
	return out
}

func orStandard(class string) string {
	if class == "" {
		return sdk.StorageClassStandard
	}
	return class
}

// ListObjectsV2 lists current objects.
func (s *S3) ListObjectsV2(c *wire.Call, in *sdk.ListObjectsV2Input) (*sdk.ListObjectsV2Output, error) {
	l, err := newListing(in.Prefix, in.Delimiter, in.EncodingType, in.MaxKeys)
	if err != nil {
		return nil, err
	}
	l.after = aws.StringValue(in.StartAfter)
	if in.ContinuationToken != nil {
		raw, err := base64.StdEncoding.DecodeString(*in.ContinuationToken)
		if err != nil {
			return nil, refuse(http.StatusBadRequest, "InvalidArgument", "The continuation token provided is incorrect")
		}
		l.after = string(raw)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.listable(c, in.Bucket)
	if err != nil {
		return nil, err
	}
	p := l.page(b.livingKeys(l.prefix))
	out := &sdk.ListObjectsV2Output{
		Name: aws.String(b.name), Prefix: l.name(l.prefix), MaxKeys: aws.Int64(int64(l.limit)), IsTruncated: aws.Bool(p.last != ""),
		KeyCount: aws.Int64(int64(len(p.keys) + len(p.prefixes))), Contents: b.contents(l, p.keys), CommonPrefixes: p.prefixes,
		EncodingType: in.EncodingType, ContinuationToken: in.ContinuationToken, StartAfter: in.StartAfter,
	}
	if l.delimiter != "" {
		out.Delimiter = l.name(l.delimiter)
	}
	if p.last != "" {
		out.NextContinuationToken = aws.String(base64.StdEncoding.EncodeToString([]byte(p.last)))
	}
	return out, nil
}

// ListObjects lists current objects the old way.
func (s *S3) ListObjects(c *wire.Call, in *sdk.ListObjectsInput) (*sdk.ListObjectsOutput, error) {
	l, err := newListing(in.Prefix, in.Delimiter, in.EncodingType, in.MaxKeys)
	if err != nil {
		return nil, err
	}
	l.after = aws.StringValue(in.Marker)
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.listable(c, in.Bucket)
	if err != nil {
		return nil, err
	}
	p := l.page(b.livingKeys(l.prefix))
	out := &sdk.ListObjectsOutput{
		Name: aws.String(b.name), Prefix: l.name(l.prefix), Marker: l.name(l.after), MaxKeys: aws.Int64(int64(l.limit)),
		IsTruncated: aws.Bool(p.last != ""), Contents: b.contents(l, p.keys), CommonPrefixes: p.prefixes, EncodingType: in.EncodingType,
	}
	if l.delimiter != "" {
		out.Delimiter = l.name(l.delimiter)
		if p.last != "" {
			out.NextMarker = l.name(p.last)
		}
	}
	return out, nil
}

// ListObjectVersions lists all versions and delete markers, newest first within
// a key. A page always holds all versions of its keys.
func (s *S3) ListObjectVersions(c *wire.Call, in *sdk.ListObjectVersionsInput) (*sdk.ListObjectVersionsOutput, error) {
	l, err := newListing(in.Prefix, in.Delimiter, in.EncodingType, in.MaxKeys)
	if err != nil {
		return nil, err
	}
	l.after = aws.StringValue(in.KeyMarker)
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.open(c, in.Bucket)
	if err != nil {
		return nil, err
	}
	p := l.page(b.keys(l.prefix))
	out := &sdk.ListObjectVersionsOutput{
		Name: aws.String(b.name), Prefix: l.name(l.prefix), KeyMarker: l.name(l.after), MaxKeys: aws.Int64(int64(l.limit)),
		IsTruncated: aws.Bool(p.last != ""), CommonPrefixes: p.prefixes, EncodingType: in.EncodingType,
	}
	for _, key := range p.keys {
		s.addVersions(out, l, b.objects[key])
	}
	if p.last != "" {
		out.NextKeyMarker = l.name(p.last)
	}
	return out, nil
}

func (s *S3) addVersions(out *sdk.ListObjectVersionsOutput, l listing, o *object) {
	for i := len(o.versions) - 1; i >= 0; i-- {
		v, latest := o.versions[i], aws.Bool(i == len(o.versions)-1)
		if v.marker {
			out.DeleteMarkers = append(out.DeleteMarkers, &sdk.DeleteMarkerEntry{
				Key: l.name(o.key), VersionId: aws.String(v.id), IsLatest: latest, LastModified: aws.Time(v.modified), Owner: s.owner(),
			})
			continue
		}
		out.Versions = append(out.Versions, &sdk.ObjectVersion{
			Key: l.name(o.key), VersionId: aws.String(v.id), IsLatest: latest, LastModified: aws.Time(v.modified), Owner: s.owner(),
			ETag: aws.String(v.etag), Size: aws.Int64(int64(len(v.body))), StorageClass: aws.String(orStandard(v.storageClass)),
		})
	}
}
