// Package cloud is what Sundew uses of AWS, on one machine: in each region a queue,
// a bucket, and the networks that lead to them.
//
// It exists so that tests and measurements of the whole AWS side run real programs
// without an account. The edge of a region and the digester reach the same queue and
// bucket by networks of their own, of which each can be cut. Rules: only loopback;
// nothing is kept.
package cloud

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"time"
)

const (
	account   = "123456789012"
	queueName = "sundew"
	deadName  = "sundew-dead"
)

// Cloud is some regions.
type Cloud struct {
	regions map[string]*Region
	names   []string
	edge    *http.Server // what functions talk to
	home    *http.Server // what the digester talks to
	edgeURL string
	homeURL string
}

// New starts regions of the given names. Close ends them.
func New(names ...string) (*Cloud, error) {
	c := &Cloud{regions: make(map[string]*Region), names: names}
	for _, name := range names {
		r, err := newRegion(c, name)
		if err != nil {
			return nil, err
		}
		c.regions[name] = r
	}
	var err error
	if c.edge, c.edgeURL, err = c.listen(func(r *Region) *side { return r.edge }); err != nil {
		return nil, err
	}
	if c.home, c.homeURL, err = c.listen(func(r *Region) *side { return r.home }); err != nil {
		return nil, errors.Join(err, c.edge.Close())
	}
	for _, r := range c.regions {
		if err := r.createQueues(); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	return c, nil
}

// Close ends everything.
func (c *Cloud) Close() error { return errors.Join(c.edge.Close(), c.home.Close()) }

// Region returns the region of a name that New was given.
func (c *Cloud) Region(name string) *Region { return c.regions[name] }

// DigesterEnv is the part of a digester's environment that names all queues and
// buckets.
func (c *Cloud) DigesterEnv() []string {
	var queues, buckets []string
	for _, name := range c.names {
		queues = append(queues, name+"="+c.homeURL+"/"+account+"/"+queueName)
		buckets = append(buckets, name+"="+c.regions[name].Bucket)
	}
	return append(credentials(),
		"SUNDEW_QUEUES="+strings.Join(queues, ","),
		"SUNDEW_BUCKETS="+strings.Join(buckets, ","),
		"AWS_ENDPOINT_URL_S3="+c.homeURL,
	)
}

// credentials open a cloud that asks for none, and keep a program from looking for
// others.
func credentials() []string {
	return []string{"AWS_ACCESS_KEY_ID=EXAMPLE", "AWS_SECRET_ACCESS_KEY=example", "AWS_EC2_METADATA_DISABLED=true"}
}

// scope finds in a signature which region's service a request is for.
var scope = regexp.MustCompile(`/([a-z0-9-]+)/(sqs|s3)/aws4_request`)

// listen serves one side of all regions.
func (c *Cloud) listen(of func(*Region) *side) (*http.Server, string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		found := scope.FindStringSubmatch(r.Header.Get("Authorization"))
		if found == nil || c.regions[found[1]] == nil {
			http.Error(w, "the signature is for none of the regions", http.StatusForbidden)
			return
		}
		s := of(c.regions[found[1]])
		if found[2] == "sqs" {
			s.queue.ServeHTTP(w, r)
			return
		}
		s.bucket.ServeHTTP(w, r)
	})}
	go func() { _ = server.Serve(listener) }() // until it is closed
	return server, fmt.Sprintf("http://%s", listener.Addr()), nil
}
