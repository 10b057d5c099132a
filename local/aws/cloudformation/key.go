package cloudformation

import (
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/kms"

	"lifeline/local/aws/cloudformation/template"
)

// defaultWindow is how many days a key that is deleted can still be saved.
const defaultWindow = 30

// keyKinds are KMS keys and their aliases.
func keyKinds() map[string]kind {
	return map[string]kind{
		"AWS::KMS::Key": {
			takes: 5 * time.Second, tagged: true,
			mutable: []string{"Description", "Enabled", "EnableKeyRotation", "KeyPolicy", "PendingWindowInDays", "MultiRegion", "KeySpec", "KeyUsage"},
			create:  createKey, read: readKey, update: updateKey, remove: deleteKey,
		},
		"AWS::KMS::Alias": {
			takes: 2 * time.Second, fixed: []string{"AliasName"}, mutable: []string{"TargetKeyId"},
			create: createAlias, read: readAlias, update: updateAlias, remove: func(h *hand, id string, _ props) error {
				_, err := ask[sdk.DeleteAliasOutput](h, "kms", "DeleteAlias", &sdk.DeleteAliasInput{AliasName: &id})
				return err
			},
		},
	}
}

func createKey(h *hand, p props) (string, error) {
	in := &sdk.CreateKeyInput{Policy: p.document("KeyPolicy"), Tags: tags[sdk.Tag](h, p, "Key:TagKey", "Value:TagValue")}
	if err := fill(in, p, "Description", "MultiRegion", "KeySpec", "KeyUsage"); err != nil {
		return "", err
	}
	out, err := ask[sdk.CreateKeyOutput](h, "kms", "CreateKey", in)
	if err != nil {
		return "", err
	}
	id := *out.KeyMetadata.KeyId
	return id, setKey(h, id, props{"EnableKeyRotation": false, "Enabled": true}, p)
}

// setKey switches rotation and use on or off. Rotation of a key that is off can't
// be changed, so the order matters.
func setKey(h *hand, id string, before, after props) error {
	is := func(p props, name string) bool { return aws.StringValue(p.text(name)) == "true" }
	if is(after, "Enabled") && !is(before, "Enabled") {
		if _, err := ask[sdk.EnableKeyOutput](h, "kms", "EnableKey", &sdk.EnableKeyInput{KeyId: &id}); err != nil {
			return err
		}
	}
	var err error
	switch on := is(after, "EnableKeyRotation"); {
	case on == is(before, "EnableKeyRotation"):
	case on:
		_, err = ask[sdk.EnableKeyRotationOutput](h, "kms", "EnableKeyRotation", &sdk.EnableKeyRotationInput{KeyId: &id})
	default:
		_, err = ask[sdk.DisableKeyRotationOutput](h, "kms", "DisableKeyRotation", &sdk.DisableKeyRotationInput{KeyId: &id})
	}
	if err == nil && aws.StringValue(after.text("Enabled")) == "false" {
		_, err = ask[sdk.DisableKeyOutput](h, "kms", "DisableKey", &sdk.DisableKeyInput{KeyId: &id})
	}
	return err
}

func updateKey(h *hand, id string, before, after props) error {
	for _, name := range changed(before, after) {
		var err error
		switch name {
		case "KeyPolicy":
			_, err = ask[sdk.PutKeyPolicyOutput](h, "kms", "PutKeyPolicy",
				&sdk.PutKeyPolicyInput{KeyId: &id, PolicyName: aws.String("default"), Policy: after.document(name)})
		case "Description":
			_, err = ask[sdk.UpdateKeyDescriptionOutput](h, "kms", "UpdateKeyDescription",
				&sdk.UpdateKeyDescriptionInput{KeyId: &id, Description: aws.String(aws.StringValue(after.text(name)))})
		case "MultiRegion", "KeySpec", "KeyUsage":
			// AWS refuses too: what was encrypted with the key would be lost.
			err = refuse("ValidationException", "You cannot change the %s property of a KMS key. Create a new key instead.", name)
		}
		if err != nil {
			return err
		}
	}
	if err := setKey(h, id, before, after); err != nil {
		return err
	}
	set, remove := retag[sdk.Tag](h, before, after, "Key:TagKey", "Value:TagValue")
	if len(set) > 0 {
		if _, err := ask[sdk.TagResourceOutput](h, "kms", "TagResource", &sdk.TagResourceInput{KeyId: &id, Tags: set}); err != nil {
			return err
		}
	}
	if len(remove) == 0 {
		return nil
	}
	_, err := ask[sdk.UntagResourceOutput](h, "kms", "UntagResource", &sdk.UntagResourceInput{KeyId: &id, TagKeys: remove})
	return err
}

