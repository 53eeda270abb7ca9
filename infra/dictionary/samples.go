package main

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"sundew/schema/event/eventtest"
)

// maxSample keeps a few huge events from ruling over what is learnt: it is the
// start of an event that a dictionary helps.
const maxSample = 50_000

// sample is one recorded event.
type sample struct {
	sdk   string // without its version
	group string // SDK, its version and the case: what was recorded in one run of one program
	plain []byte // as the edge compresses it
	clean []byte // as the dictionary may know it
}

// load returns the recorded events of up to maxSample bytes, and the larger ones.
func load() (samples, large []sample, err error) {
	payloads, err := eventtest.Load()
	if err != nil {
		return nil, nil, err
	}
	for _, p := range payloads {
		sdk, _, _ := strings.Cut(p.SDK, " ")
		name, _, _ := strings.Cut(p.Name, ".")
		name, _, _ = strings.Cut(name, "--")
		s := sample{sdk: sdk, group: p.SDK + " " + name, plain: p.JSON}
		if len(p.JSON) > maxSample {
			large = append(large, s)
			continue
		}
		// Where a payload is broken, nothing of it is learnt.
		if s.clean, err = clean(p.JSON); err != nil {
			s.clean = nil
		}
		samples = append(samples, s)
	}
	return samples, large, nil
}

// fingerprint names a set of samples.
func fingerprint(samples []sample) string {
	sum := sha256.New()
	for _, s := range samples {
		sum.Write([]byte(s.group))
		sum.Write(s.plain)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}
