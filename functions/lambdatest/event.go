package lambdatest

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// maxPayload is how large an event may be, and an answer: 6 MB.
const maxPayload = 6 << 20

// errTooLarge means that a request's event would be larger than Lambda takes.
var errTooLarge = errors.New("lambdatest: request must be smaller than 6291456 bytes for the InvokeFunction operation")

// event is a request in payload format 2.0.
type event struct {
	Version               string            `json:"version"`
	RouteKey              string            `json:"routeKey"`
	RawPath               string            `json:"rawPath"`
	RawQueryString        string            `json:"rawQueryString"`
	Cookies               []string          `json:"cookies,omitempty"`
	Headers               map[string]string `json:"headers"`
	QueryStringParameters map[string]string `json:"queryStringParameters,omitempty"`
	RequestContext        requestContext    `json:"requestContext"`
	Body                  string            `json:"body,omitempty"`
	IsBase64Encoded       bool              `json:"isBase64Encoded"`
}

type requestContext struct {
	AccountID    string      `json:"accountId"`
	APIID        string      `json:"apiId"`
	DomainName   string      `json:"domainName"`
	DomainPrefix string      `json:"domainPrefix"`
	HTTP         httpContext `json:"http"`
	RequestID    string      `json:"requestId"`
	RouteKey     string      `json:"routeKey"`
	Stage        string      `json:"stage"`
	Time         string      `json:"time"`
	TimeEpoch    int64       `json:"timeEpoch"`
}

type httpContext struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

// encodeEvent returns the event of a request, errTooLarge if Lambda would not take
// it.
func encodeEvent(r *http.Request, region string, now time.Time) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxPayload+1))
	if err != nil {
		return nil, fmt.Errorf("lambdatest: reading the request: %w", err)
	}
	const id = "abcdefghijklmnopqrstuvwxyz012345"
	domain := id + ".lambda-url." + region + ".on.aws"
	sourceIP, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return nil, fmt.Errorf("lambdatest: the request's address: %w", err)
	}
	e := event{
		Version: "2.0", RouteKey: "$default", RawPath: r.URL.EscapedPath(), RawQueryString: r.URL.RawQuery,
		Cookies: cookiesOf(r), Headers: headersOf(r, domain, sourceIP, now), QueryStringParameters: parametersOf(r),
		RequestContext: requestContext{
			AccountID: "anonymous", APIID: id, DomainName: domain, DomainPrefix: id, RequestID: newUUID(),
			RouteKey: "$default", Stage: "$default", Time: now.UTC().Format("02/Jan/2006:15:04:05 -0700"), TimeEpoch: now.UnixMilli(),
			HTTP: httpContext{Method: r.Method, Path: r.URL.EscapedPath(), Protocol: r.Proto, SourceIP: sourceIP, UserAgent: r.UserAgent()},
		},
	}
	e.Body, e.IsBase64Encoded = string(body), len(body) > 0 && !isText(r.Header.Get("Content-Type"), body)
	if e.IsBase64Encoded {
		e.Body = base64.StdEncoding.EncodeToString(body)
	}
	payload, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	if len(body) > maxPayload || len(payload) > maxPayload {
		return nil, errTooLarge
	}
	return payload, nil
}

// isText reports whether a body travels as it is. That goes by the type alone: forms
// and bodies without a type do not. What Lambda does with a compressed body of a type
// of text nobody has written down; a string of JSON cannot hold it, so here it is
// taken for binary.
func isText(contentType string, body []byte) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		kind, _, _ = strings.Cut(strings.ToLower(contentType), ";")
		kind = strings.TrimSpace(kind)
	}
	text := strings.HasPrefix(kind, "text/") ||
		slices.Contains([]string{"application/json", "application/xml", "application/javascript"}, kind)
	return text && utf8.Valid(body)
}

// headersOf returns the headers with lower-case names, those of one name joined, and
// with what the front door adds. Cookies are apart, and what concerns the connection
// stays out.
func headersOf(r *http.Request, domain, sourceIP string, now time.Time) map[string]string {
	headers := map[string]string{
		"host":              domain,
		"x-forwarded-proto": "https",
		"x-forwarded-port":  "443",
		"x-amzn-trace-id":   newTraceID(now),
	}
	for name, values := range r.Header {
		switch name {
		case "Cookie", "Connection", "Keep-Alive", "Transfer-Encoding", "Te", "Upgrade", "Proxy-Connection":
		default:
			headers[strings.ToLower(name)] = strings.Join(values, ",")
		}
	}
	// A client cannot choose the last entry.
	forwarded := append(slices.Clone(r.Header.Values("X-Forwarded-For")), sourceIP)
	headers["x-forwarded-for"] = strings.Join(forwarded, ", ")
	return headers
}

func cookiesOf(r *http.Request) (cookies []string) {
	for _, line := range r.Header.Values("Cookie") {
		for cookie := range strings.SplitSeq(line, ";") {
			cookies = append(cookies, strings.TrimSpace(cookie))
		}
	}
	return cookies
}

func parametersOf(r *http.Request) map[string]string {
	parameters := map[string]string{}
	for name, values := range r.URL.Query() {
		parameters[name] = strings.Join(values, ",")
	}
	return parameters
}
