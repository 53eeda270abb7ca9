// Package hrana runs statements on a libSQL server: the third version of Hrana,
// libSQL's protocol, as JSON over HTTP.
//
// It exists beside the official client, through which the store opens files,
// because a digester that is far from its database needs what that client does
// not give: several whole transactions in one request with a result for each,
// errors with codes, and a deadline on every request. infra/libsql.md has the
// comparison.
//
// Rules. A Client is safe for concurrent use, a Stream is not. Nothing here runs
// in the background, and nothing is sent twice unless the server said that it did
// not run it. An error says whether something may have been committed: KindOf.
package hrana

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

const (
	// timeout is the default of Config.Timeout. A server lets a statement wait
	// five seconds for the lock before it takes it from who has it.
	timeout = 15 * time.Second

	// expiry is after how much idle time a stream is not used any more. The
	// server forgets it after ten seconds; what is begun before that may take
	// its time to arrive.
	expiry = 7 * time.Second

	// maxAnswer bounds what is read of an answer; servers stop at 10 MB a result.
	maxAnswer = 64 << 20
)

// Config says which server.
type Config struct {
	URL       string        // http or https, without a path
	Namespace string        // of a server with namespaces, the first label of the Host; empty: the URL's own Host
	Token     string        // JWT; empty: none
	Timeout   time.Duration // of each request; 0: fifteen seconds

	// Transport carries the requests; nil: one of the client's own.
	Transport http.RoundTripper
	Now       func() time.Time // the clock; nil: time.Now
}

// Client is a server. It is safe for concurrent use.
type Client struct {
	url     string
	host    string
	token   string
	timeout time.Duration
	now     func() time.Time
	http    *http.Client
}

// New returns a client. It does not connect.
func New(cfg Config) (*Client, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return nil, errors.New("a libSQL server's address is http://host:port or https://host:port")
	}
	c := &Client{url: u.Scheme + "://" + u.Host, host: u.Host, token: cfg.Token, timeout: cfg.Timeout, now: cfg.Now}
	if cfg.Namespace != "" {
		c.host = cfg.Namespace + "." + u.Host
	}
	if c.timeout == 0 {
		c.timeout = timeout
	}
	if c.now == nil {
		c.now = time.Now
	}
	if cfg.Transport == nil {
		own := http.DefaultTransport.(*http.Transport).Clone()
		own.MaxIdleConnsPerHost = 64  // the default of two closes connections that are needed again at once
		own.DisableCompression = true // it would cost the server more than the network gains
		own.Proxy = nil
		cfg.Transport = own
	}
	c.http = &http.Client{Transport: cfg.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return c, nil
}

// Close closes the connections that nobody uses.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// answer is what a server says to a request for several things.
type answer struct {
	Baton   string `json:"baton"`
	Results []struct {
		Error    *Error
		Response struct {
			Result       json.RawMessage
			IsAutocommit bool `json:"is_autocommit"`
		}
	} `json:"results"`
}

// post sends a pipeline and returns the answer, or why there is none.
func (c *Client) post(ctx context.Context, body []byte) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+"/v3/pipeline", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Host = c.host
	req.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("reading the server's answer: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return nil, refusal(res.StatusCode, text)
	}
	var a answer
	if err := json.Unmarshal(text, &a); err != nil {
		return nil, fmt.Errorf("the server's answer: %w", err)
	}
	return &a, nil
}

// refusal is the error of an answer that is no 200. Its body is JSON with a
// message, and with a code where the stream is at fault.
func refusal(status int, body []byte) error {
	e := &Error{Status: status}
	var says struct{ Message, Code, Error string }
	if json.Unmarshal(body, &says) != nil {
		says.Message = string(body[:min(len(body), 200)])
	}
	e.Code, e.Message = says.Code, says.Message+says.Error // one of them is there
	return e
}
