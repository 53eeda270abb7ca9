package lambdahttp

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// httpEvent is what Lambda hands over for one HTTP request, payload format 2.0, as
// far as a handler can see it. Function URLs and HTTP APIs send the same.
type httpEvent struct {
	rawPath         string
	rawQueryString  string
	cookies         []string
	header          http.Header
	body            []byte
	isBase64Encoded bool
	domainName      string // in requestContext
	method          string // in requestContext.http
	sourceIP        string // likewise
}

// decodeEvent reads an event in one pass. What is odd in names and texts that clients
// choose is not for here to judge.
func decodeEvent(payload []byte) (*httpEvent, error) {
	e := &httpEvent{header: http.Header{}}
	dec := jsontext.NewDecoder(bytes.NewBuffer(payload), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	err := members(dec, func(name string) error {
		switch name {
		case "rawPath":
			return readText(dec, &e.rawPath)
		case "rawQueryString":
			return readText(dec, &e.rawQueryString)
		case "cookies":
			return e.readCookies(dec)
		case "headers":
			return members(dec, func(name string) error {
				var value string
				err := readText(dec, &value)
				e.header.Set(name, value)
				return err
			})
		case "body":
			return readBytes(dec, &e.body)
		case "isBase64Encoded":
			token, err := dec.ReadToken()
			e.isBase64Encoded = err == nil && token.Kind() == 't'
			return err
		case "requestContext":
			return e.readContext(dec)
		}
		return dec.SkipValue()
	})
	return e, err
}

// readContext reads an event's requestContext.
func (e *httpEvent) readContext(dec *jsontext.Decoder) error {
	return members(dec, func(name string) error {
		switch name {
		case "domainName":
			return readText(dec, &e.domainName)
		case "http":
			return members(dec, func(name string) error {
				switch name {
				case "method":
					return readText(dec, &e.method)
				case "sourceIp":
					return readText(dec, &e.sourceIP)
				}
				return dec.SkipValue()
			})
		}
		return dec.SkipValue()
	})
}

// readCookies reads an event's list of cookies.
func (e *httpEvent) readCookies(dec *jsontext.Decoder) error {
	if dec.PeekKind() != '[' {
		return dec.SkipValue()
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() != ']' {
		var cookie string
		if err := readText(dec, &cookie); err != nil {
			return err
		}
		e.cookies = append(e.cookies, cookie)
	}
	_, err := dec.ReadToken()
	return err
}

// errShape means that an event has a value of another kind than payload format 2.0.
var errShape = errors.New("unexpected kind of value")

// members calls read for each member of an object, null being one without any; read
// reads the value.
func members(dec *jsontext.Decoder, read func(name string) error) error {
	token, err := dec.ReadToken()
	if err != nil || token.Kind() == 'n' {
		return err
	}
	if token.Kind() != '{' {
		return errShape
	}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return err
		}
		if err := read(name.String()); err != nil {
			return err
		}
	}
	_, err = dec.ReadToken()
	return err
}

// readText reads a string, null being an empty one.
func readText(dec *jsontext.Decoder, text *string) error {
	var b []byte
	err := readBytes(dec, &b)
	*text = string(b)
	return err
}

// readBytes reads a string as bytes.
func readBytes(dec *jsontext.Decoder, text *[]byte) error {
	value, err := dec.ReadValue()
	switch {
	case err != nil:
		return err
	case value.Kind() == 'n':
		return nil
	case value.Kind() != '"':
		return errShape
	}
	*text, err = jsontext.AppendUnquote(make([]byte, 0, len(value)), value)
	if badText := (*jsontext.SyntacticError)(nil); errors.As(err, &badText) {
		return nil // is appended as far as it can be: the decoder has judged it already
	}
	return err
}

// newRequest returns the HTTP request that an event stands for. Its error wraps
// ErrEvent and quotes nothing of the event.
func newRequest(ctx context.Context, payload []byte) (*http.Request, error) {
	e, err := decodeEvent(payload)
	if err != nil {
		return nil, ErrEvent
	}
	if e.method == "" {
		return nil, fmt.Errorf("%w: it has no requestContext.http.method", ErrEvent)
	}
	if e.isBase64Encoded {
		if e.body, err = base64.StdEncoding.AppendDecode(nil, e.body); err != nil {
			return nil, fmt.Errorf("%w: its body is not base64", ErrEvent)
		}
	}
	if len(e.cookies) > 0 {
		e.header.Set("Cookie", strings.Join(e.cookies, "; "))
	}
	r := &http.Request{
		Method: e.method,
		URL:    &url.URL{Path: pathOf(e.rawPath), RawQuery: queryOf(e.rawQueryString)},
		Proto:  "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        e.header, // one that came several times has its values joined by commas
		Body:          io.NopCloser(bytes.NewReader(e.body)),
		ContentLength: int64(len(e.body)),
		Host:          e.domainName,
		RemoteAddr:    net.JoinHostPort(e.sourceIP, "0"),
	}
	if host := r.Header.Get("Host"); host != "" {
		r.Host = host
		r.Header.Del("Host")
	}
	r.URL.Host, r.URL.Scheme = r.Host, "https"
	if r.Header.Get("X-Forwarded-Proto") == "http" {
		r.URL.Scheme = "http"
	}
	return r.WithContext(ctx), nil
}

// pathOf returns the path, which some front doors decode and others do not.
func pathOf(raw string) string {
	if path, err := url.PathUnescape(raw); err == nil {
		return path
	}
	return raw
}

// queryOf returns the query string as a client would have written it: some front doors
// decode its pluses.
func queryOf(raw string) string { return strings.ReplaceAll(raw, " ", "+") }
