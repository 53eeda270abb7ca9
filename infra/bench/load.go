package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/andybalholm/brotli"

	"sundew/infra/visitor"
	"sundew/schema/corpus"
	"sundew/schema/event"
)

// template is a recorded event from which any number with ids of their own can
// be made.
type template struct {
	payload  []byte // JSON, with the id's place held by idPlace
	encoding string // of the request: "", "gzip" or "br"
}

// idPlace stands where an event's id goes.
const idPlace = "%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%"

// mixedEvents returns every recorded error event of an envelope, in its SDK's
// encoding.
func mixedEvents() ([]template, error) {
	requests, err := corpus.Captured()
	if err != nil {
		return nil, err
	}
	var all []template
	for _, r := range requests {
		if !strings.HasSuffix(r.Path, "/envelope/") {
			continue
		}
		encoding := r.Header.Get("Content-Encoding")
		plain, err := decode(r.Body, encoding)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.Name, err)
		}
		// The framing is read the simple way: what it cannot read is not used.
		lines := bytes.SplitN(plain, []byte("\n"), 4)
		if len(lines) < 3 || !bytes.Contains(lines[1], []byte(`"type":"event"`)) && !bytes.Contains(lines[1], []byte(`"type": "event"`)) || len(lines[2]) > 1<<20 {
			continue
		}
		if head, err := event.Scan(lines[2], 64); err != nil || head.ID.IsZero() {
			continue
		}
		payload, ok := placeID(lines[2])
		if ok {
			all = append(all, template{payload: payload, encoding: encoding})
		}
	}
	if len(all) < 100 {
		return nil, fmt.Errorf("only %d recorded events are usable", len(all))
	}
	return all, nil
}

// placeID puts idPlace where the payload has its event id.
func placeID(payload []byte) ([]byte, bool) {
	var head struct {
		ID string `json:"event_id"`
	}
	if json.Unmarshal(payload, &head) != nil || len(head.ID) != 32 {
		return nil, false
	}
	return bytes.ReplaceAll(payload, []byte(head.ID), []byte(idPlace)), true
}

// smaller returns the events of less than size bytes.
func smaller(mix []template, size int) []template {
	return slices.DeleteFunc(slices.Clone(mix), func(t template) bool { return len(t.payload) >= size })
}

// largeEvents returns events of about size bytes: recorded ones with breadcrumbs
// of varied text added.
func largeEvents(mix []template, size int) []template {
	var all []template
	for i, t := range mix {
		if i%8 != 0 || len(t.payload) > size/2 || bytes.Contains(t.payload, []byte(`"breadcrumbs"`)) {
			continue
		}
		var crumbs []string
		for n := 0; n < size-len(t.payload); {
			c := fmt.Sprintf(`{"type":"http","category":"fetch","level":"info","timestamp":%d.%03d,"message":"GET /api/orders/%d answered","data":{"url":"https://shop.example.com/api/orders/%d?page=%d","status_code":%d,"took_ms":%d}}`,
				1795196000+len(crumbs)*3, (len(crumbs)*7919)%1000, len(crumbs)*7907+i, len(crumbs)*104729, len(crumbs)%13, 200+len(crumbs)%5, len(crumbs)*31%977)
			crumbs = append(crumbs, c)
			n += len(c) + 1
		}
		payload := append([]byte(`{"breadcrumbs":[`+strings.Join(crumbs, ",")+`],`), t.payload[1:]...)
		all = append(all, template{payload: payload, encoding: t.encoding})
	}
	return all
}

// newID returns a random event id.
func newID() string {
	var id [16]byte
	rand.Read(id[:])
	return hex.EncodeToString(id[:])
}

