package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/klauspost/compress/zstd"
)

// folds is into how many parts the cases are split to be measured with a
// dictionary that was trained on the others.
const folds = 4

// cost is what compressing some events took.
type cost struct {
	events, plain, packed int
	compress, decompress  time.Duration
}

func (c *cost) add(o cost) {
	c.events += o.events
	c.plain += o.plain
	c.packed += o.packed
	c.compress += o.compress
	c.decompress += o.decompress
}

// try compresses the samples as package wire would; dictionary may be nil. The times are of the
// fastest of three rounds.
func try(samples []sample, level zstd.EncoderLevel, dictionary []byte) (cost, error) {
	to := []zstd.EOption{zstd.WithEncoderLevel(level), zstd.WithEncoderCRC(false),
		zstd.WithLowerEncoderMem(true), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(512 << 10)}
	from := []zstd.DOption{zstd.WithDecoderConcurrency(1)}
	if dictionary != nil {
		to, from = append(to, zstd.WithEncoderDict(dictionary)), append(from, zstd.WithDecoderDicts(dictionary))
	}
	enc, err := zstd.NewWriter(nil, to...)
	if err != nil {
		return cost{}, err
	}
	defer enc.Close()
	dec, err := zstd.NewReader(nil, from...)
	if err != nil {
		return cost{}, err
	}
	defer dec.Close()
	var best cost
	for round := range 3 {
		var c cost
		for _, s := range samples {
			began := time.Now()
			body := enc.EncodeAll(s.plain, make([]byte, 0, len(s.plain)/2+64))
			packed := time.Now()
			if _, err := dec.DecodeAll(body, nil); err != nil {
				return cost{}, err
			}
			c.add(cost{1, len(s.plain), len(body), packed.Sub(began), time.Since(packed)})
		}
		if round == 0 {
			best = c
		}
		best.compress, best.decompress = min(best.compress, c.compress), min(best.decompress, c.decompress)
	}
	return best, nil
}

// heldOut compresses every sample with a dictionary that was trained without the
// samples of the same part.
func heldOut(samples []sample, part func(sample) string) (map[string]cost, error) {
	byPart := map[string]cost{}
	for _, p := range parts(samples, part) {
		var in, out []sample
		for _, s := range samples {
			if part(s) == p {
				out = append(out, s)
			} else {
				in = append(in, s)
			}
		}
		dictionary, err := train(in)
		if err != nil {
			return nil, err
		}
		if byPart[p], err = try(out, zstd.SpeedFastest, dictionary); err != nil {
			return nil, err
		}
	}
	return byPart, nil
}

// parts returns the names of the parts in order.
func parts(samples []sample, part func(sample) string) []string {
	var names []string
	for _, s := range samples {
		names = append(names, part(s))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func sum(all map[string]cost) (total cost) {
	for _, c := range all {
		total.add(c)
	}
	return total
}

// measure prints what the dictionary is worth, for the events it was trained on
// and for events it has not seen.
func measure(w io.Writer, samples, large []sample, dictionary []byte) error {
	groups := parts(samples, func(s sample) string { return s.group })
	byCase, err := heldOut(samples, func(s sample) string {
		i, _ := slices.BinarySearch(groups, s.group)
		return fmt.Sprint(i * 7919 % len(groups) % folds) // neighbours apart
	})
	if err != nil {
		return err
	}
	bySDK, err := heldOut(samples, func(s sample) string { return s.sdk })
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "The dictionary has %d bytes; %d events, of %d bytes at most.\n\n", len(dictionary), len(samples), maxSample)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "compressed with\tevents\tJSON\tbody\tcompress\tdecompress\t")
	row := func(name string, c cost) {
		n := max(1, c.events)
		fmt.Fprintf(table, "%s\t%d\t%d B\t%d B\t%.1f µs\t%.1f µs\t\n", name, c.events, c.plain/n, c.packed/n,
			float64(c.compress.Nanoseconds())/float64(n)/1e3, float64(c.decompress.Nanoseconds())/float64(n)/1e3)
	}
	for _, v := range []struct {
		name       string
		samples    []sample
		level      zstd.EncoderLevel
		dictionary []byte
	}{
		{"zstd fastest", samples, zstd.SpeedFastest, nil},
		{"zstd default", samples, zstd.SpeedDefault, nil},
		{"dictionary, events it was trained on", samples, zstd.SpeedFastest, dictionary},
		{"larger events, zstd fastest", large, zstd.SpeedFastest, nil},
		{"larger events, dictionary", large, zstd.SpeedFastest, dictionary},
	} {
		c, err := try(v.samples, v.level, v.dictionary)
		if err != nil {
			return err
		}
		row(v.name, c)
	}
	row("dictionary, held out by case", sum(byCase))
	row("dictionary, held out by SDK", sum(bySDK))
	table.Flush()
	return measureSDKs(w, samples, dictionary, bySDK)
}

// measureSDKs prints the same for each SDK.
func measureSDKs(w io.Writer, samples []sample, dictionary []byte, bySDK map[string]cost) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "\nSDK\tevents\tJSON\tzstd\tdictionary\tnever seen\t")
	for _, sdk := range parts(samples, func(s sample) string { return s.sdk }) {
		var its []sample
		for _, s := range samples {
			if s.sdk == sdk {
				its = append(its, s)
			}
		}
		without, err := try(its, zstd.SpeedFastest, nil)
		if err != nil {
			return err
		}
		with, err := try(its, zstd.SpeedFastest, dictionary)
		if err != nil {
			return err
		}
		n := len(its)
		fmt.Fprintf(table, "%s\t%d\t%d B\t%d B\t%d B\t%d B\t\n", sdk, n, without.plain/n, without.packed/n, with.packed/n, bySDK[sdk].packed/n)
	}
	return table.Flush()
}
