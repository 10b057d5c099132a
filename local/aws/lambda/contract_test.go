package lambda_test

import (
	"errors"
	"runtime"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/lambda"
)

func machine() types.Architecture {
	if runtime.GOARCH == "arm64" {
		return types.ArchitectureArm64
	}
	return types.ArchitectureX8664
}

// nobody trusts Lambda.
type nobody struct{}

func (nobody) Trusts(string, string) bool { return false }

func TestContract_Functions(t *testing.T) {
	t.Parallel()
	p := newPlace(t, pack(t, "bootstrap", []byte("#!/bin/sh\n")), lambda.Options{Objects: func(_, bucket, key string) ([]byte, bool, error) {
		if bucket != "code" {
			return nil, false, errors.New("no such bucket")
		}
		return pack(t, "bootstrap", []byte("#!/bin/sh\nexit 1\n")), key == "page.zip", nil
	}})
	c, name := p.client, aws.String("page")
	p.create("page", plain)
	_, err := c.CreateFunction(t.Context(), p.input("page"))
	require.Equal(t, "ResourceConflictException", code(t, err))
	got, err := c.GetFunction(t.Context(), &api.GetFunctionInput{FunctionName: name})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"app": "records"}, got.Tags)
	require.Equal(t, "red", got.Configuration.Environment.Variables["COLOR"])
	arn := got.Configuration.FunctionArn

	updated, err := c.UpdateFunctionCode(t.Context(), &api.UpdateFunctionCodeInput{FunctionName: name, S3Bucket: aws.String("code"), S3Key: aws.String("page.zip"), Publish: true})
	require.NoError(t, err)
	require.Equal(t, "1", *updated.Version)
	require.NotEqual(t, got.Configuration.CodeSha256, updated.CodeSha256)
	p.active("page")
	_, err = c.UpdateFunctionCode(t.Context(), &api.UpdateFunctionCodeInput{FunctionName: name, S3Bucket: aws.String("code"), S3Key: aws.String("none.zip")})
	require.Equal(t, "InvalidParameterValueException", code(t, err))
	_, err = c.UpdateFunctionCode(t.Context(), &api.UpdateFunctionCodeInput{FunctionName: name, ZipFile: p.zip, RevisionId: aws.String("old")})
	require.Equal(t, "PreconditionFailedException", code(t, err))

	_, err = c.TagResource(t.Context(), &api.TagResourceInput{Resource: arn, Tags: map[string]string{"run": "1"}})
	require.NoError(t, err)
	_, err = c.UntagResource(t.Context(), &api.UntagResourceInput{Resource: arn, TagKeys: []string{"app"}})
	require.NoError(t, err)
	tags, err := c.ListTags(t.Context(), &api.ListTagsInput{Resource: arn})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"run": "1"}, tags.Tags)

	p.create("other", plain)
	var names []string
	for pages := api.NewListFunctionsPaginator(c, &api.ListFunctionsInput{MaxItems: aws.Int32(1)}); pages.HasMorePages(); {
		page, err := pages.NextPage(t.Context())
		require.NoError(t, err)
		for _, f := range page.Functions {
			names = append(names, *f.FunctionName)
		}
	}
	require.Equal(t, []string{"other", "page"}, names)
	versions, err := c.ListVersionsByFunction(t.Context(), &api.ListVersionsByFunctionInput{FunctionName: arn})
	require.NoError(t, err)
	require.Len(t, versions.Versions, 2)
	_, err = c.DeleteFunction(t.Context(), &api.DeleteFunctionInput{FunctionName: name})
	require.NoError(t, err)
	_, err = c.GetFunction(t.Context(), &api.GetFunctionInput{FunctionName: name})
	var missing *types.ResourceNotFoundException
	require.ErrorAs(t, err, &missing)
}

