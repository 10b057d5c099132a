package main

import (
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	t, err := newTrigger(os.Getenv("LIFELINE_APPLICATION"), log)
	if err != nil {
		log.Error("the function can't start", "error", err)
		os.Exit(1)
	}
	lambda.Start(t.handle)
}
