package outbound

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

func mustParse(t *testing.T, raw string) Networks {
	t.Helper()
	n, err := Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAllow(t *testing.T) {
	own := mustParse(t, "10.1.0.0/16, 127.0.0.1,fd00::/8")
	for _, c := range []struct {
		address     string
		public, own bool
	}{
		{"93.184.215.14", true, true},
		{"2606:2800:21f:cb07:6820:80da:af6b:8b2c", true, true},
		{"::ffff:93.184.215.14", true, true},
		{"64:ff9b::5db8:d70e", true, true}, // 93.184.215.14 by NAT64
		{"127.0.0.1", false, true},
		{"127.0.0.2", false, false},
		{"::ffff:127.0.0.1", false, true},
		{"::ffff:127.0.0.2", false, false},
		{"::1", false, false},
		{"::127.0.0.1", false, false},
		{"0.0.0.0", false, false},
		{"::", false, false},
		{"10.1.2.3", false, true},
		{"10.2.2.3", false, false},
		{"64:ff9b::a01:203", false, true}, // 10.1.2.3
		{"64:ff9b::a02:203", false, false},
		{"64:ff9b:1::a01:203", false, false},
		{"172.16.0.1", false, false},
		{"172.31.255.255", false, false},
		{"172.32.0.1", true, true},
		{"192.168.0.1", false, false},
		{"100.64.0.1", false, false},
		{"169.254.169.254", false, false},
		{"fd00:ec2::254", false, true},
		{"fe80::1%eth0", false, false},
		{"fd12::1%eth0", false, true},
		{"fec0::1", false, false},
		{"224.0.0.1", false, false},
		{"ff02::1", false, false},
		{"255.255.255.255", false, false},
		{"2002:7f00:1::", false, false},
		{"2001::1", false, false},
		{"168.63.129.16", false, false},
	} {
		a := netip.MustParseAddr(c.address)
		if got := PublicOnly().Allow(a); got != c.public {
			t.Errorf("%s: %t without networks", c.address, got)
		}
		if got := own.Allow(a); got != c.own {
			t.Errorf("%s: %t with networks", c.address, got)
		}
	}
	if PublicOnly().Allow(netip.Addr{}) {
		t.Error("no address at all is allowed")
	}
}

func TestParse(t *testing.T) {
	for _, raw := range []string{"10.0.0.0/33", "localhost", "10.0.0.0/8 127.0.0.1", "::ffff:10.0.0.0/104", "fe80::1%eth0"} {
		if _, err := Parse(raw); err == nil {
			t.Errorf("%q is taken", raw)
		}
	}
}

// Whatever a resolver might take for an address of ours is refused before anybody is
// asked, with words.
func TestCheck(t *testing.T) {
	c := New(Config{Networks: PublicOnly()})
	for _, host := range []string{
		"127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "017700000001", "0", "10.1", "[::1]", "[::ffff:10.0.0.1]",
		"[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]", "localhost", "LOCALHOST.", "a.localhost", "169.254.169.254", "127.0.0.1.", "[fe80::1%25eth0]",
	} {
		if err := c.Check("http://" + host + "/x"); !errors.Is(err, ErrAddress) {
			t.Errorf("%s: %v", host, err)
		}
	}
	for _, to := range []string{"https://chat.example.com/x", "http://93.184.215.14:8080/", "https://1.example.com", "https://[2606:2800:21f:cb07::1]/"} {
		if err := c.Check(to); err != nil {
			t.Errorf("%s: %v", to, err)
		}
	}
	for _, to := range []string{"ftp://example.com", "file:///etc/passwd", "gopher://example.com/", "https://", "//example.com", "unix:/run/x", "http://%"} {
		if err := c.Check(to); err == nil || errors.Is(err, ErrAddress) {
			t.Errorf("%s: %v", to, err)
		}
	}
}

// site is a server on loopback that counts its visitors.
func site(t *testing.T, answer http.HandlerFunc) (url string, visits *atomic.Int32) {
	t.Helper()
	visits = new(atomic.Int32)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		visits.Add(1)
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, visits
}

func TestPost(t *testing.T) {
	url, _ := site(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusTeapot)
		io.WriteString(w, r.Header.Get("X-Test")+string(body)+strings.Repeat("x", 1<<20))
	})
	c := New(Config{Networks: mustParse(t, "127.0.0.0/8")})
	answer, err := c.Post(t.Context(), url, http.Header{"X-Test": {"a"}}, "b")
	if err != nil || answer.Status != http.StatusTeapot || !strings.HasPrefix(string(answer.Body), "abx") || len(answer.Body) != maxAnswer {
		t.Errorf("%d, %d bytes, %v", answer.Status, len(answer.Body), err)
	}
}

// A redirect is an answer like others: nobody goes where it leads.
func TestRedirect(t *testing.T) {
	inside, visits := site(t, func(http.ResponseWriter, *http.Request) {})
	outside, _ := site(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, inside, http.StatusTemporaryRedirect)
	})
	answer, err := New(Config{Networks: mustParse(t, "127.0.0.0/8")}).Post(t.Context(), outside, nil, "")
	if err != nil || answer.Status != http.StatusTemporaryRedirect || visits.Load() != 0 {
		t.Errorf("%d, %v; %d visits inside", answer.Status, err, visits.Load())
	}
}

// resolver answers every question with one address.
func resolver(t *testing.T, address [4]byte) *net.Resolver {
	t.Helper()
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		t.Cleanup(func() { ours.Close(); theirs.Close() })
		go answerDNS(theirs, address)
		return ours, nil
	}}
}

