// Package detach keeps request bodies away from AWS's SDK while they are sent.
//
// It exists because both programs speak to AWS and neither imports the other. The
// SDK (smithy-go 1.28) closes a request's body as soon as the answer's head is
// there; the body then ends early, and net/http closes the connection under the
// answer that is still being read. For a receive that means up to ten messages
// that are in flight and that nobody has. It knows nothing of AWS itself.
package detach

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
)

// Transport returns a transport that sends each request with a copy of its body.
// Bodies should be small.
func Transport(base http.RoundTripper) http.RoundTripper { return transport{base} }

type transport struct{ base http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return t.base.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if closeErr := r.Body.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, fmt.Errorf("reading a request's body: %w", err)
	}
	detached := *r
	detached.ContentLength = int64(len(body))
	detached.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	detached.Body = io.NopCloser(bytes.NewReader(body))
	return t.base.RoundTrip(&detached)
}
