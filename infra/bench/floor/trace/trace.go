// Package trace is what a program asked of its SQLite database: every statement
// with its parameters, in order.
//
// It exists so that the same work can be done again by another program, in
// another language or through another driver, and the two be compared. A
// Recorder stands between database/sql and a driver; Encode writes what it saw in
// a form that a few lines of C can read.
package trace

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// Trace is a recording.
type Trace struct {
	// Setup are the PRAGMAs that bring a new connection to the state in which
	// the recorded one began.
	Setup []string
	// Texts are the statements; a call names one by its place.
	Texts []string
	Calls []Call
}

// Call is one statement that was run.
type Call struct {
	Text   int   // in Texts
	Once   bool  // it was prepared for this call alone, not kept
	Rows   int   // that were read of its result; -1: it was run for its effect
	Failed bool  // it returned an error
	Args   []any // int64, float64, string, []byte or nil
}

// The types of a parameter.
const (
	argNull  = 0
	argInt   = 1
	argFloat = 2
	argText  = 3
	argBlob  = 4
)

// The flags of a call.
const (
	flagOnce   = 1
	flagFailed = 2
)

// magic begins a file; the last byte is the version of the format.
const magic = "SQLTRAC\x01"

// ErrFormat says that a file is not a trace.
var ErrFormat = errors.New("not a trace")

// Encode writes the trace. All numbers are little-endian: 32 bits for counts,
// lengths and places, 64 for values. A text ends with a zero byte that its
// length does not count, as C likes it.
func (t *Trace) Encode(w io.Writer) error {
	out := bufio.NewWriter(w)
	e := encoder{out: out}
	e.bytes([]byte(magic))
	for _, texts := range [][]string{t.Setup, t.Texts} {
		e.u32(len(texts))
		for _, s := range texts {
			e.text(s)
		}
	}
	e.u32(len(t.Calls))
	for i := range t.Calls {
		e.call(&t.Calls[i])
	}
	return errors.Join(e.err, out.Flush())
}

type encoder struct {
	out *bufio.Writer
	err error
}

func (e *encoder) bytes(b []byte) { _, _ = e.out.Write(b) } // bufio keeps the error for Flush

func (e *encoder) u32(n int) { e.bytes(binary.LittleEndian.AppendUint32(nil, uint32(n))) }

func (e *encoder) u64(n uint64) { e.bytes(binary.LittleEndian.AppendUint64(nil, n)) }

func (e *encoder) text(s string) {
	e.u32(len(s))
	e.bytes([]byte(s))
	e.bytes([]byte{0})
}

func (e *encoder) call(c *Call) {
	flags := byte(0)
	if c.Once {
		flags |= flagOnce
	}
	if c.Failed {
		flags |= flagFailed
	}
	e.u32(c.Text)
	e.bytes([]byte{flags})
	e.u32(c.Rows)
	e.u32(len(c.Args))
	for _, a := range c.Args {
		switch a := a.(type) {
		case nil:
			e.bytes([]byte{argNull})
		case int64:
			e.bytes([]byte{argInt})
			e.u64(uint64(a))
		case float64:
			e.bytes([]byte{argFloat})
			e.u64(math.Float64bits(a))
		case string:
			e.bytes([]byte{argText})
			e.text(a)
		case []byte:
			e.bytes([]byte{argBlob})
			e.u32(len(a))
			e.bytes(a)
		default:
			e.err = fmt.Errorf("a parameter of type %T cannot be recorded", a)
		}
	}
}

// Decode reads a trace. Texts and blobs are parts of b.
func Decode(b []byte) (*Trace, error) {
	d := decoder{rest: b}
	if string(d.take(len(magic))) != magic {
		return nil, ErrFormat
	}
	t := &Trace{}
	for _, texts := range []*[]string{&t.Setup, &t.Texts} {
		for n := d.u32(); n > 0 && !d.bad; n-- {
			*texts = append(*texts, d.text())
		}
	}
	for n := d.u32(); n > 0 && !d.bad; n-- {
		t.Calls = append(t.Calls, d.call(len(t.Texts)))
	}
	if d.bad || len(d.rest) > 0 {
		return nil, ErrFormat
	}
	return t, nil
}

type decoder struct {
	rest []byte
	bad  bool
}

// take returns the next n bytes, zeros where there are fewer.
func (d *decoder) take(n int) []byte {
	if n < 0 || n > len(d.rest) {
		d.bad, d.rest = true, nil
		return make([]byte, 8)
	}
	b := d.rest[:n:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) u32() int { return int(int32(binary.LittleEndian.Uint32(d.take(4)))) }

func (d *decoder) u64() uint64 { return binary.LittleEndian.Uint64(d.take(8)) }

func (d *decoder) text() string {
	s := d.take(d.u32() + 1)
	return string(s[:len(s)-1])
}

func (d *decoder) call(texts int) Call {
	c := Call{Text: d.u32()}
	flags := d.take(1)[0]
	c.Once, c.Failed = flags&flagOnce != 0, flags&flagFailed != 0
	c.Rows = d.u32()
	for n := d.u32(); n > 0 && !d.bad; n-- {
		c.Args = append(c.Args, d.arg())
	}
	if c.Text < 0 || c.Text >= texts {
		d.bad = true
	}
	return c
}

func (d *decoder) arg() any {
	switch d.take(1)[0] {
	case argNull:
		return nil
	case argInt:
		return int64(d.u64())
	case argFloat:
		return math.Float64frombits(d.u64())
	case argText:
		return d.text()
	case argBlob:
		return d.take(d.u32())
	}
	d.bad = true
	return nil
}
