package iam

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/iam"

	"lifeline/local/aws/iam/policy"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// IAM is the service: one state for all Regions.
type IAM struct {
	world *world.World

	mu       sync.Mutex
	roles    map[string]*role // by name in small letters
	policies map[string]*managed
	profiles map[string]*profile // by name
}

// New makes an IAM that holds AWS's own policies and nothing else.
func New(w *world.World) *IAM {
	i := &IAM{world: w, roles: map[string]*role{}, policies: map[string]*managed{}, profiles: map[string]*profile{}}
	i.addOwn(w.Now())
	return i
}

// Wire is the service's API.
func (i *IAM) Wire() *wire.Service {
	w := wire.NewService("iam", sdk.New(wire.V1Session()), wire.Query)
	i.handleRoles(w)
	wire.Handle(w, "GetAccountAuthorizationDetails", i.GetAccountAuthorizationDetails)
	wire.Handle(w, "CreatePolicy", i.CreatePolicy)
	wire.Handle(w, "GetPolicy", i.GetPolicy)
	wire.Handle(w, "ListPolicies", i.ListPolicies)
	wire.Handle(w, "DeletePolicy", i.DeletePolicy)
	wire.Handle(w, "CreatePolicyVersion", i.CreatePolicyVersion)
	wire.Handle(w, "GetPolicyVersion", i.GetPolicyVersion)
	wire.Handle(w, "ListPolicyVersions", i.ListPolicyVersions)
	wire.Handle(w, "DeletePolicyVersion", i.DeletePolicyVersion)
	wire.Handle(w, "CreateInstanceProfile", i.CreateInstanceProfile)
	wire.Handle(w, "GetInstanceProfile", i.GetInstanceProfile)
	wire.Handle(w, "ListInstanceProfiles", i.ListInstanceProfiles)
	wire.Handle(w, "ListInstanceProfilesForRole", i.ListInstanceProfilesForRole)
	wire.Handle(w, "AddRoleToInstanceProfile", i.AddRoleToInstanceProfile)
	wire.Handle(w, "RemoveRoleFromInstanceProfile", i.RemoveRoleFromInstanceProfile)
	wire.Handle(w, "DeleteInstanceProfile", i.DeleteInstanceProfile)
	return w
}

func (i *IAM) handleRoles(w *wire.Service) {
	wire.Handle(w, "CreateRole", i.CreateRole)
	wire.Handle(w, "GetRole", i.GetRole)
	wire.Handle(w, "ListRoles", i.ListRoles)
	wire.Handle(w, "UpdateRole", i.UpdateRole)
	wire.Handle(w, "UpdateAssumeRolePolicy", i.UpdateAssumeRolePolicy)
	wire.Handle(w, "DeleteRole", i.DeleteRole)
	wire.Handle(w, "CreateServiceLinkedRole", i.CreateServiceLinkedRole)
	wire.Handle(w, "TagRole", i.TagRole)
	wire.Handle(w, "UntagRole", i.UntagRole)
	wire.Handle(w, "ListRoleTags", i.ListRoleTags)
	wire.Handle(w, "PutRolePolicy", i.PutRolePolicy)
	wire.Handle(w, "GetRolePolicy", i.GetRolePolicy)
	wire.Handle(w, "ListRolePolicies", i.ListRolePolicies)
	wire.Handle(w, "DeleteRolePolicy", i.DeleteRolePolicy)
	wire.Handle(w, "AttachRolePolicy", i.AttachRolePolicy)
	wire.Handle(w, "DetachRolePolicy", i.DetachRolePolicy)
	wire.Handle(w, "ListAttachedRolePolicies", i.ListAttachedRolePolicies)
}

func missing(format string, args ...any) error {
	return wire.Errorf(http.StatusNotFound, sdk.ErrCodeNoSuchEntityException, format, args...)
}

func taken(format string, args ...any) error {
	return wire.Errorf(http.StatusConflict, sdk.ErrCodeEntityAlreadyExistsException, format, args...)
}

func inUse(format string, args ...any) error {
	return wire.Errorf(http.StatusConflict, sdk.ErrCodeDeleteConflictException, format, args...)
}

func tooMany(quota string, most int) error {
	return wire.Errorf(http.StatusConflict, sdk.ErrCodeLimitExceededException, "Cannot exceed quota for %s: %d", quota, most)
}

func invalidInput(format string, args ...any) error {
	return wire.Errorf(http.StatusBadRequest, sdk.ErrCodeInvalidInputException, format, args...)
}

// parsed reads a document, or refuses it as IAM does.
func parsed(text string, kind policy.Kind) (policy.Document, error) {
	d, err := policy.Parse(text, kind)
	if err != nil {
		return d, wire.Errorf(http.StatusBadRequest, sdk.ErrCodeMalformedPolicyDocumentException, "%v", err)
	}
	return d, nil
}

// encoded is a document as answers carry it.
func encoded(document string) *string {
	return aws.String(strings.ReplaceAll(url.QueryEscape(document), "+", "%20"))
}

// size is what AWS counts of a document: everything but white space.
func size(document string) int {
	return len(strings.Join(strings.Fields(document), ""))
}

// newID is a unique id such as AROA and seventeen more characters.
func newID(prefix string) string { return prefix + rand.Text()[:17] }

// pathOf checks a path; none is "/".
func pathOf(given *string) (string, error) {
	path := aws.StringValue(given)
	if path == "" {
		return "/", nil
	}
	if !regexp.MustCompile(`^/([!-~]+/)?$`).MatchString(path) {
		return "", wire.Invalid("The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.")
	}
	return path, nil
}

func (i *IAM) arn(kind, path, name string) string {
	return "arn:aws:iam::" + i.world.Account() + ":" + kind + path + name
}

// page gives one page of a list in the order of its keys. truncated says whether
// there is another.
func page[T any](marker *string, most *int64, items []T, key func(T) string) (out []T, next *string, truncated *bool, err error) {
	out, next, err = wire.Paginate(
		wire.Page{Token: marker, Size: most, SizeName: "maxItems", Min: 1, Max: 1000, Default: 100}, items, key)
	if out == nil {
		out = []T{}
	}
	return out, next, aws.Bool(next != nil), err
}
