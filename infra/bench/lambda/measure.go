package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"sundew/functions/lambdatest"
	"sundew/infra/aws/cloud"
	"sundew/schema/corpus"
	"sundew/schema/event"
)

// bench is what all measurements share.
type bench struct {
	program string
	region  *cloud.Region
	report  *report
}

// report is a recorded request that all measurements repeat. That it is always the
// same event is of no matter: nobody digests it.
type report struct {
	corpus.Request
	project event.ProjectID
	key     string
}

// recorded returns an error that a Go program reported, as its SDK sent it.
func recorded() (*report, error) {
	all, err := corpus.Captured()
	if err != nil {
		return nil, err
	}
	for _, r := range all {
		if r.Name != "go-error" {
			continue
		}
		found := &report{Request: r, key: corpus.Key}
		if _, err := fmt.Sscanf(r.Path, "/api/%d/envelope/", &found.project); err != nil {
			return nil, err
		}
		return found, nil
	}
	return nil, errors.New("the corpus has no case go-error")
}

// function deploys the function.
func (b *bench) function(environments int, freeze bool) (*lambdatest.Function, error) {
	return lambdatest.New(lambdatest.Config{
		Bootstrap: b.program, Env: b.region.FunctionEnv(), Region: b.region.Name,
		Concurrency: environments, Freeze: freeze, Log: os.Stderr,
	})
}

// client sends the report to one address.
type client struct {
	http   http.Client
	url    string
	report *report
}

// serve serves a handler and returns a client of it and how to end both.
func (b *bench) serve(h http.Handler) (*client, func(), error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }() // until it is closed
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	c := &client{url: "http://" + listener.Addr().String() + b.report.Path, report: b.report, http: http.Client{Transport: transport}}
	if b.report.Query != "" {
		c.url += "?" + b.report.Query
	}
	return c, func() { transport.CloseIdleConnections(); server.Close() }, nil
}

// send sends the report once and returns how long the answer took, an error if it
// was not accepted.
func (c *client) send(ctx context.Context) (time.Duration, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(c.report.Body))
	if err != nil {
		return 0, err
	}
	req.Header = c.report.Header.Clone()
	for _, name := range []string{"Connection", "Transfer-Encoding", "Content-Length"} {
		req.Header.Del(name)
	}
	began := time.Now()
	answer, err := c.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("answered %s: %.200s", answer.Status, said)
	}
	return time.Since(began), err
}

// cold sends each request to a function of which no environment runs.
func (b *bench) cold(ctx context.Context, starts int) error {
	f, err := b.function(1, false)
	if err != nil {
		return err
	}
	defer f.Close()
	c, done, err := b.serve(f)
	if err != nil {
		return err
	}
	defer done()
	var answers durations
	for range starts {
		took, err := c.send(ctx)
		if err != nil {
			return err
		}
		answers = append(answers, took)
		f.Recycle()
	}
	inits := durations(f.Inits())
	fmt.Printf("cold start, %d starts:      process to ready p50 %.1f ms, p95 %.1f ms; to first answer p50 %.1f ms, p95 %.1f ms\n",
		starts, inits.at(0.5), inits.at(0.95), answers.at(0.5), answers.at(0.95))
	return nil
}

// warm sends requests by turns to one environment and to the same handler on
// net/http, which sends to the same queue.
func (b *bench) warm(ctx context.Context, requests int) error {
	f, err := b.function(1, false)
	if err != nil {
		return err
	}
	defer f.Close()
	handler, err := b.plainHandler()
	if err != nil {
		return err
	}
	var clients [2]*client
	var took [2]durations
	for i, h := range []http.Handler{f, handler} {
		c, done, err := b.serve(h)
		if err != nil {
			return err
		}
		defer done()
		clients[i] = c
	}
	const warmUp = 50
	for n := range requests + warmUp {
		for i, c := range clients {
			d, err := c.send(ctx)
			if err != nil {
				return err
			}
			if n >= warmUp {
				took[i] = append(took[i], d)
			}
		}
	}
	function, plain := took[0], took[1]
	fmt.Printf("warm, %d requests each:   function p50 %.2f ms, p99 %.2f ms; handler on net/http p50 %.2f ms, p99 %.2f ms; ratio of p50 %.2f\n",
		requests, function.at(0.5), function.at(0.99), plain.at(0.5), plain.at(0.99), function.at(0.5)/plain.at(0.5))
	return nil
}

// outage sends events as fast as they are accepted while nobody takes them from the
// queue. Environments are frozen between requests, as on Lambda.
func (b *bench) outage(ctx context.Context, events, environments int) error {
	f, err := b.function(environments, true)
	if err != nil {
		return err
	}
	defer f.Close()
	c, done, err := b.serve(f)
	if err != nil {
		return err
	}
	defer done()
	before, err := b.region.Waiting()
	if err != nil {
		return err
	}
	var left atomic.Int64
	left.Store(int64(events))
	took := make([]durations, environments)
	errs := make([]error, environments)
	began := time.Now()
	var all sync.WaitGroup
	for i := range environments {
		all.Go(func() {
			for left.Add(-1) >= 0 && errs[i] == nil {
				var d time.Duration
				d, errs[i] = c.send(ctx)
				took[i] = append(took[i], d)
			}
		})
	}
	all.Wait()
	spent := time.Since(began)
	if err := errors.Join(errs...); err != nil {
		return err
	}
	after, err := b.region.Waiting()
	if err != nil {
		return err
	}
	if after-before != events {
		return fmt.Errorf("%d events were accepted, %d are in the queue", events, after-before)
	}
	var answers durations
	for _, d := range took {
		answers = append(answers, d...)
	}
	fmt.Printf("digester away, %d events, %d clients, %d environments: all accepted, %.0f/s, p50 %.1f ms, p99 %.1f ms, longest %.1f ms\n",
		events, environments, environments, float64(events)/spent.Seconds(), answers.at(0.5), answers.at(0.99), answers.at(1))
	return nil
}
