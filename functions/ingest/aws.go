package main

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"sundew/schema/detach"
)

// awsConfig returns the configuration of AWS clients from what Lambda puts into the
// environment. The SDK's own config.LoadDefaultConfig would do, but it brings every
// way in which a person's machine can log in: a tenth of the program, to be loaded
// at every cold start.
func awsConfig(getenv func(string) string) aws.Config {
	return aws.Config{
		Region:        getenv("AWS_REGION"),
		Credentials:   aws.NewCredentialsCache(credentialsFrom(getenv)),
		ConfigSources: []any{endpoints{getenv}},
		HTTPClient:    newHTTPClient(),
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = time.Second })
		},
	}
}

// credentialsFrom returns the role's credentials: in variables for an ordinary
// function, from an address for environments that outlive them.
func credentialsFrom(getenv func(string) string) aws.CredentialsProvider {
	if address := getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI"); address != "" {
		return endpointcreds.New(address, func(o *endpointcreds.Options) {
			o.AuthorizationToken = getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN")
		})
	}
	return credentials.NewStaticCredentialsProvider(
		getenv("AWS_ACCESS_KEY_ID"), getenv("AWS_SECRET_ACCESS_KEY"), getenv("AWS_SESSION_TOKEN"))
}

// endpoints tells the SDK's clients of other addresses than AWS's own, by the SDK's
// own variables.
type endpoints struct{ getenv func(string) string }

// GetServiceBaseEndpoint is what the SDK looks for in a ConfigSource.
func (e endpoints) GetServiceBaseEndpoint(_ context.Context, service string) (string, bool, error) {
	address := cmp.Or(e.getenv("AWS_ENDPOINT_URL_"+service), e.getenv("AWS_ENDPOINT_URL"))
	return address, address != "", nil
}

// newS3 returns a client of S3. Where the endpoint is somebody else's, the bucket is
// in the path.
func newS3(cfg aws.Config) *s3.Client {
	return s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = o.BaseEndpoint != nil })
}

// newHTTPClient returns a client that keeps connections between invocations. While
// an environment sleeps the other side may drop them in silence, so no wait for an
// answer is long: the SDK tries again on a new one.
func newHTTPClient() *http.Client {
	return &http.Client{
		Transport: detach.Transport(&http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 2 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
			TLSHandshakeTimeout:   2 * time.Second,
			ResponseHeaderTimeout: 3 * time.Second,
			ExpectContinueTimeout: time.Second,
			IdleConnTimeout:       90 * time.Second,
			MaxIdleConnsPerHost:   16,
		}),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
