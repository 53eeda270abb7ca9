// Command dashboard is a region's dashboard as a Lambda function: the pages of
// package dashboard behind a Function URL, read from the nearest libSQL replica.
//
// It exists so that people far from the primary get pages as quickly as those next
// to it, from something that costs nothing while nobody looks. Rules: it keeps
// nothing that matters between invocations, and nothing runs between them; what
// changes something goes to the primary, and the pages after it show the change; an
// invocation does not fail, whatever the replica or the primary does. It knows
// nobody who logs in: who may invoke it is for the Function URL to say.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"sundew/digester/store"
	"sundew/functions/lambdahttp"
)

func main() {
	lambdahttp.SetLogFieldNames()
	cfg, err := configFromEnv(os.Getenv)
	if err != nil {
		fmt.Fprintf(os.Stderr, "dashboard: the configuration is wrong:\n%v\n", err)
		os.Exit(2)
	}
	log := lambdahttp.NewLog(os.Stdout, cfg.LogLevel)
	s := &site{cfg: cfg, open: store.OpenRemoteReplica, now: time.Now, log: log}
	if _, err := s.ready(context.Background()); err != nil {
		log.Warn().Err(err).Msg("the replica does not answer yet")
	}
	lambda.Start(&lambdahttp.Adapter{Handler: lambdahttp.Compress(s), Refuse: refuse, Log: log})
}
