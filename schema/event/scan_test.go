package event

import (
	"errors"
	"strings"
	"testing"
)

func TestScan(t *testing.T) {
	const id = "0123456789abcdef0123456789abcdef"
	nest := func(n int) string { return `{"a":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + `}` }
	tests := []struct {
		name, payload string
		want          Head
		err           error
	}{
		{"event", `{"event_id":"` + id + `","x":{"event_id":"no","type":"no"}}`, Head{ID: mustID(t, id)}, nil},
		{"type", `{"type":"transaction"}`, Head{Type: "transaction"}, nil},
		{"empty", `{}`, Head{}, nil},
		{"dashes", `{"event_id":"01234567-89AB-cdef-0123-456789abcdef"}`, Head{ID: mustID(t, id)}, nil},
		{"bad id", `{"event_id":"nonsense"}`, Head{}, nil},
		{"id of another kind", `{"event_id":{"a":1},"type":["x"]}`, Head{}, nil},
		{"id twice, the last counts", `{"event_id":"` + strings.Repeat("f", 32) + `","event_id":"` + id + `"}`, Head{ID: mustID(t, id)}, nil},
		{"escaped name", `{"typ\u0065":"x"}`, Head{Type: "x"}, nil},
		{"space around", " \r\n{}\t\n ", Head{}, nil},
		{"byte order mark", "\ufeff{}", Head{}, nil},
		{"NaN", `{"a":NaN,"b":[-Infinity,Infinity],"type":"NaN"}`, Head{Type: "NaN"}, nil},
		{"raw newline", "{\"type\":\"a\nb\x00\"}", Head{Type: "a\nb"}, nil},
		{"raw newline that ends a string", "{\"a\":\"x\n\"}", Head{}, nil},
		{"bad escape", `{"type":"a\x41\u12"}`, Head{Type: `a\x41\u12`}, nil},
		{"invalid UTF-8", "{\"type\":\"a\xff\"}", Head{Type: "a\ufffd"}, nil},
		{"lone surrogate", `{"type":"\ud800x"}`, Head{Type: "\ufffdx"}, nil},
		{"deepest", nest(10), Head{}, nil},
		{"too deep", nest(11), Head{}, ErrDepth},
		{"too deep, unclosed", strings.Repeat(`{"a":`, 11), Head{}, ErrDepth},
		{"too deep after repair", `{"n":NaN,` + nest(11)[1:], Head{}, ErrDepth},
		{"nothing", ``, Head{}, ErrSyntax},
		{"list", `[{}]`, Head{}, ErrSyntax},
		{"null", `null`, Head{}, ErrSyntax},
		{"string", `"x"`, Head{}, ErrSyntax},
		{"two", `{}{}`, Head{}, ErrSyntax},
		{"two lines", "{}\n{}", Head{}, ErrSyntax},
		{"garbage after", `{} x`, Head{}, ErrSyntax},
		{"cut", `{"a":"b`, Head{}, ErrSyntax},
		{"cut in list", `{"a":[1,`, Head{}, ErrSyntax},
		{"wrong end", `{"a":[1}`, Head{}, ErrSyntax},
		{"no comma", `{"a":1 "b":2}`, Head{}, ErrSyntax},
		{"no value", `{"a"}`, Head{}, ErrSyntax},
		{"trailing comma", `{"a":1,}`, Head{}, ErrSyntax},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Scan([]byte(tt.payload), 10)
			if got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("Scan = %+v, %v; want %+v, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

func mustID(t *testing.T, s string) ID {
	t.Helper()
	id, err := ParseID(s)
	if err != nil {
		t.Fatal(err)
	}
	return id
}
