package envelope

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/schema/event"
)

var testLimits = Limits{HeaderLine: 200, Items: 3}

// maxPayload is what tests read of a payload at most.
const maxPayload = 100

// read reads an envelope to its end: one "type:payload" an item, and the error that
// ended it, nil at a proper end. Payloads that are too large read as "…".
func read(src io.Reader, limits Limits, skip bool) (Header, []string, error) {
	r := NewReader(src, limits)
	header, err := r.Header()
	if err != nil {
		return header, nil, err
	}
	var items []string
	for {
		item, err := r.Next()
		if errors.Is(err, io.EOF) {
			return header, items, nil
		}
		if err != nil {
			return header, items, err
		}
		var payload []byte
		if skip {
			err = r.Skip()
		} else {
			payload, err = r.AppendPayload(nil, maxPayload)
		}
		if errors.Is(err, ErrPayloadTooLarge) {
			payload, err = []byte("…"), r.Skip()
		}
		if err != nil {
			return header, items, err
		}
		items = append(items, item.Type+":"+string(payload))
	}
}

func TestFraming(t *testing.T) {
	long := strings.Repeat("x", maxPayload+1)
	for _, tt := range []struct {
		name, envelope string
		items          []string
		err            error
	}{
		{"header only", "{}", nil, nil},
		{"header and newline", "{}\n", nil, nil},
		{"header and blank tail", "{}\n\n \r\n\n", nil, nil},
		{"no length", "{}\n{\"type\":\"a\"}\nxyz", []string{"a:xyz"}, nil},
		{"no length, newline", "{}\n{\"type\":\"a\"}\nxyz\n", []string{"a:xyz"}, nil},
		{"length", "{}\n{\"type\":\"a\",\"length\":3}\nxyz", []string{"a:xyz"}, nil},
		{"length, newline", "{}\n{\"type\":\"a\",\"length\":3}\nxyz\n", []string{"a:xyz"}, nil},
		{"length first", "{}\n{\"length\":3,\"type\":\"a\"}\nxyz\n", []string{"a:xyz"}, nil},
		{"length null", "{}\n{\"type\":\"a\",\"length\":null}\nxyz\n", []string{"a:xyz"}, nil},
		{"newlines in a payload", "{}\n{\"type\":\"a\",\"length\":4}\n\n\x00\n\n\n{\"type\":\"b\"}\nx", []string{"a:\n\x00\n\n", "b:x"}, nil},
		{"carriage returns stay", "{}\r\n{\"type\":\"a\"}\r\nxyz\r\n", []string{"a:xyz\r"}, nil},
		{"zero length", "{}\n{\"type\":\"a\",\"length\":0}\n\n{\"type\":\"b\"}\nx", []string{"a:", "b:x"}, nil},
		{"zero length at the end", "{}\n{\"type\":\"a\",\"length\":0}", []string{"a:"}, nil},
		{"empty payload", "{}\n{\"type\":\"a\"}\n\n{\"type\":\"b\"}\nx", []string{"a:", "b:x"}, nil},
		{"no payload at the end", "{}\n{\"type\":\"a\"}", []string{"a:"}, nil},
		{"blank lines between", "{}\n\n{\"type\":\"a\"}\nx\n\n\n{\"type\":\"b\"}\ny", []string{"a:x", "b:y"}, nil},
		{"strange headers", "{}\n{\"x\":{\"type\":1},\"content_type\":null,\"type\":\"\\u0061\",\"item_count\":\"x\",\"platform\":[]}\nx", []string{"a:x"}, nil},
		{"last type counts", "{}\n{\"type\":7,\"type\":\"a\"}\nx", []string{"a:x"}, nil},
		{"too large", "{}\n{\"type\":\"a\"}\n" + long + "\n{\"type\":\"b\"}\nx", []string{"a:…", "b:x"}, nil},
		{"much too large", "{}\n{\"type\":\"a\"}\n" + strings.Repeat(long, 1000) + "\n{\"type\":\"b\"}\nx", []string{"a:…", "b:x"}, nil},
		{"too large by length", "{}\n{\"type\":\"a\",\"length\":101}\n" + long + "\n{\"type\":\"b\"}\nx", []string{"a:…", "b:x"}, nil},
		{"as large as allowed", "{}\n{\"type\":\"a\"}\n" + long[1:] + "\n{\"type\":\"b\",\"length\":100}\n" + long[1:], []string{"a:" + long[1:], "b:" + long[1:]}, nil},

		{"nothing", "", nil, ErrEmpty},
		{"only blank", "\n \r\n", nil, ErrEmpty},
		{"blank header", "\n{}", nil, ErrMalformed},
		{"header no JSON", "not json\n", nil, ErrMalformed},
		{"header no object", "[]\n", nil, ErrMalformed},
		{"header broken", "{\"a\":\n", nil, ErrMalformed},
		{"header and more", "{} {}\n", nil, ErrMalformed},
		{"header too long", "{\"x\":\"" + strings.Repeat("x", 200) + "\"}", nil, ErrLineTooLong},
		{"header without end", strings.Repeat(" ", 1<<20), nil, ErrLineTooLong},
		{"length too long", "{}\n{\"type\":\"a\",\"length\":4}\nxyz", nil, ErrMalformed},
		{"length much too long", "{}\n{\"type\":\"a\",\"length\":9223372036854775807}\nxyz", nil, ErrMalformed},
		{"length over all bounds", "{}\n{\"type\":\"a\",\"length\":9223372036854775808}\nxyz", nil, ErrMalformed},
		{"length too short", "{}\n{\"type\":\"a\",\"length\":2}\nxyz\n", nil, ErrMalformed},
		{"length negative", "{}\n{\"type\":\"a\",\"length\":-1}\nxyz", nil, ErrMalformed},
		{"length with a fraction", "{}\n{\"type\":\"a\",\"length\":3.0}\nxyz", nil, ErrMalformed},
		{"length text", "{}\n{\"type\":\"a\",\"length\":\"3\"}\nxyz", nil, ErrMalformed},
		{"type missing", "{}\n{\"length\":3}\nxyz", nil, ErrMalformed},
		{"type empty", "{}\n{\"type\":\"\"}\nxyz", nil, ErrMalformed},
		{"type number", "{}\n{\"type\":1}\nxyz", nil, ErrMalformed},
		{"fault behind an item", "{}\n{\"type\":\"a\"}\nx\ngarbage", []string{"a:x"}, ErrMalformed},
		{"item header too long", "{}\n{\"type\":\"a\"}\nx\n{\"x\":\"" + strings.Repeat("x", 200) + "\"}", []string{"a:x"}, ErrLineTooLong},
		{"too many", "{}" + strings.Repeat("\n{\"type\":\"a\"}\nx", 4), []string{"a:x", "a:x", "a:x"}, ErrTooManyItems},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, items, err := read(strings.NewReader(tt.envelope), testLimits, false)
			if diff := cmp.Diff(tt.items, items); diff != "" || !errors.Is(err, tt.err) || (err != nil) != (tt.err != nil) {
				t.Errorf("error %v, want %v; items (-want +got):\n%s", err, tt.err, diff)
			}
			// How the bytes arrive must not matter.
			_, items, err = read(iotest.OneByteReader(iotest.DataErrReader(strings.NewReader(tt.envelope))), testLimits, false)
			if diff := cmp.Diff(tt.items, items); diff != "" || !errors.Is(err, tt.err) {
				t.Errorf("byte by byte: error %v, want %v; items (-want +got):\n%s", err, tt.err, diff)
			}
		})
	}
}

