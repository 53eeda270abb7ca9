package api

import (
	"encoding/json"
	"strconv"
	"time"
)

// List is an array in JSON, [] also when it is nil.
type List[T any] []T

// MarshalJSON implements json.Marshaler.
func (l List[T]) MarshalJSON() ([]byte, error) {
	if l == nil {
		return []byte("[]"), nil
	}
	return json.Marshal([]T(l))
}

// Time is a moment in JSON as Sentry writes it, in UTC; the zero Time is null.
type Time struct{ time.Time }

// MarshalJSON implements json.Marshaler.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return []byte(t.UTC().Format(`"2006-01-02T15:04:05.000000Z"`)), nil
}

// RawJSON is a value of a client as it was sent; empty: null.
type RawJSON []byte

// MarshalJSON implements json.Marshaler.
func (r RawJSON) MarshalJSON() ([]byte, error) {
	if len(r) == 0 {
		return []byte("null"), nil
	}
	return r, nil
}

// Line is a line of source: its number and its text.
type Line struct {
	Number int
	Text   string
}

// MarshalJSON implements json.Marshaler: [number, text].
func (l Line) MarshalJSON() ([]byte, error) {
	return append(append(append(strconv.AppendInt([]byte{'['}, int64(l.Number), 10), ','), quoted(l.Text)...), ']'), nil
}

// quoted is a text as JSON.
func quoted(text string) []byte {
	out, err := json.Marshal(text)
	if err != nil { // a text always can be
		return []byte(`""`)
	}
	return out
}