// answerDNS speaks DNS over a stream, as over TCP.
func answerDNS(conn net.Conn, address [4]byte) {
	for {
		var size [2]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			return
		}
		raw := make([]byte, int(size[0])<<8|int(size[1]))
		if _, err := io.ReadFull(conn, raw); err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(raw) != nil || len(m.Questions) == 0 {
			return
		}
		m.Response = true
		m.Additionals = nil
		if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
			m.Answers = []dnsmessage.Resource{{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}, Body: &dnsmessage.AResource{A: address},
			}}
		}
		packed, err := m.Pack()
		if err != nil {
			return
		}
		if _, err := conn.Write(append([]byte{byte(len(packed) >> 8), byte(len(packed))}, packed...)); err != nil {
			return
		}
	}
}

// A name that leads inside is of no use, whatever it led to before: what is dialled is
// looked at.
func TestRebinding(t *testing.T) {
	url, visits := site(t, func(http.ResponseWriter, *http.Request) {})
	_, port, err := net.SplitHostPort(strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	to := "http://chat.example.com:" + port + "/secret"
	inside := resolver(t, [4]byte{127, 0, 0, 1})
	_, err = New(Config{Networks: PublicOnly(), Resolver: inside}).Post(t.Context(), to, nil, "")
	if !errors.Is(err, ErrAddress) || visits.Load() != 0 {
		t.Errorf("%v; %d visits", err, visits.Load())
	}
	if err != nil && strings.Contains(err.Error(), "secret") {
		t.Errorf("the error quotes the address: %v", err)
	}
	// That the name does lead there.
	answer, err := New(Config{Networks: mustParse(t, "127.0.0.1"), Resolver: inside}).Post(t.Context(), to, nil, "")
	if err != nil || answer.Status != http.StatusOK || visits.Load() != 1 {
		t.Errorf("%d, %v; %d visits", answer.Status, err, visits.Load())
	}
}

// What the machine itself has is refused although it is public, in each form, unless the
// operator allows it; and a machine that cannot tell calls nobody.
func TestOwnAddresses(t *testing.T) {
	own := []net.Addr{
		&net.IPNet{IP: net.ParseIP("93.184.215.14"), Mask: net.CIDRMask(24, 32)},
		&net.IPNet{IP: net.ParseIP("2606:2800:21f:cb07::1"), Mask: net.CIDRMask(64, 128)},
	}
	for _, address := range []string{"93.184.215.14", "::ffff:93.184.215.14", "64:ff9b::5db8:d70e", "2606:2800:21f:cb07::1"} {
		a := netip.MustParseAddr(address)
		if PublicOnly().AllowFrom(own, a) {
			t.Errorf("%s may be called", address)
		}
		if !mustParse(t, "93.184.215.14,2606:2800:21f:cb07::/64").AllowFrom(own, a) {
			t.Errorf("%s may not be called though it is allowed", address)
		}
	}
	if !PublicOnly().AllowFrom(own, netip.MustParseAddr("93.184.215.15")) {
		t.Error("a neighbour may not be called")
	}
	unknown := New(Config{Networks: mustParse(t, "127.0.0.1"), Own: func() ([]net.Addr, error) { return nil, errors.New("no netlink") }})
	url, visits := site(t, func(http.ResponseWriter, *http.Request) {})
	if _, err := unknown.Post(t.Context(), url, nil, ""); !errors.Is(err, errOwn) || errors.Is(err, ErrAddress) || visits.Load() != 0 {
		t.Errorf("%v; %d visits", err, visits.Load())
	}
	// That it is asked when somebody is called: what would be allowed otherwise is not.
	here := New(Config{Networks: Networks{}, Own: func() ([]net.Addr, error) {
		return []net.Addr{&net.IPNet{IP: net.IPv4(127, 0, 0, 1), Mask: net.CIDRMask(8, 32)}}, nil
	}})
	if _, err := here.Post(t.Context(), url, nil, ""); !errors.Is(err, ErrAddress) || visits.Load() != 0 {
		t.Errorf("%v; %d visits", err, visits.Load())
	}
}

// An error does not say where a name leads, be it refused, closed or unknown.
func TestErrorsWithoutAddresses(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(closed.Addr().String())
	closed.Close()
	to := "http://chat.example.com:" + port + "/secret"
	inside := resolver(t, [4]byte{127, 0, 0, 1})
	broken := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "udp", Addr: closed.Addr(), Err: errors.New("no way")}
	}}
	for name, cfg := range map[string]Config{
		"refused": {Networks: PublicOnly(), Resolver: inside},
		"closed":  {Networks: mustParse(t, "127.0.0.1"), Resolver: inside},
		"unknown": {Networks: PublicOnly(), Resolver: broken},
	} {
		_, err := New(cfg).Post(t.Context(), to, nil, "")
		if err == nil || strings.Contains(err.Error(), "127.0.0") || strings.Contains(err.Error(), port) || errors.Is(err, ErrAddress) != (name == "refused") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A proxy of the environment would dial in our place. (Go reads the environment once
// only, so that a test cannot set it.)
func TestNoProxy(t *testing.T) {
	transport, ok := New(Config{Networks: PublicOnly()}).http.Transport.(*http.Transport)
	if !ok || transport.Proxy != nil {
		t.Error("there is a proxy")
	}
}

func FuzzCheck(f *testing.F) {
	f.Add("127.1")
	f.Add("[::1]")
	c := New(Config{Networks: PublicOnly()})
	f.Fuzz(func(t *testing.T, host string) {
		a, err := netip.ParseAddr(strings.Trim(host, "[]"))
		if c.Check("http://"+host+"/") == nil && err == nil && !PublicOnly().Allow(a) {
			t.Errorf("%q may be called", host)
		}
	})
}