func TestHeader(t *testing.T) {
	id, err := event.ParseID("9ec79c33ec9942ab8353589fcb2e04dc")
	if err != nil {
		t.Fatal(err)
	}
	sent := time.Date(2026, 11, 21, 9, 30, 0, 123456789, time.UTC)
	for line, want := range map[string]Header{
		`{}`: {},
		`{"event_id":"9EC79C33-EC99-42AB-8353-589FCB2E04DC","sent_at":"2026-11-21T09:30:00.123456789Z","dsn":"https:\/\/a@b/1"}`: {EventID: id, SentAt: sent, DSN: "https://a@b/1"},
		`{"event_id":"nonsense","sent_at":"yesterday","dsn":7,"sdk":[],"trace":{"sample_rate":0.5}}`:                             {},
		`{"event_id":null,"sent_at":1795196762.077,"dsn":null,"new_thing":{"a":[1,{"b":null}]}}`:                                 {},
		"{\"event_id\":7,\"dsn\":\"\xff\"}": {DSN: "\ufffd"},
	} {
		got, _, err := read(strings.NewReader(line), testLimits, false)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", line, err, diff)
		}
	}
}

func TestItemHeader(t *testing.T) {
	r := NewReader(strings.NewReader("{}\n{\"item_count\":12,\"length\":2,\"type\":\"log\"}\n[]\n{\"type\":\"span\",\"item_count\":-1}\nx\n"+
		"{\"filename\":\"a\\u0000.txt\",\"type\":\"attachment\",\"content_type\":null,\"attachment_type\":\"event.minidump\"}\n"), testLimits)
	if _, err := r.Header(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []Item{{Type: "log", Length: 2, ItemCount: 12}, {Type: "span", Length: -1},
		{Type: "attachment", Length: -1, Filename: "a\x00.txt", AttachmentType: "event.minidump"}} {
		if got, err := r.Next(); err != nil || got != want {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("after the last item: %v", err)
	}
	if payload, err := r.AppendPayload(nil, 1); len(payload) != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("payload after the end: %q, %v", payload, err)
	}
}

// TestSourceFails checks that an error of the source is passed on, wherever it strikes,
// and is not taken for bad framing.
func TestSourceFails(t *testing.T) {
	broken := errors.New("broken")
	whole := "{}\n{\"type\":\"a\",\"length\":3}\nxyz\n{\"type\":\"b\"}\nxyz\n"
	for cut := range len(whole) {
		for _, skip := range []bool{false, true} {
			src := io.MultiReader(strings.NewReader(whole[:cut]), iotest.ErrReader(broken))
			_, items, err := read(src, testLimits, skip)
			if !errors.Is(err, broken) || errors.Is(err, ErrMalformed) || errors.Is(err, ErrEmpty) {
				t.Errorf("cut after %q: %v, items %q", whole[:cut], err, items)
			}
		}
	}
}

// TestStreaming checks that items nobody wants cost no memory, and that a reader can be
// used again after any end.
func TestStreaming(t *testing.T) {
	r := NewReader(strings.NewReader("broken"), testLimits)
	if _, err := r.Header(); !errors.Is(err, ErrMalformed) {
		t.Fatal(err)
	}
	const size = 8 << 20
	body := "{}\n{\"type\":\"a\"}\n" + strings.Repeat("x", size) + "\n{\"type\":\"a\",\"length\":8388608}\n" + strings.Repeat("\n", size) + "\n" + strings.Repeat("\n", size)
	src := strings.NewReader(body)
	result := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			src.Reset(body)
			r.Reset(src)
			items := 0
			if _, err := r.Header(); err != nil {
				t.Fatal(err)
			}
			for _, err := r.Next(); !errors.Is(err, io.EOF); _, err = r.Next() {
				if err != nil {
					t.Fatal(err)
				}
				items++
			}
			if items != 2 {
				t.Fatalf("%d items", items)
			}
		}
	})
	if got := result.AllocedBytesPerOp(); got > 16<<10 {
		t.Errorf("%d bytes allocated", got)
	}
}