// deleteKey only makes an appointment: a key can be saved until then.
func deleteKey(h *hand, id string, p props) error {
	in := &sdk.ScheduleKeyDeletionInput{KeyId: &id, PendingWindowInDays: aws.Int64(defaultWindow)}
	if err := fill(in, p, "PendingWindowInDays"); err != nil {
		return err
	}
	_, err := ask[sdk.ScheduleKeyDeletionOutput](h, "kms", "ScheduleKeyDeletion", in)
	return err
}

func readKey(h *hand, id string, p props) (props, map[string]any, error) {
	out, err := ask[sdk.DescribeKeyOutput](h, "kms", "DescribeKey", &sdk.DescribeKeyInput{KeyId: &id})
	if err != nil {
		return nil, nil, err
	}
	if *out.KeyMetadata.KeyState == sdk.KeyStatePendingDeletion {
		return nil, nil, missingNow("key " + id)
	}
	live := plain(out.KeyMetadata)
	policy, err := ask[sdk.GetKeyPolicyOutput](h, "kms", "GetKeyPolicy", &sdk.GetKeyPolicyInput{KeyId: &id, PolicyName: aws.String("default")})
	if err != nil {
		return nil, nil, err
	}
	live["KeyPolicy"] = readDocument(policy.Policy)
	rotation, err := ask[sdk.GetKeyRotationStatusOutput](h, "kms", "GetKeyRotationStatus", &sdk.GetKeyRotationStatusInput{KeyId: &id})
	if err != nil {
		return nil, nil, err
	}
	live["EnableKeyRotation"] = aws.BoolValue(rotation.KeyRotationEnabled)
	tagged, err := ask[sdk.ListResourceTagsOutput](h, "kms", "ListResourceTags", &sdk.ListResourceTagsInput{KeyId: &id})
	if err != nil {
		return nil, nil, err
	}
	own := []any{}
	for _, t := range tagged.Tags {
		own = append(own, map[string]any{"Key": *t.TagKey, "Value": *t.TagValue})
	}
	live["Tags"] = own
	// KMS doesn't tell the window of a key that isn't being deleted.
	live["PendingWindowInDays"] = p["PendingWindowInDays"]
	return live, map[string]any{"Arn": live["Arn"], "KeyId": id}, nil
}

func createAlias(h *hand, p props) (string, error) {
	in := &sdk.CreateAliasInput{}
	if err := fill(in, p); err != nil {
		return "", err
	}
	if _, err := ask[sdk.CreateAliasOutput](h, "kms", "CreateAlias", in); err != nil {
		return "", err
	}
	return *in.AliasName, nil
}

func updateAlias(h *hand, _ string, before, after props) error {
	if template.Same(before["TargetKeyId"], after["TargetKeyId"]) {
		return nil
	}
	in := &sdk.UpdateAliasInput{}
	if err := fill(in, after); err != nil {
		return err
	}
	_, err := ask[sdk.UpdateAliasOutput](h, "kms", "UpdateAlias", in)
	return err
}

func readAlias(h *hand, id string, _ props) (props, map[string]any, error) {
	var marker *string
	for {
		out, err := ask[sdk.ListAliasesOutput](h, "kms", "ListAliases", &sdk.ListAliasesInput{Marker: marker})
		if err != nil {
			return nil, nil, err
		}
		for _, a := range out.Aliases {
			if aws.StringValue(a.AliasName) == id {
				return plain(a), map[string]any{}, nil
			}
		}
		if marker = out.NextMarker; marker == nil {
			return nil, nil, missingNow("alias " + id)
		}
	}
}
