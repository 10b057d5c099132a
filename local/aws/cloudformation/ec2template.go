package cloudformation

import (
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/ec2"

	"lifeline/local/aws/cloudformation/template"
)

// templateKinds are launch templates. They carry no stack tags: what they launch
// gets the tags that they hold.
func templateKinds() map[string]kind {
	return map[string]kind{"AWS::EC2::LaunchTemplate": {
		takes: 5 * time.Second, fixed: []string{"LaunchTemplateName"},
		mutable: []string{"LaunchTemplateData", "VersionDescription", "TagSpecifications"}, volatile: []string{"LatestVersionNumber"},
		create: createTemplate, read: readTemplate, update: updateTemplate, remove: func(h *hand, id string, _ props) error {
			_, err := ask[sdk.DeleteLaunchTemplateOutput](h, "ec2", "DeleteLaunchTemplate", &sdk.DeleteLaunchTemplateInput{LaunchTemplateId: &id})
			return err
		},
	}}
}

func createTemplate(h *hand, p props) (string, error) {
	in := &sdk.CreateLaunchTemplateInput{LaunchTemplateName: aws.String(h.name(128))}
	if err := fill(in, p); err != nil {
		return "", err
	}
	out, err := ask[sdk.CreateLaunchTemplateOutput](h, "ec2", "CreateLaunchTemplate", in)
	if err != nil {
		return "", err
	}
	return *out.LaunchTemplate.LaunchTemplateId, nil
}

// updateTemplate adds a version; the default stays, as on AWS.
func updateTemplate(h *hand, id string, before, after props) error {
	if template.Same(before["LaunchTemplateData"], after["LaunchTemplateData"]) {
		return nil
	}
	in := &sdk.CreateLaunchTemplateVersionInput{LaunchTemplateId: &id}
	if err := fill(in, after, "LaunchTemplateData", "VersionDescription"); err != nil {
		return err
	}
	_, err := ask[sdk.CreateLaunchTemplateVersionOutput](h, "ec2", "CreateLaunchTemplateVersion", in)
	return err
}

// readTemplate takes the newest version for what the template is.
func readTemplate(h *hand, id string, _ props) (props, map[string]any, error) {
	out, err := ask[sdk.DescribeLaunchTemplatesOutput](h, "ec2", "DescribeLaunchTemplates", &sdk.DescribeLaunchTemplatesInput{LaunchTemplateIds: []*string{&id}})
	if err != nil {
		return nil, nil, err
	}
	versions, err := ask[sdk.DescribeLaunchTemplateVersionsOutput](h, "ec2", "DescribeLaunchTemplateVersions",
		&sdk.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: &id, Versions: []*string{aws.String("$Latest")}})
	if err != nil {
		return nil, nil, err
	}
	live := plain(out.LaunchTemplates[0])
	live["LaunchTemplateData"] = map[string]any(plain(versions.LaunchTemplateVersions[0].LaunchTemplateData))
	return live, map[string]any{
		"LaunchTemplateId":     id,
		"LatestVersionNumber":  strconv.FormatInt(*out.LaunchTemplates[0].LatestVersionNumber, 10),
		"DefaultVersionNumber": strconv.FormatInt(*out.LaunchTemplates[0].DefaultVersionNumber, 10),
	}, nil
}
