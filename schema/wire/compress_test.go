package wire

import (
	"bytes"
	"errors"
	"sync"
	"testing"
)

func TestCodecRoundTrip(t *testing.T) {
	c := NewCodec()
	for name, plain := range map[string][]byte{
		"empty":       {},
		"short":       []byte("x"),
		"JSON":        bytes.Repeat([]byte(`{"message":"it broke","level":"error"}`), 500),
		"the largest": make([]byte, MaxBody),
	} {
		t.Run(name, func(t *testing.T) {
			body, enc := c.Compress(plain)
			got, err := c.Decompress(body, enc)
			if err != nil || !bytes.Equal(got, plain) {
				t.Errorf("%d bytes came back as %d, %v", len(plain), len(got), err)
			}
		})
	}
}

func TestCodecRefuses(t *testing.T) {
	c := NewCodec()
	tooLarge, _ := c.Compress(make([]byte, MaxBody+1))
	half, _ := c.Compress(make([]byte, MaxBody/2+1))
	good, _ := c.Compress(bytes.Repeat([]byte("good "), 100))
	tests := map[string]struct {
		body []byte
		enc  Encoding
		want error
	}{
		"too large":          {tooLarge, EncodingZstd, ErrCorrupt},
		"too large in two":   {append(bytes.Clone(half), half...), EncodingZstd, ErrCorrupt},
		"too large as it is": {make([]byte, MaxBody+1), EncodingIdentity, ErrCorrupt},
		"cut":                {good[:len(good)-3], EncodingZstd, ErrCorrupt},
		"not zstd":           {[]byte("plain text"), EncodingZstd, ErrCorrupt},
		"next encoding":      {good, 2, ErrVersion},
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
		plain, err := c.Decompress(in, EncodingZstd)
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
