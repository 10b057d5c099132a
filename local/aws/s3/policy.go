package s3

import (
	"encoding/json"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/s3"

	"lifeline/local/aws/wire"
)

// policy is a bucket policy, as text and taken apart.
type policy struct {
	text       string
	Statements statements `json:"Statement"`
}

// statement is one sentence of a policy.
type statement struct {
	Effect    string
	Principal principal
	Action    words
	NotAction words
	Resource  words
	Condition json.RawMessage
}

// statements may be written as one or as a list.
type statements []statement

// UnmarshalJSON reads one statement or a list of them.
func (s *statements) UnmarshalJSON(raw []byte) error {
	if strings.HasPrefix(strings.TrimSpace(string(raw)), "{") {
		var single statement
		if err := json.Unmarshal(raw, &single); err != nil {
			return err
		}
		*s = statements{single}
		return nil
	}
	return json.Unmarshal(raw, (*[]statement)(s))
}

// words may be written as one string or as a list.
type words []string

// UnmarshalJSON reads one string or a list of them.
func (w *words) UnmarshalJSON(raw []byte) error {
	var single string
	if json.Unmarshal(raw, &single) == nil {
		*w = words{single}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(w))
}

// match says whether any of the words, which may hold * and ?, is v.
func (w words) match(v string, fold bool) bool {
	return slices.ContainsFunc(w, func(pattern string) bool {
		if fold {
			pattern, v = strings.ToLower(pattern), strings.ToLower(v)
		}
		// path.Match stops at slashes, policies don't.
		ok, err := path.Match(strings.NewReplacer("/", "\x00", "[", `\[`).Replace(pattern), strings.ReplaceAll(v, "/", "\x00"))
		return err == nil && ok
	})
}

// principal says whom a statement means; only "everybody" matters here, since
// all signed calls come from the bucket's own account.
type principal struct{ named, everybody bool }

// UnmarshalJSON reads "*", {"AWS": "*"} and lists.
func (p *principal) UnmarshalJSON(raw []byte) error {
	p.named = true
	var all words
	if json.Unmarshal(raw, &all) == nil {
		p.everybody = slices.Contains(all, "*")
		return nil
	}
	var by map[string]words
	if err := json.Unmarshal(raw, &by); err != nil {
		return err
	}
	p.everybody = slices.Contains(by["AWS"], "*")
	return nil
}

// conditional statements count as not matching: none of the conditions that AWS
// knows (source address, TLS, organisation) means anything in a simulator.
func (s statement) conditional() bool { return len(s.Condition) > 0 && string(s.Condition) != "null" }

// public says whether the policy opens the bucket to everybody.
func (p *policy) public() bool {
	return slices.ContainsFunc(p.Statements, func(s statement) bool {
		return s.Effect == "Allow" && s.Principal.everybody && !s.conditional()
	})
}

// allows says whether everybody may do this: allowed and not denied.
func (p *policy) allows(action, arn string) bool {
	verdict := func(effect string) bool {
		return slices.ContainsFunc(p.Statements, func(s statement) bool {
			return s.Effect == effect && s.Principal.everybody && !s.conditional() &&
				s.Action.match(action, true) && s.Resource.match(arn, false)
		})
	}
	return p != nil && verdict("Allow") && !verdict("Deny")
}

// anyone says whether a caller without credentials may do this.
func (b *bucket) anyone(action, key string) bool {
	arn := "arn:aws:s3:::" + b.name
	if key != "" {
		arn += "/" + key
	}
	return !aws.BoolValue(b.blocks().RestrictPublicBuckets) && b.policy.allows(action, arn)
}

// PutBucketPolicy sets the bucket policy; a public one is refused while public
// policies are blocked.
func (s *S3) PutBucketPolicy(c *wire.Call, in *sdk.PutBucketPolicyInput) (*sdk.PutBucketPolicyOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.change(c, in.Bucket)
	if err != nil {
		return nil, err
	}
	arn := bucketARN + b.name
	p, err := parsePolicy(*in.Policy, arn)
	if err != nil {
		return nil, err
	}
	if aws.BoolValue(b.blocks().BlockPublicPolicy) && p.public() {
		return nil, refuse(http.StatusForbidden, "AccessDenied",
			"User is not authorized to perform: s3:PutBucketPolicy on resource: \"%s\" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.", arn)
	}
	b.policy = p
	return nil, nil
}

// largestPolicy is how many bytes a bucket policy may have.
const largestPolicy = 20 << 10

// parsePolicy takes a policy for a bucket apart and refuses what S3 refuses.
func parsePolicy(text, arn string) (*policy, error) {
	p := &policy{text: text}
	if err := json.Unmarshal([]byte(text), p); err != nil || len(p.Statements) == 0 || len(text) > largestPolicy {
		return nil, badPolicy("Policies must be valid JSON and the first byte must be '{'")
	}
	for _, st := range p.Statements {
		switch {
		case st.Effect != "Allow" && st.Effect != "Deny":
			return nil, badPolicy("Invalid effect: %s", st.Effect)
		case !st.Principal.named:
			return nil, badPolicy("Missing required field Principal")
		case len(st.Action) == 0 && len(st.NotAction) == 0:
			return nil, badPolicy("Missing required field Action")
		case len(st.Resource) == 0:
			return nil, badPolicy("Missing required field Resource")
		}
		for _, r := range st.Resource {
			if r != arn && !strings.HasPrefix(r, arn+"/") {
				return nil, badPolicy("Policy has invalid resource")
			}
		}
	}
	return p, nil
}

