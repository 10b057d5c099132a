package ec2

import (
	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/ec2"
)

// Stored is an instance or a volume as a service sees it that looks after what is
// stored.
type Stored struct {
	ID        string
	Volume    bool
	Key       string // ARN of a volume's key; empty when it isn't encrypted
	Tags      map[string]string
	Gigabytes int64             // of a volume
	Settings  map[string]string // by the names of the API's members
}

// Inventory are the instances of a Region that can be imaged, running or stopped,
// and the volumes that are there and not going.
func (e *EC2) Inventory(region string) []Stored {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []Stored
	r := e.in(region)
	for _, i := range r.instances.all() {
		if i.state() == sdk.InstanceStateNameRunning || i.state() == sdk.InstanceStateNameStopped {
			out = append(out, Stored{ID: *i.api.InstanceId, Tags: tagMap(i.api.Tags), Settings: map[string]string{
				"InstanceType": aws.StringValue(i.api.InstanceType), "SubnetId": aws.StringValue(i.api.SubnetId),
				"VpcId": aws.StringValue(i.api.VpcId), "ImageId": aws.StringValue(i.api.ImageId),
			}})
		}
	}
	for _, v := range r.disks.volumes.all() {
		if v.state() != sdk.VolumeStateAvailable && v.state() != sdk.VolumeStateInUse {
			continue
		}
		out = append(out, Stored{
			ID: *v.api.VolumeId, Volume: true, Key: aws.StringValue(v.api.KmsKeyId), Tags: tagMap(v.api.Tags), Gigabytes: aws.Int64Value(v.api.Size),
			Settings: map[string]string{"availabilityZone": aws.StringValue(v.api.AvailabilityZone), "volumeType": aws.StringValue(v.api.VolumeType)},
		})
	}
	return out
}

func tagMap(tags []*sdk.Tag) map[string]string {
	out := map[string]string{}
	for _, tag := range tags {
		out[aws.StringValue(tag.Key)] = aws.StringValue(tag.Value)
	}
	return out
}
