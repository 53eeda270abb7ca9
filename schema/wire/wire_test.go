package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"sundew/schema/event"
)

// full returns a message with every field set.
func full() *Message {
	return &Message{
		Kind:        KindCSP,
		Encoding:    EncodingZstd,
		Project:     0x0102030405060708,
		Instance:    InstanceID{1, 2, 3, 15: 16},
		Seq:         1<<63 + 5,
		EventID:     event.ID{0xaa, 15: 0xbb},
		ReceivedAt:  time.UnixMilli(1767225600123).UTC(),
		SentAt:      time.UnixMilli(-1).UTC(), // a client's clock may say anything
		Region:      "eu-central-1",
		Client:      strings.Repeat("c", 127),
		RemoteIP:    "2001:db8::1",
		Environment: strings.Repeat("e", 128), // the first length that takes two bytes
		Release:     "app@1.2.3 ☃",
		Key:         "0123456789abcdef0123456789abcdef",
		Body:        []byte{0, 1, 2, 0xff},
	}
}

var messages = map[string]*Message{
	"full": full(),
	"zero": {},
	"long texts": {
		Kind:    KindEvent,
		Release: strings.Repeat("r", 1<<14),
		Client:  strings.Repeat("c", 1<<14-1),
		Body:    bytes.Repeat([]byte("body"), 1000),
	},
}

func TestRoundTrip(t *testing.T) {
	for name, m := range messages {
		t.Run(name, func(t *testing.T) {
			prefix := []byte("before")
			encoded := m.Encode(prefix)
			if !bytes.HasPrefix(encoded, prefix) {
				t.Fatal("Encode does not append")
			}
			encoded = encoded[len(prefix):]
			if len(encoded) != m.EncodedLen() {
				t.Errorf("EncodedLen = %d, Encode appended %d bytes", m.EncodedLen(), len(encoded))
			}
			got, err := Decode(encoded)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(m, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-encoded +decoded):\n%s", diff)
			}
		})
	}
}

// TestFormat pins the bytes of version 1: messages of an older program may lie in
// a queue for days.
func TestFormat(t *testing.T) {
	m := &Message{
		Kind: KindEvent, Encoding: EncodingZstd, Project: 7, Instance: InstanceID{0xaa}, Seq: 258, EventID: event.ID{0xbb},
		ReceivedAt: time.UnixMilli(1767225600123), SentAt: time.UnixMilli(1),
		Region: "r", Client: "cc", RemoteIP: "i", Environment: "", Release: "v1", Body: []byte("body"),
	}
	const head = "01" + "01" + "01" +
		"0000000000000007" +
		"aa000000000000000000000000000000" +
		"0000000000000102" +
		"bb000000000000000000000000000000" +
		"0000019b76daa87b" +
		"0000000000000001" +
		"0172" + "026363" + "0169" + "00" + "027631"
	for key, encoded := range map[string]string{
		"":                                 "00",
		"0123456789abcdef0123456789abcdef": "20" + "3031323334353637383961626364656630313233343536373839616263646566",
	} {
		m.Key = key
		want := head + encoded + "626f6479"
		if got := hex.EncodeToString(m.Encode(nil)); got != want {
			t.Errorf("encoded\n%s, want\n%s", got, want)
		}
	}
}

func TestPutSeq(t *testing.T) {
	for name, m := range messages {
		t.Run(name, func(t *testing.T) {
			early := *m
			early.Seq = 0
			encoded := early.Encode(nil)
			PutSeq(encoded, 77)
			want := *m
			want.Seq = 77
			if !bytes.Equal(encoded, want.Encode(nil)) {
				t.Error("not what Encode makes of a message with that number")
			}
		})
	}
}

func TestEncodedLenDoesNotAllocate(t *testing.T) {
	m := full()
	if n := testing.AllocsPerRun(10, func() { m.EncodedLen() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestDecodeRefuses(t *testing.T) {
	encoded := full().Encode(nil)
	overlong := append(bytes.Clone(encoded[:fixedLen]), bytes.Repeat([]byte{0xff}, 11)...)
	huge := append(bytes.Clone(encoded[:fixedLen]), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01)
	tests := map[string]struct {
		in   []byte
		want error
	}{
		"nothing":                    {nil, ErrCorrupt},
		"version 0":                  {append([]byte{0}, encoded[1:]...), ErrVersion},
		"version 2":                  {append([]byte{2}, encoded[1:]...), ErrVersion},
		"version 2, of other length": {[]byte{2}, ErrVersion},
		"only a version":             {[]byte{Version}, ErrCorrupt},
		"length that never ends":     {overlong, ErrCorrupt},
		"length of 2^64-1":           {huge, ErrCorrupt},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if m, err := Decode(test.in); !errors.Is(err, test.want) {
				t.Errorf("Decode = %+v, %v; want %v", m, err, test.want)
			}
		})
	}
}

// TestTruncation: the parts before the body say their length, so a cut through
// them is noticed; one through the body is for its checksum-less reader to find.
func TestTruncation(t *testing.T) {
	m := full()
	encoded := m.Encode(nil)
	for n := range len(encoded) {
		got, err := Decode(encoded[:n:n])
		if n < len(encoded)-len(m.Body) {
			if !errors.Is(err, ErrCorrupt) {
				t.Errorf("first %d bytes: %v, want ErrCorrupt", n, err)
			}
			continue
		}
		if err != nil || !bytes.HasPrefix(m.Body, got.Body) {
			t.Errorf("first %d bytes: %+v, %v", n, got, err)
		}
	}
}

// FuzzDecode: whatever Decode accepts is a message that Encode can write and
// Decode reads the same.
func FuzzDecode(f *testing.F) {
	for _, m := range messages {
		encoded := m.Encode(nil)
		f.Add(encoded)
		f.Add(encoded[:len(encoded)/2])
	}
	f.Add([]byte{2})
	f.Fuzz(func(t *testing.T, in []byte) {
		m, err := Decode(in)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrVersion) {
				t.Errorf("error is neither ErrCorrupt nor ErrVersion: %v", err)
			}
			return
		}
		again := m.Encode(nil)
		if len(again) != m.EncodedLen() {
			t.Errorf("EncodedLen = %d, Encode appended %d bytes", m.EncodedLen(), len(again))
		}
		if len(again) > len(in) {
			t.Errorf("%d bytes became %d", len(in), len(again))
		}
		reread, err := Decode(again)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(m, reread, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("(-first +second):\n%s", diff)
		}
		PutSeq(again, m.Seq+1)
		if numbered, err := Decode(again); err != nil || numbered.Seq != m.Seq+1 {
			t.Errorf("after PutSeq: %v, %v", numbered, err)
		}
	})
}
