package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/klauspost/compress/zstd"

	"sundew/schema/event/eventtest"
)

// compressPlainly is how bodies of EncodingZstd were made.
func compressPlainly(t testing.TB) func(plain []byte) ([]byte, Encoding) {
	t.Helper()
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false), zstd.WithLowerEncoderMem(true))
	if err != nil {
		t.Fatal(err)
	}
	return func(plain []byte) ([]byte, Encoding) {
		return enc.EncodeAll(plain, make([]byte, 0, len(plain)/2+64)), EncodingZstd
	}
}

func TestCodecRoundTrip(t *testing.T) {
	c := NewCodec()
	for name, plain := range map[string][]byte{
		"empty":       {},
		"short":       []byte("x"),
		"JSON":        bytes.Repeat([]byte(`{"message":"it broke","level":"error"}`), 500),
		"the largest": make([]byte, MaxBody),
	} {
		t.Run(name, func(t *testing.T) {
			for _, compress := range []func([]byte) ([]byte, Encoding){
				c.Compress,
				compressPlainly(t),
				func(plain []byte) ([]byte, Encoding) { return plain, EncodingIdentity },
			} {
				body, enc := compress(plain)
				got, err := c.Decompress(body, enc)
				if err != nil || !bytes.Equal(got, plain) {
					t.Errorf("encoding %d: %d bytes came back as %d, %v", enc, len(plain), len(got), err)
				}
			}
		})
	}
}

// TestDictionary1IsForEver: bodies that were stored with the first dictionary
// stay readable. If this fails, do not change the test or its files: put the
// dictionary back.
func TestDictionary1IsForEver(t *testing.T) {
	const want = "730d6c0299d29d7c9dad957712e9c42beb2a91e60f98901f4808f9a97dd0cbea"
	if sum := sha256.Sum256([]byte(dictionary1)); hex.EncodeToString(sum[:]) != want {
		t.Errorf("dictionary-1.zdict has the checksum %x, it had %s", sum, want)
	}
	body, err := os.ReadFile(filepath.Join("testdata", "encoding-2.zst"))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := os.ReadFile(filepath.Join("testdata", "encoding-2.json"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := NewCodec().Decompress(body, EncodingZstdDict1)
	if err != nil || !bytes.Equal(got, plain) {
		t.Errorf("the body became %q, %v", got, err)
	}
	if len(body) > len(plain)/3 {
		t.Errorf("the body has %d of %d bytes: it does not use the dictionary", len(body), len(plain))
	}
}

// TestDictionaryIsWorthIt: the recorded events, all together and each.
func TestDictionaryIsWorthIt(t *testing.T) {
	c, compressPlainly := NewCodec(), compressPlainly(t)
	with, without := 0, 0
	for _, p := range eventtest.Captured(t) {
		body, enc := c.Compress(p.JSON)
		got, err := c.Decompress(body, enc)
		if err != nil || !bytes.Equal(got, p.JSON) {
			t.Errorf("%s came back as %d of %d bytes, %v", p.Name, len(got), len(p.JSON), err)
		}
		plainly, _ := compressPlainly(p.JSON)
		if len(body) > len(plainly) {
			t.Errorf("%s has %d bytes, without a dictionary %d", p.Name, len(body), len(plainly))
		}
		with, without = with+len(body), without+len(plainly)
	}
	if with > without*3/4 {
		t.Errorf("%d bytes with the dictionary, %d without", with, without)
	}
}

func TestCodecRefuses(t *testing.T) {
	c := NewCodec()
	tooLarge, _ := c.Compress(make([]byte, MaxBody+1))
	half, _ := c.Compress(make([]byte, MaxBody/2+1))
	good, _ := c.Compress(bytes.Repeat([]byte("good "), 100))
	plainTooLarge, _ := compressPlainly(t)(make([]byte, MaxBody+1))
	unknown := bytes.Clone(good)
	copy(unknown[5:], "??") // the frame header's dictionary id
	tests := map[string]struct {
		body []byte
		enc  Encoding
		want error
	}{
		"too large":          {tooLarge, EncodingZstdDict1, ErrCorrupt},
		"too large in two":   {append(bytes.Clone(half), half...), EncodingZstdDict1, ErrCorrupt},
		"too large as it is": {make([]byte, MaxBody+1), EncodingIdentity, ErrCorrupt},
		"cut":                {good[:len(good)-3], EncodingZstdDict1, ErrCorrupt},
		"not zstd":           {[]byte("plain text"), EncodingZstdDict1, ErrCorrupt},
		"too large, plainly": {plainTooLarge, EncodingZstd, ErrCorrupt},
		"unknown dictionary": {unknown, EncodingZstdDict1, ErrCorrupt},
		"next encoding":      {good, 3, ErrVersion},
		"last encoding":      {nil, 255, ErrVersion},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if plain, err := c.Decompress(test.body, test.enc); !errors.Is(err, test.want) {
				t.Errorf("Decompress = %d bytes, %v; want %v", len(plain), err, test.want)
			}
		})
	}
}

