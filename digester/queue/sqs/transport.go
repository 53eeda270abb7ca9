package sqs

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
)

// detaching keeps request bodies away from the SDK while they are sent. The SDK
// (smithy-go 1.28) closes a request's body as soon as the answer's head is there;
// the body then ends early, and net/http closes the connection under the answer
// that is still being read. For a receive that means up to ten messages that are
// in flight and that nobody has.
type detaching struct{ base http.RoundTripper }

// RoundTrip sends a request with a copy of its body.
func (d detaching) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return d.base.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if closeErr := r.Body.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, fmt.Errorf("reading a request's body: %w", err)
	}
	detached := *r
	detached.Body = io.NopCloser(bytes.NewReader(body))
	detached.ContentLength = int64(len(body))
	detached.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	return d.base.RoundTrip(&detached)
}
