package wire

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go/service/cloudwatch"
	"github.com/aws/aws-sdk-go/service/dynamodb"
	"github.com/aws/aws-sdk-go/service/ec2"
	"github.com/aws/aws-sdk-go/service/rds"
	"github.com/aws/aws-sdk-go/service/route53"
	"github.com/aws/aws-sdk-go/service/s3"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/world"
)

// FuzzDocuments: whatever decodes must encode and decode again to the same.
func FuzzDocuments(f *testing.F) {
	f.Add([]byte(`{"TableName":"t","Item":{"id":{"S":"x"},"n":{"L":[{"N":"1"},null]}},"ReturnValues":"NONE"}`), false)
	f.Add([]byte(`{"Item":{"b":{"B":"AA=="},"m":{"M":{"deep":{"BOOL":true}}}}}`), false)
	f.Add([]byte(`[1,2]`), false)
	f.Add([]byte("\xa1\x69TableNameax"), true)
	f.Add([]byte("\xbf\x64Item\xa0\xff"), true)
	f.Add([]byte("\xc1\xfb\x41\xd4\x52\xd9\xe0\x00\x00\x00"), true)
	f.Fuzz(func(t *testing.T, raw []byte, binary bool) {
		d := documents{shapes: &shapes{}, cbor: binary}
		doc, err := d.parse(raw)
		if err != nil {
			return
		}
		var first, second dynamodb.PutItemInput
		if d.structure(reflect.ValueOf(&first).Elem(), doc) != nil {
			return
		}
		again, err := d.write(d.build(reflect.ValueOf(&first).Elem()))
		require.NoError(t, err)
		doc, err = d.parse(again)
		require.NoError(t, err)
		require.NoError(t, d.structure(reflect.ValueOf(&second).Elem(), doc))
		require.Equal(t, d.build(reflect.ValueOf(&first).Elem()), d.build(reflect.ValueOf(&second).Elem()))
	})
}

// FuzzXML: whatever decodes must encode and decode again to the same.
func FuzzXML(f *testing.F) {
	f.Add([]byte(`<a><Comment>c</Comment><Changes><Change><Action>UPSERT</Action><ResourceRecordSet><TTL>5</TTL><ResourceRecords><ResourceRecord><Value>1</Value></ResourceRecord></ResourceRecords></ResourceRecordSet></Change></Changes></a>`))
	f.Add([]byte(`<a xmlns:x="y"><Changes x:z="1"/></a>`))
	f.Add([]byte(`<a><a><a></a>`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		tree, err := xmlTree(bytes.NewReader(raw))
		if err != nil {
			return
		}
		cache := &shapes{}
		d := treeDecoder{shapes: cache, layout: xmlLayout{}}
		var first, second route53.ChangeBatch
		if d.structure(reflect.ValueOf(&first).Elem(), tree) != nil {
			return
		}
		write := func(v *route53.ChangeBatch) string {
			e := xmlEncoder{shapes: cache, out: &bytes.Buffer{}}
			e.open("a", "")
			e.structure(reflect.ValueOf(v).Elem())
			e.shut("a")
			return e.out.String()
		}
		text := write(&first)
		tree, err = xmlTree(strings.NewReader(text))
		require.NoError(t, err)
		require.NoError(t, d.structure(reflect.ValueOf(&second).Elem(), tree))
		require.Equal(t, text, write(&second))
	})
}

// FuzzForm: no form may crash the decoder, and lists stay bounded.
func FuzzForm(f *testing.F) {
	f.Add("Filter.1.Name=a&Filter.1.Value.2=b&Filter.1.Value.1=c", true)
	f.Add("Filters.Filter.1.Values.Value.1=x&Filters.member.1.Name=y", false)
	f.Add("Filter.99999999999.Name=a&Filter.-1.Name=b&Filter..Name=c", true)
	f.Fuzz(func(t *testing.T, text string, isEC2 bool) {
		form, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		tree, err := formTree(form)
		if err != nil {
			return
		}
		d := treeDecoder{shapes: &shapes{}, layout: formLayout{ec2: isEC2}}
		if isEC2 {
			var in ec2.RunInstancesInput
			_ = d.structure(reflect.ValueOf(&in).Elem(), tree)
			require.LessOrEqual(t, len(in.BlockDeviceMappings), len(form))
			return
		}
		var in rds.CreateDBClusterInput
		_ = d.structure(reflect.ValueOf(&in).Elem(), tree)
		require.LessOrEqual(t, len(in.Tags), len(form))
	})
}

// FuzzChunks: dechunking never gives more than it got.
func FuzzChunks(f *testing.F) {
	f.Add([]byte("3;chunk-signature=x\r\nabc\r\n0\r\nx-amz-checksum-crc32:AA==\r\n\r\n"))
	f.Add([]byte("ffffffff\r\n"))
	f.Add([]byte("-1\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		out, err := dechunk(raw, http.Header{})
		if err == nil {
			require.Less(t, len(out), len(raw))
		}
	})
}

// FuzzServer: whatever arrives, the answer is an answer and never a page of HTML.
func FuzzServer(f *testing.F) {
	w := world.New(world.Options{})
	f.Cleanup(w.Close)
	server := NewServer(w,
		NewService("s3", s3.New(V1Session()), RESTXML), NewService("rds", rds.New(V1Session()), Query),
		NewService("dynamodb", dynamodb.New(V1Session()), JSON10), NewService("route53", route53.New(V1Session()), RESTXML),
		NewService("monitoring", cloudwatch.New(V1Session()), CBOR, JSON10, Query))
	f.Add("PUT", "/b/k?acl", "s3", "", "<x/>")
	f.Add("POST", "/", "dynamodb", "DynamoDB_20120810.PutItem", `{"TableName":5}`)
	f.Add("POST", "/", "rds", "", "Action=StopDBCluster")
	f.Add("POST", "/2013-04-01/hostedzone//hostedzone/Z1/rrset/", "route53", "", "<a>")
	f.Add("POST", "/service/G/operation/PutMetricData", "monitoring", "", "\xa0")
	f.Fuzz(func(t *testing.T, method, target, service, amzTarget, body string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || u.Host != "" || !strings.HasPrefix(u.Path, "/") || len(service) > 20 {
			return
		}
		r, err := http.NewRequestWithContext(t.Context(), method, "http://127.0.0.1/", strings.NewReader(body))
		if err != nil {
			return
		}
		r.URL, r.Host = u, "127.0.0.1"
		now := time.Now().UTC()
		r.Header.Set("X-Amz-Date", now.Format(amzDate))
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIA/"+now.Format("20060102")+"/us-east-1/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
		if amzTarget != "" {
			r.Header.Set("X-Amz-Target", amzTarget)
		} else if service == "rds" {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		answer := httptest.NewRecorder()

		server.ServeHTTP(answer, r)

		require.GreaterOrEqual(t, answer.Code, 400, "nothing is served here")
		require.Less(t, answer.Code, 500, "and nothing breaks: %s", answer.Body)
		require.NotContains(t, strings.ToLower(answer.Header().Get("Content-Type")), "html")
	})
}