func TestCodecIsSafeForConcurrentUse(t *testing.T) {
	c := NewCodec()
	var workers sync.WaitGroup
	for w := range 8 {
		workers.Go(func() {
			plain := bytes.Repeat([]byte{byte(w)}, 1000*w)
			for range 50 {
				body, enc := c.Compress(plain)
				if got, err := c.Decompress(body, enc); err != nil || !bytes.Equal(got, plain) {
					t.Errorf("worker %d got something else, %v", w, err)
				}
			}
		})
	}
	workers.Wait()
}

// FuzzDecompress: hostile bodies are errors, within the bound.
func FuzzDecompress(f *testing.F) {
	c := NewCodec()
	body, _ := c.Compress(bytes.Repeat([]byte(`{"a":1}`), 50))
	f.Add(body)
	bomb, _ := c.Compress(make([]byte, MaxBody+1))
	f.Add(bomb)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, in []byte) {
		plain, err := c.Decompress(in, EncodingZstdDict1)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Errorf("error is not ErrCorrupt: %v", err)
			}
			return
		}
		if len(plain) > MaxBody {
			t.Errorf("%d bytes became %d", len(in), len(plain))
		}
	})
}

// benchmarked are recorded events: a median one, a large one, and all up to
// 50 KB in turn.
func benchmarked(b *testing.B) map[string][][]byte {
	var all [][]byte
	for _, p := range eventtest.Captured(b) {
		if len(p.JSON) <= 50_000 {
			all = append(all, p.JSON)
		}
	}
	sorted := slices.SortedFunc(slices.Values(all), func(x, y []byte) int { return len(x) - len(y) })
	return map[string][][]byte{"median": {sorted[len(sorted)/2]}, "p95": {sorted[len(sorted)*95/100]}, "all": all}
}

func BenchmarkCompress(b *testing.B) {
	for name, compress := range map[string]func([]byte) ([]byte, Encoding){"zstd": compressPlainly(b), "dict1": NewCodec().Compress} {
		for size, events := range benchmarked(b) {
			b.Run(name+"/"+size, func(b *testing.B) {
				b.ReportAllocs()
				in, out := 0, 0
				for i := 0; b.Loop(); i++ {
					plain := events[i%len(events)]
					body, _ := compress(plain)
					in, out = in+len(plain), out+len(body)
				}
				b.ReportMetric(float64(in)/float64(b.N), "JSON-B/op")
				b.ReportMetric(float64(out)/float64(b.N), "body-B/op")
			})
		}
		all := benchmarked(b)["all"]
		b.Run(name+"/parallel", func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					compress(all[i%len(all)])
				}
			})
		})
	}
}

func BenchmarkDecompress(b *testing.B) {
	c := NewCodec()
	for name, compress := range map[string]func([]byte) ([]byte, Encoding){"zstd": compressPlainly(b), "dict1": c.Compress} {
		for size, events := range benchmarked(b) {
			var bodies [][]byte
			var enc Encoding
			for _, plain := range events {
				var body []byte
				body, enc = compress(plain)
				bodies = append(bodies, body)
			}
			b.Run(name+"/"+size, func(b *testing.B) {
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					if _, err := c.Decompress(bodies[i%len(bodies)], enc); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkNewCodec(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		NewCodec()
	}
}
