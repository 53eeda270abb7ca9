package sourcemap_test

import (
	"bytes"
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

// BenchmarkLookup looks up one frame after the other, all over the script: its
// source, line, column, function, and five lines before and after it.
func BenchmarkLookup(b *testing.B) {
	data := bundle(b)
	places := placesOf(b)
	b.Run("frame", func(b *testing.B) {
		m, err := sourcemap.Parse(data)
		if err != nil {
			b.Fatal(err)
		}
		i, found := 0, 0
		for b.Loop() {
			i++
			if lookUp(m, places[i%len(places)]) {
				found++
			}
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "frames/s")
		b.ReportMetric(float64(found)/float64(b.N), "mapped")
	})
	// The first looks at a map, which open its sources: a thousand frames all over it.
	b.Run("thousand", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			m, err := sourcemap.Parse(data)
			if err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			for i := range 1000 {
				lookUp(m, places[i])
			}
		}
	})
}

func lookUp(m *sourcemap.Map, place [2]int) bool {
	p, ok := m.Lookup(place[0], place[1])
	if ok {
		_, _, _, ok = m.Context(p.Source, p.Line, 5)
	}
	return ok
}

// placesOf returns 4096 places of the script, spread over it and shuffled: where
// its lines have characters.
func placesOf(b *testing.B) [][2]int {
	app, _ := webApp(b)
	script := app.Files["app-2Y6DPYNI.js"]
	places := make([][2]int, 4096)
	for i := range places {
		at := i * 7919 * 4096 % len(script)
		line := bytes.Count(script[:at], []byte{'\n'}) + 1
		places[i] = [2]int{line, at - bytes.LastIndexByte(script[:at], '\n') - 1}
	}
	return places
}