// request returns the bytes of an HTTP request that reports the event with an id.
func (t template) request(s *server, id string) []byte {
	body := append([]byte(`{"event_id":"`+id+`"}`+"\n"+`{"type":"event"}`+"\n"), bytes.ReplaceAll(t.payload, []byte(idPlace), []byte(id))...)
	header := ""
	if t.encoding != "" {
		body = encode(body, t.encoding)
		header = "Content-Encoding: " + t.encoding + "\r\n"
	}
	head := fmt.Sprintf("POST /api/%s/envelope/ HTTP/1.1\r\nHost: %s\r\n%sX-Sentry-Auth: Sentry sentry_version=7, sentry_client=bench/1.0, sentry_key=%s\r\nContent-Type: application/x-sentry-envelope\r\nContent-Length: %d\r\n\r\n",
		s.project, s.addr, header, s.key, len(body))
	return append([]byte(head), body...)
}

// instantiate makes all requests before the clock starts, and the bytes of JSON
// in them.
func instantiate(templates []template, n int, s *server) (requests [][]byte, size int) {
	for i := range n {
		t := templates[i%len(templates)]
		size += len(t.payload)
		requests = append(requests, t.request(s, newID()))
	}
	return requests, size
}

// send reports everything over some connections, as fast as the answers come.
// Anything but a 200 is an error.
func send(ctx context.Context, addr string, requests [][]byte, connections int) error {
	var next atomic.Int64
	errs := make([]error, connections)
	var all sync.WaitGroup
	for c := range connections {
		all.Go(func() {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				errs[c] = err
				return
			}
			defer conn.Close()
			answers := bufio.NewReader(conn)
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(requests) {
					return
				}
				if errs[c] = exchange(conn, answers, requests[i]); errs[c] != nil {
					return
				}
			}
			errs[c] = ctx.Err()
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// exchange sends a request and reads its answer. Not net/http's client: it would
// cost the cores that are being measured as much as the server does.
func exchange(conn net.Conn, answers *bufio.Reader, request []byte) error {
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return err
	}
	if _, err := conn.Write(request); err != nil {
		return err
	}
	status, err := answers.ReadString('\n')
	if err != nil {
		return err
	}
	length := 0
	for {
		line, err := answers.ReadString('\n')
		if err != nil {
			return err
		}
		if line == "\r\n" {
			break
		}
		if v, ok := strings.CutPrefix(strings.ToLower(line), "content-length:"); ok {
			length, _ = strconv.Atoi(strings.TrimSpace(v))
		}
	}
	if _, err := answers.Discard(length); err != nil {
		return err
	}
	if !strings.HasPrefix(status, "HTTP/1.1 200") {
		return fmt.Errorf("answered %s", strings.TrimSpace(status))
	}
	return nil
}

// probe reports one event after the other until ctx is done and returns how long
// each took from being sent to its page being there.
func probe(ctx context.Context, s *server, t template) []time.Duration {
	client := visitor.New() // who is not signed in is told nothing, and at once
	if err := visitor.SignIn(ctx, client, "http://"+s.addr); err != nil {
		return nil
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		return nil
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	var took []time.Duration
	every := time.NewTicker(50 * time.Millisecond)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return took
		case <-every.C:
		}
		id := newID()
		began := time.Now()
		if exchange(conn, answers, t.request(s, id)) != nil {
			return took
		}
		for {
			answer, err := client.Get("http://" + s.addr + "/events/" + id)
			if err != nil {
				return took
			}
			answer.Body.Close()
			if answer.StatusCode < 400 {
				break
			}
			<-every.C
			if time.Since(began) > time.Minute {
				return append(took, time.Since(began))
			}
		}
		took = append(took, time.Since(began))
	}
}

func decode(body []byte, encoding string) ([]byte, error) {
	switch encoding {
	case "gzip":
		r, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		return io.ReadAll(r)
	case "br":
		return io.ReadAll(brotli.NewReader(bytes.NewReader(body)))
	}
	return body, nil
}

func encode(body []byte, encoding string) []byte {
	var out bytes.Buffer
	var w io.WriteCloser
	switch encoding {
	case "gzip":
		w = gzip.NewWriter(&out)
	case "br":
		w = brotli.NewWriterLevel(&out, 4)
	default:
		return body
	}
	_, _ = w.Write(body) // a bytes.Buffer takes everything
	_ = w.Close()
	return out.Bytes()
}
