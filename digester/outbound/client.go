// Package outbound calls addresses that people typed in.
//
// It exists because the program stands where those people do not: inside of a network,
// beside databases and the metadata of a cloud. Whoever may enter an address must not
// get the program to call what only it can reach. So what counts is the address that
// is dialled, after every name is resolved: a name that first leads outside and then
// inside is of no use, nor is a redirect, which is never followed, nor a proxy of the
// environment, which is not used. The machine's own addresses are refused too, even
// public ones: what listens there may trust it. Networks of one's own have to be allowed
// by the operator. Errors do not say which address a name led to, or people could map
// the network by them.
package outbound

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ErrAddress is wrapped by errors about an address that must not be called.
var ErrAddress = errors.New("not an address on the internet")

// errOwn is why nothing is dialled as long as nobody knows which addresses are refused.
var errOwn = errors.New("the addresses of this machine cannot be read")

const (
	dialTimeout     = 5 * time.Second
	handshakeTime   = 5 * time.Second
	maxHeader       = 32 << 10
	maxAnswer       = 8 << 10
	idleConnections = 16
	idleFor         = 30 * time.Second
)

// Config says what a client may call.
type Config struct {
	Networks Networks
	Patience time.Duration // with one request, from dialling to the end of the answer; 0: 10 s
	Resolver *net.Resolver // nil: the system's

	// Own returns the machine's own addresses, as net.InterfaceAddrs does; nil: that.
	Own func() ([]net.Addr, error)
}

// Client sends requests. It is safe for concurrent use.
type Client struct {
	http     *http.Client
	networks Networks
}

// New returns a client.
func New(cfg Config) *Client {
	if cfg.Patience == 0 {
		cfg.Patience = 10 * time.Second
	}
	if cfg.Own == nil {
		cfg.Own = net.InterfaceAddrs
	}
	dialer := &net.Dialer{
		Timeout: dialTimeout, Resolver: cfg.Resolver,
		// Called with the address that is about to be dialled, each time.
		Control: func(_, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil || !cfg.Networks.Allow(to.Addr()) {
				return ErrAddress
			}
			own, err := cfg.Own() // they change while the process runs
			if err != nil {
				return errOwn
			}
			if !cfg.Networks.AllowFrom(own, to.Addr()) {
				return ErrAddress
			}
			return nil
		},
	}
	return &Client{networks: cfg.Networks, http: &http.Client{
		Timeout: cfg.Patience,
		Transport: &http.Transport{
			Proxy:                  nil, // it would dial in our place
			DialContext:            dialTCP(dialer),
			TLSHandshakeTimeout:    handshakeTime,
			MaxResponseHeaderBytes: maxHeader,
			MaxIdleConns:           idleConnections,
			IdleConnTimeout:        idleFor,
			ForceAttemptHTTP2:      true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// dialTCP dials TCP and nothing else.
func dialTCP(dialer *net.Dialer) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, _, address string) (net.Conn, error) {
		return dialer.DialContext(ctx, "tcp", address)
	}
}

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte // its beginning
}

// Post sends a body and returns the answer, whatever its status; of its body at most
// some kilobytes. The error wraps ErrAddress if the address must not be called. It
// does not quote the address, which may be a secret.
func (c *Client) Post(ctx context.Context, to string, header http.Header, body string) (Answer, error) {
	if err := c.Check(to); err != nil {
		return Answer{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(body))
	if err != nil {
		return Answer{}, withoutAddress(err)
	}
	req.Header = header.Clone()
	resp, err := c.http.Do(req)
	if err != nil {
		return Answer{}, withoutAddress(err)
	}
	defer resp.Body.Close()
	beginning, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // the status is what counts
	return Answer{Status: resp.StatusCode, Header: resp.Header, Body: beginning}, nil
}

// Check returns why an address cannot be called, as far as its text tells: the error
// wraps ErrAddress if it names a host by a number that is not on the internet. What a
// name leads to is only known when it is dialled.
func (c *Client) Check(to string) error {
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return errors.New("not an http or https address")
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		host = "127.0.0.1"
	}
	a, ok := parseHost(host)
	if ok && !c.networks.Allow(a) {
		return fmt.Errorf("%w: %s", ErrAddress, u.Hostname())
	}
	return nil
}

// parseHost reads a host that is a number, in all the forms that some resolver takes
// for IPv4: 127.1, 2130706433, 0x7f.0.0.1, 0177.0.0.1.
func parseHost(host string) (netip.Addr, bool) {
	if a, err := netip.ParseAddr(host); err == nil {
		return a, true
	}
	parts := strings.Split(host, ".")
	if len(parts) > 4 || strings.Contains(host, "_") { // which Go reads in numbers
		return netip.Addr{}, false
	}
	var value uint64
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 0, 32)
		if err != nil {
			return netip.Addr{}, false
		}
		if i < len(parts)-1 {
			if n > 255 {
				return netip.Addr{}, false
			}
			value |= n << (8 * (3 - i))
			continue
		}
		if n >= 1<<(8*(4-i)) {
			return netip.Addr{}, false
		}
		value |= n
	}
	return netip.AddrFrom4([4]byte{byte(value >> 24), byte(value >> 16), byte(value >> 8), byte(value)}), true
}

// withoutAddress takes addresses out of an error: that which was typed in, those that
// it led to, and that of the server which was asked for them.
func withoutAddress(err error) error {
	var typed *url.Error
	if errors.As(err, &typed) {
		err = typed.Err
	}
	var name *net.DNSError
	if errors.As(err, &name) {
		what := "no answer" // in its text are the addresses of both sides
		if name.IsNotFound {
			what = "no such host"
		}
		return &net.DNSError{Err: what, Name: "the name", IsTimeout: name.IsTimeout, IsTemporary: name.IsTemporary, IsNotFound: name.IsNotFound}
	}
	var dialled *net.OpError
	if errors.As(err, &dialled) {
		return dialled.Err
	}
	return err
}