func TestCreateFunction_Refusals(t *testing.T) {
	t.Parallel()
	p := newPlace(t, pack(t, "bootstrap", []byte("#!/bin/sh\n")), lambda.Options{})
	for why, change := range map[string]func(*api.CreateFunctionInput){
		"no zip":             func(in *api.CreateFunctionInput) { in.Code.ZipFile = []byte("no zip") },
		"no code":            func(in *api.CreateFunctionInput) { in.Code = &types.FunctionCode{} },
		"leaves its folder":  func(in *api.CreateFunctionInput) { in.Code.ZipFile = pack(t, "../bootstrap", nil) },
		"another runtime":    func(in *api.CreateFunctionInput) { in.Runtime = types.RuntimePython312 },
		"an image":           func(in *api.CreateFunctionInput) { in.PackageType = types.PackageTypeImage },
		"no handler":         func(in *api.CreateFunctionInput) { in.Handler = nil },
		"too long":           func(in *api.CreateFunctionInput) { in.Timeout = aws.Int32(901) },
		"too little memory":  func(in *api.CreateFunctionInput) { in.MemorySize = aws.Int32(64) },
		"a role that's none": func(in *api.CreateFunctionInput) { in.Role = aws.String("arn:aws:iam::123456789012:user/me") },
		"a reserved key":     func(in *api.CreateFunctionInput) { in.Environment.Variables["AWS_REGION"] = "eu-west-1" },
		"a layer": func(in *api.CreateFunctionInput) {
			in.Layers = []string{"arn:aws:lambda:us-west-2:123456789012:layer:x:1"}
		},
	} {
		in := p.input("page")
		change(in)
		_, err := p.client.CreateFunction(t.Context(), in)
		require.Equal(t, "InvalidParameterValueException", code(t, err), why)
	}
	strict := newPlace(t, p.zip, lambda.Options{Roles: nobody{}})
	_, err := strict.client.CreateFunction(t.Context(), strict.input("page"))
	require.ErrorContains(t, err, "cannot be assumed by Lambda")
}

func TestInvoke_Refusals(t *testing.T) {
	t.Parallel()
	p := newPlace(t, pack(t, "bootstrap", []byte("#!/bin/sh\n")), lambda.Options{Create: 1 << 40})
	_, err := p.client.CreateFunction(t.Context(), p.input("page"))
	require.NoError(t, err)
	invoke := func(name, payload string) string {
		_, err := p.client.Invoke(t.Context(), &api.InvokeInput{FunctionName: &name, Payload: []byte(payload)})
		return code(t, err)
	}
	require.Equal(t, "ResourceConflictException", invoke("page", `{}`), "still Pending")
	require.Equal(t, "ResourceNotFoundException", invoke("none", `{}`))
	require.Equal(t, "ResourceNotFoundException", invoke("page:9", `{}`))
	require.Equal(t, "ResourceNotFoundException", invoke("arn:aws:lambda:us-east-1:123456789012:function:page", `{}`))
	require.Equal(t, "InvalidRequestContentException", invoke("page", `{`))
}

func TestUpdate_InProgress_RefusesTheNext(t *testing.T) {
	t.Parallel()
	p := newPlace(t, pack(t, "bootstrap", []byte("#!/bin/sh\n")), lambda.Options{Update: 1 << 40})
	name := aws.String("page")
	p.create("page", plain)
	out, err := p.client.UpdateFunctionCode(t.Context(), &api.UpdateFunctionCodeInput{FunctionName: name, ZipFile: p.zip})
	require.NoError(t, err)
	require.Equal(t, types.LastUpdateStatusInProgress, out.LastUpdateStatus)
	_, err = p.client.UpdateFunctionCode(t.Context(), &api.UpdateFunctionCodeInput{FunctionName: name, ZipFile: p.zip})
	require.Equal(t, "ResourceConflictException", code(t, err))
	_, err = p.client.UpdateFunctionConfiguration(t.Context(), &api.UpdateFunctionConfigurationInput{FunctionName: name, Timeout: aws.Int32(5)})
	require.Equal(t, "ResourceConflictException", code(t, err))
	_, err = p.client.PublishVersion(t.Context(), &api.PublishVersionInput{FunctionName: name})
	require.Equal(t, "ResourceConflictException", code(t, err))
}
