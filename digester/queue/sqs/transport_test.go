package sqs

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"sundew/schema/detach"
)

// smallBuffer is a part of the request that these tests send; the kernel makes
// twice as much of it.
const smallBuffer = 64 << 10

// fullDuplexServer answers with the head first; the rest comes when the request
// has been read, and that begins only when the client reads the answer. All
// buffers between are small, so the client is still sending by then.
func fullDuplexServer(t *testing.T, answering <-chan struct{}) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			_ = c.(*net.TCPConn).SetReadBuffer(smallBuffer)
			return ctx
		},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			out := http.NewResponseController(w)
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			_ = out.EnableFullDuplex()
			_ = out.Flush()
			<-answering
			_, _ = io.Copy(io.Discard, r.Body)
			_ = json.NewEncoder(w).Encode(map[string]string{"MessageId": "m"})
		}),
	}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { server.Close() })
	return "http://" + listener.Addr().String()
}

// announcing tells when an answer's body is first read: the SDK has closed the
// request's body by then.
type announcing struct {
	base http.RoundTripper
	tell func()
}

func (a announcing) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := a.base.RoundTrip(r)
	if err == nil {
		response.Body = &announcedBody{response.Body, a.tell}
	}
	return response, err
}

type announcedBody struct {
	io.ReadCloser
	tell func()
}

func (b *announcedBody) Read(p []byte) (int, error) {
	b.tell()
	return b.ReadCloser.Read(p)
}

// The SDK closes a request's body while it is being sent. Without the detour the
// connection is closed with it, and the answer is lost.
func TestDetaching(t *testing.T) {
	for _, c := range []struct {
		name   string
		around func(http.RoundTripper) http.RoundTripper
		lost   bool
	}{
		{"as the SDK does it", func(base http.RoundTripper) http.RoundTripper { return base }, true},
		{"detached", detach.Transport, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			answering := make(chan struct{})
			base := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
				if err == nil {
					_ = conn.(*net.TCPConn).SetWriteBuffer(smallBuffer)
				}
				return conn, err
			}}
			defer base.CloseIdleConnections()
			client := sqs.New(sqs.Options{
				Region: "eu-north-1", BaseEndpoint: aws.String(fullDuplexServer(t, answering)), Retryer: aws.NopRetryer{},
				Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""), DisableMessageChecksumValidation: true,
				HTTPClient: &http.Client{Timeout: 20 * time.Second, Transport: announcing{c.around(base), sync.OnceFunc(func() { close(answering) })}},
			})
			body := strings.Repeat("x", 1<<20)
			_, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: aws.String("q"), MessageBody: &body})
			if lost := err != nil; lost != c.lost {
				t.Errorf("the answer is lost: %v, want %v (%v)", lost, c.lost, err)
			}
		})
	}
}
