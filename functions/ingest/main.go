// Command ingest is the edge as a Lambda function: edge.Handler behind a Function URL
// or an HTTP API, with SQS as its queue and S3 for what is too large for it.
//
// It exists so that events are accepted near the applications that send them, by
// something that costs nothing while nothing happens and stays up when the digester
// is down. It has no state that matters: an environment may be frozen, killed or
// multiplied at any time.
//
// Rules: no goroutine outlives an invocation; every answer has the protocol's form
// and comes before the deadline; a 200 means that SQS has acknowledged the event.
// What it knows of keys may be old, see keys; how messages are numbered so that the
// books can prove that none is missing, see numberers.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"sundew/functions/ingest/edge"
	"sundew/functions/lambdahttp"
	"sundew/schema/quota"
)

func main() {
	lambdahttp.SetLogFieldNames()
	cfg, err := configFromEnv(os.Getenv)
	if err != nil {
		fmt.Fprintf(os.Stderr, "ingest: the configuration is wrong:\n%v\n", err)
		os.Exit(2)
	}
	f, err := newFunction(context.Background(), cfg, awsConfig(os.Getenv), os.Stdout)
	if err != nil {
		fmt.Fprintf(os.Stderr, "ingest: %v\n", err)
		os.Exit(1)
	}
	lambda.StartWithOptions(f, lambda.WithEnableSIGTERM(f.terminate))
}

// newFunction wires everything and reads the keys for the first time.
func newFunction(ctx context.Context, cfg Config, aws aws.Config, out io.Writer) (*function, error) {
	f := &function{log: lambdahttp.NewLog(out, cfg.LogLevel), now: wallClock, flushedAt: wallClock()}
	bucket := newS3(aws)
	var source keySource = &snapshotObject{client: bucket, bucket: cfg.Bucket}
	if cfg.KeysURL != "" {
		replica, err := openReplica(cfg.KeysURL, cfg.KeysToken, wallClock)
		if err != nil {
			return nil, fmt.Errorf("SUNDEW_KEYS_URL: %w", err)
		}
		source = &bothSources{replica: replica, bucket: source}
	}
	meter := quota.NewMeter()
	f.keys = &keys{source: source, now: wallClock, meter: meter}
	limits := edge.DefaultLimits()
	if cfg.MaxEvent > 0 {
		limits.Event = cfg.MaxEvent
	}
	queue := &sender{client: sqs.NewFromConfig(aws), queue: cfg.Queue,
		claims: &claims{client: bucket, bucket: cfg.Bucket, now: wallClock}}
	var err error
	f.edge, err = edge.New(edge.Config{
		Keys: f.keys, Quotas: meter, Scrubber: f.keys.scrubber, Sender: queue, Limits: limits, KeyRate: cfg.KeyRate, Region: cfg.Region, Log: f.log,
	})
	f.keys.refresh(f.log.WithContext(ctx))
	f.keys.settle()
	return f, err
}

// wallClock is time.Now without the monotonic clock, which stands still while an
// environment is frozen.
func wallClock() time.Time { return time.Now().Round(0) }
