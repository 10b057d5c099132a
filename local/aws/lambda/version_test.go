package lambda_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/require"
)

func versionsAndAliases(t *testing.T, p *place) {
	t.Helper()
	c, name := p.client, aws.String("page")
	p.create("page", plain)
	publish := func() string {
		out, err := c.PublishVersion(t.Context(), &api.PublishVersionInput{FunctionName: name})
		require.NoError(t, err)
		return *out.Version
	}
	require.Equal(t, "1", publish())
	require.Equal(t, "1", publish(), "nothing has changed")
	_, err := c.CreateAlias(t.Context(), &api.CreateAliasInput{FunctionName: name, Name: aws.String("live"), FunctionVersion: aws.String("1")})
	require.NoError(t, err)
	_, err = c.UpdateFunctionConfiguration(t.Context(), &api.UpdateFunctionConfigurationInput{
		FunctionName: name, Environment: &types.Environment{Variables: map[string]string{"COLOR": "blue"}},
	})
	require.NoError(t, err)
	p.active("page")
	out := p.invoke("page:live", "answer")
	require.Equal(t, "1", *out.ExecutedVersion)
	require.Equal(t, "red", answer(t, out)["color"], "a version stays what it was")
	require.Equal(t, "arn:aws:lambda:us-west-2:123456789012:function:page:live", answer(t, out)["arn"])
	require.Equal(t, "2", publish())
	_, err = c.UpdateAlias(t.Context(), &api.UpdateAliasInput{FunctionName: name, Name: aws.String("live"), FunctionVersion: aws.String("2")})
	require.NoError(t, err)
	require.Equal(t, "blue", answer(t, p.invoke("page:live", "answer"))["color"])
	_, err = c.DeleteFunction(t.Context(), &api.DeleteFunctionInput{FunctionName: name, Qualifier: aws.String("2")})
	require.Equal(t, "ResourceConflictException", code(t, err), "an alias needs it")
	_, err = c.UpdateAlias(t.Context(), &api.UpdateAliasInput{FunctionName: name, Name: aws.String("live"), FunctionVersion: aws.String("9")})
	require.Equal(t, "ResourceNotFoundException", code(t, err))
	alias, err := c.GetAlias(t.Context(), &api.GetAliasInput{FunctionName: name, Name: aws.String("live")})
	require.NoError(t, err)
	require.Equal(t, "2", *alias.FunctionVersion)
}
