package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"sundew/schema/corpus"
)

// fields are those of an event.
type fields map[string]json.RawMessage

// recordedEvents returns the events of these recorded requests.
func recordedEvents(names []string) (map[string]fields, error) {
	requests, err := corpus.Captured()
	if err != nil {
		return nil, err
	}
	found := make(map[string]fields)
	for _, r := range requests {
		if !slices.Contains(names, r.Name) {
			continue
		}
		body, err := decoded(r)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.Name, err)
		}
		if found[r.Name], err = eventIn(body); err != nil {
			return nil, fmt.Errorf("%s: %w", r.Name, err)
		}
	}
	for _, name := range names {
		if found[name] == nil {
			return nil, fmt.Errorf("there is no recorded request %q", name)
		}
	}
	return found, nil
}

func decoded(r corpus.Request) ([]byte, error) {
	var plain io.Reader = bytes.NewReader(r.Body)
	var err error
	switch r.Header.Get("Content-Encoding") {
	case "gzip":
		plain, err = gzip.NewReader(plain)
	case "br":
		plain = brotli.NewReader(plain)
	case "zstd":
		var d *zstd.Decoder
		if d, err = zstd.NewReader(plain); err == nil {
			defer d.Close()
			plain = d
		}
	}
	if err != nil {
		return nil, err
	}
	return io.ReadAll(plain)
}

// eventIn returns the first event of an envelope, or the event that the body is.
func eventIn(body []byte) (fields, error) {
	for _, line := range bytes.Split(body, []byte("\n")) {
		var f fields
		if json.Unmarshal(line, &f) != nil {
			continue
		}
		for _, says := range []string{"exception", "message", "logentry", "sentry.interfaces.Message"} {
			if f[says] != nil && f["event_id"] != nil {
				return f, nil
			}
		}
	}
	return nil, fmt.Errorf("it has no event")
}
