package sourcemap_test

import (
	"encoding/json"
	"testing"

	"sundew/digester/sourcemap"
)

// bundle returns the map of the recorded application: 5.4 MB, 325 sources.
func bundle(b *testing.B) []byte {
	b.Helper()
	app, _ := webApp(b)
	return app.Files["app-2Y6DPYNI.js.map"]
}

// BenchmarkParse reads a map of 5.4 MB. BenchmarkParse/json is what encoding/json
// takes to read its members alone, without decoding one mapping.
func BenchmarkParse(b *testing.B) {
	data := bundle(b)
	b.Run("map", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			if _, err := sourcemap.Parse(data); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("json", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			var m struct {
				Sources, SourcesContent, Names []string
				Mappings                       string
			}
			if err := json.Unmarshal(data, &m); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkLookup looks up one frame after the other all over the script: its
// source, line, column, function, and five lines before and after it.
func BenchmarkLookup(b *testing.B) {
	m, err := sourcemap.Parse(bundle(b))
	if err != nil {
		b.Fatal(err)
	}
	b.Run("frame", func(b *testing.B) {
		found, at := 0, 0
		for b.Loop() {
			at += 7919
			p, ok := m.Lookup(1+at%500, at%70000)
			if !ok {
				continue
			}
			if _, _, _, ok := m.Context(p.Source, p.Line, 5); ok {
				found++
			}
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "frames/s")
		b.ReportMetric(float64(found)/float64(b.N), "mapped")
	})
	// The first look at a map: one frame in each of its sources.
	b.Run("cold", func(b *testing.B) {
		data := bundle(b)
		for b.Loop() {
			b.StopTimer()
			m, err := sourcemap.Parse(data)
			if err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			for line := 1; line < 500; line++ {
				for column := 0; column < 80000; column += 200 {
					m.Lookup(line, column)
				}
			}
		}
	})
}
