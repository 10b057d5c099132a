// The smallest runtime: it asks for work and does what the event says.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
)

type event struct {
	Do      string
	Records []struct{ Sns struct{ Message string } }
}

func main() {
	base := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/"
	if os.Getenv("BROKEN") != "" {
		post(base+"init/error", `{"errorMessage":"no configuration","errorType":"Startup"}`)
		os.Exit(1)
	}
	for {
		resp, err := http.Get(base + "invocation/next")
		if err != nil {
			os.Exit(2)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		id := resp.Header.Get("Lambda-Runtime-Aws-Request-Id")
		answer, kind := handle(body, resp.Header)
		post(base+"invocation/"+id+"/"+kind, answer)
	}
}

func handle(body []byte, header http.Header) (answer, kind string) {
	var e event
	if err := json.Unmarshal(body, &e); err != nil {
		return `{"errorMessage":"no event","errorType":"Event"}`, "error"
	}
	fmt.Println("asked to", e.Do)
	if len(e.Records) > 0 {
		e.Do = "tell"
	}
	switch e.Do {
	case "fail":
		return `{"errorMessage":"as asked","errorType":"Asked"}`, "error"
	case "exit":
		os.Exit(3)
	case "hang":
		select {}
	case "tell":
		tell(e)
	}
	out, _ := json.Marshal(map[string]string{
		"arn": header.Get("Lambda-Runtime-Invoked-Function-Arn"), "deadline": header.Get("Lambda-Runtime-Deadline-Ms"),
		"region": os.Getenv("AWS_REGION"), "endpoint": os.Getenv("AWS_ENDPOINT_URL"), "key": os.Getenv("AWS_ACCESS_KEY_ID"),
		"color": os.Getenv("COLOR"), "version": os.Getenv("AWS_LAMBDA_FUNCTION_VERSION"), "home": os.Getenv("LAMBDA_TASK_ROOT"),
	})
	return string(out), "response"
}

// tell tells the endpoint that the function ran.
func tell(e event) {
	text := "direct"
	if len(e.Records) > 0 {
		text = e.Records[0].Sns.Message
	}
	post(os.Getenv("AWS_ENDPOINT_URL"), text)
}

func post(url, body string) {
	resp, err := http.Post(url, "application/json", bytes.NewReader([]byte(body)))
	if err == nil {
		_ = resp.Body.Close()
	}
}
