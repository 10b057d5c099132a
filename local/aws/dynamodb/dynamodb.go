package dynamodb

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go/service/dynamodb"

	"lifeline/local/aws/dynamodb/expression"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// Item maps attribute names to values.
type Item = expression.Item

// Metrics receives what DynamoDB publishes to CloudWatch.
type Metrics interface {
	Publish(region, namespace, name string, dimensions map[string]string, value float64)
}

// Keys says whether a KMS key can be used in a Region; *kms.KMS does.
type Keys interface {
	Check(region, keyRef string) error
}

// Options are how long things take, in AWS time. Zero means what is typical on AWS.
type Options struct {
	CreateTable   time.Duration // CREATING to ACTIVE; 8 s
	CreateReplica time.Duration // replica CREATING to ACTIVE; 45 s
	DeleteTable   time.Duration // DELETING to gone; 5 s
	Lag           time.Duration // replication of one write; 400 ms
	Metrics       Metrics       // may be nil
	Keys          Keys          // nil: keys are judged by their ARN's Region only
}

func (o Options) withDefaults() Options {
	o.CreateTable = orElse(o.CreateTable, 8*time.Second)
	o.CreateReplica = orElse(o.CreateReplica, 45*time.Second)
	o.DeleteTable = orElse(o.DeleteTable, 5*time.Second)
	o.Lag = orElse(o.Lag, 400*time.Millisecond)
	return o
}

func orElse(d, fallback time.Duration) time.Duration {
	if d == 0 {
		return fallback
	}
	return d
}

// DynamoDB is the service in all Regions of a world.
type DynamoDB struct {
	world *world.World
	wire  *wire.Service

	mu      sync.Mutex
	options Options
	tables  map[place]*table
	queues  map[link]*queue
	tokens  map[string]string // client request tokens of transactions
}

// place names a table: the same name in two Regions is two tables.
type place struct{ region, name string }

// New makes an empty DynamoDB in every Region of the world.
func New(w *world.World, o Options) *DynamoDB {
	d := &DynamoDB{
		world:   w,
		options: o.withDefaults(),
		tables:  map[place]*table{},
		queues:  map[link]*queue{},
		tokens:  map[string]string{},
	}
	d.wire = wire.NewService("dynamodb", dynamodb.New(wire.V1Session()), wire.JSON10)
	d.serveTables()
	d.serveItems()
	w.OnFault(d.resume)
	w.Every(time.Minute, d.publishLatency)
	return d
}

// Wire is the service's API.
func (d *DynamoDB) Wire() *wire.Service { return d.wire }

// SetLag changes how long replication of one write takes, in AWS time.
func (d *DynamoDB) SetLag(lag time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.options.Lag = lag
}

// Put writes an item to the table's replica in a Region, as a process inside
// that Region would.
func (d *DynamoDB) Put(region, table string, item Item) error {
	_, err := d.PutItem(region, region, &dynamodb.PutItemInput{TableName: &table, Item: item})
	return err
}

// Get reads an item from the table's replica in a Region, as a process inside
// that Region would; nil when there is none.
func (d *DynamoDB) Get(region, table string, key Item) (Item, error) {
	return d.GetItem(region, region, &dynamodb.GetItemInput{TableName: &table, Key: key})
}

// PutItem is the data plane's PutItem, sent from one Region to a table in another.
func (d *DynamoDB) PutItem(from, region string, in *dynamodb.PutItemInput) (*dynamodb.PutItemOutput, error) {
	if err := d.reach(from, region); err != nil {
		return nil, err
	}
	return d.putItem(region, in)
}

// GetItem is the data plane's GetItem, sent from one Region to a table in another.
func (d *DynamoDB) GetItem(from, region string, in *dynamodb.GetItemInput) (Item, error) {
	if err := d.reach(from, region); err != nil {
		return nil, err
	}
	out, err := d.getItem(region, in)
	if err != nil {
		return nil, err
	}
	return out.Item, nil
}

// UpdateItem is the data plane's UpdateItem, sent from one Region to a table in another.
func (d *DynamoDB) UpdateItem(from, region string, in *dynamodb.UpdateItemInput) (*dynamodb.UpdateItemOutput, error) {
	if err := d.reach(from, region); err != nil {
		return nil, err
	}
	return d.updateItem(region, in)
}

func (d *DynamoDB) reach(from, region string) error {
	if d.world.Reachable(from, region) {
		return nil
	}
	return fmt.Errorf("reach dynamodb in %s from %s: no answer", region, from)
}

func (d *DynamoDB) arn(region, table string) string {
	return fmt.Sprintf("arn:aws:dynamodb:%s:%s:table/%s", region, d.world.Account(), table)
}

func invalid(format string, args ...any) *wire.Error {
	return wire.Errorf(http.StatusBadRequest, "ValidationException", format, args...)
}

func invalidParameter(format string, args ...any) *wire.Error {
	return invalid("One or more parameter values were invalid: "+format, args...)
}

func tableNotFound() *wire.Error {
	return wire.Errorf(http.StatusBadRequest, dynamodb.ErrCodeResourceNotFoundException, "Requested resource not found")
}
