package backup

import (
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/backup"

	"lifeline/local/aws/wire"
)

// settings are an account's preferences in one Region.
type settings struct {
	optIn      map[string]bool
	management map[string]bool
}

func newSettings() settings {
	s := settings{optIn: map[string]bool{}, management: map[string]bool{"DynamoDB": false, "EFS": true}}
	for _, k := range kinds() {
		s.optIn[k.name] = k.optedIn
	}
	return s
}

func (b *Backup) describeRegionSettings(c *wire.Call, _ *sdk.DescribeRegionSettingsInput) (*sdk.DescribeRegionSettingsOutput, error) {
	b.mu.Lock()
	defer b.release()
	s := b.in(c.Region).settings
	return &sdk.DescribeRegionSettingsOutput{
		ResourceTypeOptInPreference: aws.BoolMap(s.optIn), ResourceTypeManagementPreference: aws.BoolMap(s.management),
	}, nil
}

func (b *Backup) updateRegionSettings(c *wire.Call, in *sdk.UpdateRegionSettingsInput) (*sdk.UpdateRegionSettingsOutput, error) {
	b.mu.Lock()
	defer b.release()
	s := b.in(c.Region).settings
	for name := range in.ResourceTypeOptInPreference {
		if _, ok := s.optIn[name]; !ok {
			return nil, invalid("Invalid resource type %s in ResourceTypeOptInPreference", name)
		}
	}
	for name, on := range in.ResourceTypeManagementPreference {
		if _, ok := s.management[name]; !ok {
			return nil, invalid("Invalid resource type %s in ResourceTypeManagementPreference", name)
		}
		if name == "EFS" && !aws.BoolValue(on) {
			return nil, invalid("Full management of EFS cannot be disabled")
		}
	}
	maps.Copy(s.optIn, aws.BoolValueMap(in.ResourceTypeOptInPreference))
	maps.Copy(s.management, aws.BoolValueMap(in.ResourceTypeManagementPreference))
	b.emit(c.Region, "Region Setting State Change", nil, map[string]any{
		"modifiedAt": stamp(b.world.Now()), "state": "MODIFIED",
		"ResourceTypeOptInPreference": aws.BoolValueMap(in.ResourceTypeOptInPreference),
	})
	return &sdk.UpdateRegionSettingsOutput{}, nil
}

func (b *Backup) getSupportedResourceTypes(_ *wire.Call, _ *sdk.GetSupportedResourceTypesInput) (*sdk.GetSupportedResourceTypesOutput, error) {
	var names []string
	for _, k := range kinds() {
		names = append(names, k.name)
	}
	slices.Sort(names)
	return &sdk.GetSupportedResourceTypesOutput{ResourceTypes: aws.StringSlice(names)}, nil
}

// stamp is how AWS Backup writes dates into events.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
