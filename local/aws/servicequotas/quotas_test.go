package servicequotas_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/servicequotas"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas/types"
	"github.com/stretchr/testify/require"
)

func TestListServiceQuotas_PagesCoverAllOnce(t *testing.T) {
	t.Parallel()
	_, client := account(t)
	seen := map[string]bool{}
	pages := sdk.NewListServiceQuotasPaginator(client("us-west-2"), &sdk.ListServiceQuotasInput{ServiceCode: aws.String("drs"), MaxResults: aws.Int32(4)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		require.NoError(t, err)
		for _, q := range page.Quotas {
			require.False(t, seen[*q.QuotaCode])
			seen[*q.QuotaCode] = true
		}
	}
	require.Len(t, seen, 6)
	_, err := client("us-west-2").ListServiceQuotas(t.Context(), &sdk.ListServiceQuotasInput{ServiceCode: aws.String("nothing")})
	var absent *types.NoSuchResourceException
	require.ErrorAs(t, err, &absent)
}
