package kms

import (
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/kms"

	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// Roles says which roles a key policy may name.
type Roles interface {
	RoleExists(arn string) bool
}

// Callers says who an access key belongs to.
type Callers interface {
	// Principals are the ARNs under which policies know the caller.
	Principals(caller string) []string
}

// Options configure KMS.
type Options struct {
	Roles   Roles   // nil: any role may be named
	Callers Callers // nil: each access key is a user of its own
}

// KMS is the service in all Regions.
type KMS struct {
	world   *world.World
	roles   Roles
	callers Callers

	mu      sync.Mutex
	keys    map[place]*key
	aliases map[place]*alias
}

// place is where something is: a Region, and an id or a name in it.
type place struct{ region, name string }

// New makes a KMS without keys; those of AWS appear when they are asked for.
func New(w *world.World, o Options) *KMS {
	return &KMS{world: w, roles: o.Roles, callers: o.Callers, keys: map[place]*key{}, aliases: map[place]*alias{}}
}

// Wire is the service's API.
func (k *KMS) Wire() *wire.Service {
	w := wire.NewService("kms", sdk.New(wire.V1Session()), wire.JSON11)
	wire.Handle(w, "CreateKey", k.CreateKey)
	wire.Handle(w, "DescribeKey", k.DescribeKey)
	wire.Handle(w, "ListKeys", k.ListKeys)
	wire.Handle(w, "UpdateKeyDescription", k.UpdateKeyDescription)
	wire.Handle(w, "EnableKey", k.EnableKey)
	wire.Handle(w, "DisableKey", k.DisableKey)
	wire.Handle(w, "ScheduleKeyDeletion", k.ScheduleKeyDeletion)
	wire.Handle(w, "CancelKeyDeletion", k.CancelKeyDeletion)
	wire.Handle(w, "GetKeyPolicy", k.GetKeyPolicy)
	wire.Handle(w, "PutKeyPolicy", k.PutKeyPolicy)
	wire.Handle(w, "ListKeyPolicies", k.ListKeyPolicies)
	wire.Handle(w, "EnableKeyRotation", k.EnableKeyRotation)
	wire.Handle(w, "DisableKeyRotation", k.DisableKeyRotation)
	wire.Handle(w, "GetKeyRotationStatus", k.GetKeyRotationStatus)
	wire.Handle(w, "CreateAlias", k.CreateAlias)
	wire.Handle(w, "UpdateAlias", k.UpdateAlias)
	wire.Handle(w, "DeleteAlias", k.DeleteAlias)
	wire.Handle(w, "ListAliases", k.ListAliases)
	wire.Handle(w, "TagResource", k.TagResource)
	wire.Handle(w, "UntagResource", k.UntagResource)
	wire.Handle(w, "ListResourceTags", k.ListResourceTags)
	wire.Handle(w, "ReplicateKey", k.ReplicateKey)
	wire.Handle(w, "UpdatePrimaryRegion", k.UpdatePrimaryRegion)
	wire.Handle(w, "Encrypt", k.Encrypt)
	wire.Handle(w, "Decrypt", k.Decrypt)
	wire.Handle(w, "GenerateDataKey", k.GenerateDataKey)
	wire.Handle(w, "GenerateDataKeyWithoutPlaintext", k.GenerateDataKeyWithoutPlaintext)
	return w
}

func refuse(code, format string, args ...any) error {
	return wire.Errorf(http.StatusBadRequest, code, format, args...)
}

func notFound(format string, args ...any) error {
	return refuse(sdk.ErrCodeNotFoundException, format, args...)
}

func (k *KMS) now() time.Time { return k.world.Now().UTC().Truncate(time.Second) }

// due is when something will happen that takes AWS this long.
func (k *KMS) due(d time.Duration) time.Time { return k.world.Now().Add(k.world.Wall(d)).UTC() }

func (k *KMS) arn(region, resource string) string {
	return "arn:aws:kms:" + region + ":" + k.world.Account() + ":" + resource
}

// page gives one page of a list in the order of its keys.
func page[T any](marker *string, limit *int64, most int64, items []T, by func(T) string) (out []T, next *string, truncated *bool, err error) {
	out, next, err = wire.Paginate(
		wire.Page{Token: marker, Size: limit, SizeName: "limit", Min: 1, Max: most, Default: min(most, 100)}, items, by)
	if out == nil {
		out = []T{}
	}
	return out, next, aws.Bool(next != nil), err
}
