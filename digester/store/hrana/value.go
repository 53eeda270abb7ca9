package hrana

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
)

// appendStatement appends a statement as JSON. Written by hand because a digest
// has a dozen of them.
func appendStatement(b []byte, sql string, args []any, rows bool) ([]byte, error) {
	b = append(b, `{"sql":`...)
	b = appendText(b, sql)
	b = append(b, `,"want_rows":`...)
	b = strconv.AppendBool(b, rows)
	b = append(b, `,"args":[`...)
	for i, a := range args {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = appendValue(b, a); err != nil {
			return b, fmt.Errorf("parameter %d: %w", i+1, err)
		}
	}
	return append(b, "]}"...), nil
}

// appendValue appends one of the values that drivers know.
func appendValue(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, `{"type":"null"}`...), nil
	case int64:
		return appendInt(b, v), nil
	case int:
		return appendInt(b, int64(v)), nil
	case bool:
		if v {
			return appendInt(b, 1), nil
		}
		return appendInt(b, 0), nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return b, fmt.Errorf("%v cannot be sent", v)
		}
		b = append(b, `{"type":"float","value":`...)
		return append(strconv.AppendFloat(b, v, 'g', -1, 64), '}'), nil
	case string:
		b = append(b, `{"type":"text","value":`...)
		return append(appendText(b, v), '}'), nil
	case []byte:
		b = append(b, `{"type":"blob","base64":"`...)
		b = base64.StdEncoding.AppendEncode(b, v)
		return append(b, `"}`...), nil
	case time.Time:
		return appendValue(b, v.UTC().Format(timeFormat))
	}
	return b, fmt.Errorf("values of type %T cannot be sent", v)
}

// timeFormat is how SQLite writes times.
const timeFormat = "2006-01-02 15:04:05.999999999"

func appendInt(b []byte, n int64) []byte {
	b = append(b, `{"type":"integer","value":"`...)
	b = strconv.AppendInt(b, n, 10)
	return append(b, `"}`...)
}

// appendText appends a JSON string. Bytes that are no UTF-8 become U+FFFD.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(s) // a string never fails
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// value is a value of a result: int64, float64, string, []byte or nil.
type value struct{ v any }

// UnmarshalJSON reads {"type": …, "value"|"base64": …}.
func (v *value) UnmarshalJSON(b []byte) error {
	var in struct {
		Type   string
		Value  json.RawMessage
		Base64 string
	}
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	var err error
	switch in.Type {
	case "null":
		v.v = nil
	case "integer":
		var text string
		if err = json.Unmarshal(in.Value, &text); err == nil {
			v.v, err = strconv.ParseInt(text, 10, 64)
		}
	case "float":
		var f float64
		err = json.Unmarshal(in.Value, &f)
		v.v = f
	case "text":
		var s string
		err = json.Unmarshal(in.Value, &s)
		v.v = s
	case "blob":
		v.v, err = base64.RawStdEncoding.DecodeString(trimPadding(in.Base64))
	default:
		err = fmt.Errorf("a value of type %q", in.Type)
	}
	return err
}

// trimPadding makes both ways of base64 one: servers leave the padding out.
func trimPadding(s string) string {
	for len(s) > 0 && s[len(s)-1] == '=' {
		s = s[:len(s)-1]
	}
	return s
}

// Result is what a statement did.
type Result struct {
	Columns  []string
	Rows     [][]any // values: int64, float64, string, []byte or nil
	Changed  int64   // rows
	LastID   int64   // rowid of the last row inserted
	Position uint64  // in the primary's log after it; 0: the server did not say

	declared []string // types of the columns, as their tables declare them
}

// wireResult is a Result as JSON.
type wireResult struct {
	Cols     []struct{ Name, Decltype string }
	Rows     [][]value
	Changed  int64   `json:"affected_row_count"`
	LastID   *string `json:"last_insert_rowid"`
	Position *string `json:"replication_index"`
}

func (w *wireResult) result() (Result, error) {
	r := Result{Changed: w.Changed}
	for _, c := range w.Cols {
		r.Columns, r.declared = append(r.Columns, c.Name), append(r.declared, c.Decltype)
	}
	for _, row := range w.Rows {
		values := make([]any, len(row))
		for i, v := range row {
			values[i] = v.v
		}
		r.Rows = append(r.Rows, values)
	}
	var err error
	if w.LastID != nil {
		if r.LastID, err = strconv.ParseInt(*w.LastID, 10, 64); err != nil {
			return r, fmt.Errorf("the server's answer: %w", err)
		}
	}
	if r.Position, err = position(w.Position); err != nil {
		return r, err
	}
	return r, nil
}

func position(text *string) (uint64, error) {
	if text == nil {
		return 0, nil
	}
	n, err := strconv.ParseUint(*text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("the server's answer: %w", err)
	}
	return n, nil
}
