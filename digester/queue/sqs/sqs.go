// Package sqs receives from a queue of Amazon SQS in one region.
//
// It exists because the edge runs in regions and the digester in one place: each
// region keeps what it accepted in a queue of its own, and the digester drains
// them all. Rules: opening needs no network, so a region that is away disturbs
// nobody; every call is bounded in time; a failure is returned to the caller or
// waits in the queue, never retried here for long. A message that was too large
// for the queue lies in S3, its claim in the queue; nobody above this package
// sees the difference.
package sqs

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/rs/zerolog"

	"sundew/schema/detach"
)

// Config says which queue.
type Config struct {
	Region string // such as eu-central-1
	URL    string // of the queue

	// Visibility is how long a received message stays invisible unless extended.
	// Zero means a minute.
	Visibility time.Duration

	// Transport carries the requests; nil means the network.
	Transport http.RoundTripper

	// Log hears of what an operator should know. The zero value is silent.
	Log zerolog.Logger
}

// Queue is the receiving end of one queue. It is safe for concurrent use.
type Queue struct {
	cfg     Config
	client  *sqs.Client
	objects *objects

	mu      sync.Mutex // guards all below
	width   int        // how many receives run at once
	oldest  time.Time  // when the oldest message of the last receive was sent; zero: it brought none
	deadURL string     // of the queue of dead letters, empty before it was asked for
	deadARN string
}

// callTimeout bounds one call of SQS or S3 with its retries; a long poll may take
// its wait in addition.
const callTimeout = 20 * time.Second

// connectTimeout bounds each step until a connection is there.
const connectTimeout = 5 * time.Second

// Open returns the queue. It reads the ordinary configuration of AWS from the
// environment and reaches out for nothing. If the queue's host is not one of
// AWS, requests go to it.
func Open(ctx context.Context, cfg Config) (*Queue, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Host == "" || cfg.Region == "" {
		return nil, fmt.Errorf("sqs: a region and a queue's address are needed, not %q and %q", cfg.Region, cfg.URL)
	}
	if cfg.Visibility == 0 {
		cfg.Visibility = time.Minute
	}
	shared, err := load(ctx, cfg.Region, cfg.Transport)
	if err != nil {
		return nil, err
	}
	client := sqs.NewFromConfig(shared, func(o *sqs.Options) {
		if !strings.HasPrefix(u.Host, "sqs."+cfg.Region+".amazonaws.com") {
			o.BaseEndpoint = aws.String(u.Scheme + "://" + u.Host)
		}
	})
	return &Queue{cfg: cfg, client: client, objects: newObjects(shared), width: 1}, nil
}

// load reads the configuration for one region.
func load(ctx context.Context, region string, transport http.RoundTripper) (aws.Config, error) {
	client := awshttp.NewBuildableClient().
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = connectTimeout }).
		WithTransportOptions(func(tr *http.Transport) {
			tr.TLSHandshakeTimeout = connectTimeout
			tr.ResponseHeaderTimeout = longestPoll + callTimeout
			tr.MaxIdleConnsPerHost = 2 * maxWidth
		})
	shared, err := config.LoadDefaultConfig(ctx, config.WithRegion(region), config.WithHTTPClient(client))
	if err != nil {
		return aws.Config{}, fmt.Errorf("sqs: the configuration of AWS: %w", err)
	}
	if transport == nil {
		// The loaded one, because a CA bundle may have been added to it.
		loaded, ok := shared.HTTPClient.(*awshttp.BuildableClient)
		if !ok {
			return aws.Config{}, fmt.Errorf("sqs: an HTTP client of type %T was configured", shared.HTTPClient)
		}
		transport = loaded.GetTransport()
	}
	shared.HTTPClient = &http.Client{
		Transport:     detach.Transport(transport),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return shared, nil
}

// newObjects returns the objects of a region. With an endpoint that is not AWS's
// buckets are named in paths, because their names are no hosts there.
func newObjects(shared aws.Config) *objects {
	return &objects{client: s3.NewFromConfig(shared, func(o *s3.Options) {
		o.UsePathStyle = o.BaseEndpoint != nil
		o.DisableLogOutputChecksumValidationSkipped = true // claims have a sum of their own
	})}
}

// errEntry is wrapped by the error of an entry that SQS did not take.
var errEntry = errors.New("not done")