func badPolicy(format string, args ...any) error {
	return refuse(http.StatusBadRequest, "MalformedPolicy", format, args...)
}

// GetBucketPolicyStatus says whether the bucket policy opens the bucket to everybody.
func (s *S3) GetBucketPolicyStatus(c *wire.Call, in *sdk.GetBucketPolicyStatusInput) (*sdk.GetBucketPolicyStatusOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.open(c, in.Bucket)
	switch {
	case err != nil:
		return nil, err
	case b.policy == nil:
		return nil, noSuchPolicy()
	}
	return &sdk.GetBucketPolicyStatusOutput{PolicyStatus: &sdk.PolicyStatus{IsPublic: aws.Bool(b.policy.public())}}, nil
}

func noSuchPolicy() error {
	return refuse(http.StatusNotFound, "NoSuchBucketPolicy", "The bucket policy does not exist")
}

// GetBucketPolicy tells the bucket policy.
func (s *S3) GetBucketPolicy(c *wire.Call, in *sdk.GetBucketPolicyInput) (*sdk.GetBucketPolicyOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.open(c, in.Bucket)
	if err != nil {
		return nil, err
	}
	if b.policy == nil {
		return nil, noSuchPolicy()
	}
	return &sdk.GetBucketPolicyOutput{Policy: aws.String(b.policy.text)}, nil
}

// DeleteBucketPolicy removes the bucket policy.
func (s *S3) DeleteBucketPolicy(c *wire.Call, in *sdk.DeleteBucketPolicyInput) (*sdk.DeleteBucketPolicyOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.change(c, in.Bucket)
	if err == nil {
		b.policy = nil
	}
	return nil, err
}

// PutPublicAccessBlock sets what public access is blocked; what is not said is not.
func (s *S3) PutPublicAccessBlock(c *wire.Call, in *sdk.PutPublicAccessBlockInput) (*sdk.PutPublicAccessBlockOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.change(c, in.Bucket)
	if err != nil {
		return nil, err
	}
	want := in.PublicAccessBlockConfiguration
	b.access = &sdk.PublicAccessBlockConfiguration{
		BlockPublicAcls: aws.Bool(aws.BoolValue(want.BlockPublicAcls)), IgnorePublicAcls: aws.Bool(aws.BoolValue(want.IgnorePublicAcls)),
		BlockPublicPolicy:     aws.Bool(aws.BoolValue(want.BlockPublicPolicy)),
		RestrictPublicBuckets: aws.Bool(aws.BoolValue(want.RestrictPublicBuckets)),
	}
	return nil, nil
}

// GetPublicAccessBlock tells what public access is blocked.
func (s *S3) GetPublicAccessBlock(c *wire.Call, in *sdk.GetPublicAccessBlockInput) (*sdk.GetPublicAccessBlockOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.open(c, in.Bucket)
	if err != nil {
		return nil, err
	}
	if b.access == nil {
		return nil, refuse(http.StatusNotFound, "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found")
	}
	return &sdk.GetPublicAccessBlockOutput{PublicAccessBlockConfiguration: clone(b.access)}, nil
}

// blocks is what public access is blocked, by the bucket or by its account:
// nothing without a configuration.
func (b *bucket) blocks() *sdk.PublicAccessBlockConfiguration {
	own, whole := b.access, b.account.access
	if own == nil {
		own = &sdk.PublicAccessBlockConfiguration{}
	}
	if whole == nil {
		whole = &sdk.PublicAccessBlockConfiguration{}
	}
	either := func(x, y *bool) *bool { return aws.Bool(aws.BoolValue(x) || aws.BoolValue(y)) }
	return &sdk.PublicAccessBlockConfiguration{
		BlockPublicAcls: either(own.BlockPublicAcls, whole.BlockPublicAcls), IgnorePublicAcls: either(own.IgnorePublicAcls, whole.IgnorePublicAcls),
		BlockPublicPolicy:     either(own.BlockPublicPolicy, whole.BlockPublicPolicy),
		RestrictPublicBuckets: either(own.RestrictPublicBuckets, whole.RestrictPublicBuckets),
	}
}

// AccountBlock is what public access the whole account blocks; nil when it was
// never said.
func (s *S3) AccountBlock() *sdk.PublicAccessBlockConfiguration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return clone(s.account.access)
}

// BlockAccount sets what public access the whole account blocks, on top of what
// each bucket does; nil takes it back.
func (s *S3) BlockAccount(access *sdk.PublicAccessBlockConfiguration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.account.access = clone(access)
}

// DeletePublicAccessBlock blocks nothing any more.
func (s *S3) DeletePublicAccessBlock(c *wire.Call, in *sdk.DeletePublicAccessBlockInput) (*sdk.DeletePublicAccessBlockOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.change(c, in.Bucket)
	if err == nil {
		b.access = nil
	}
	return nil, err
}
