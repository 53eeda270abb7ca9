package symbolicate

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrOverlay is wrapped by Decode for anything that Encode did not write.
var ErrOverlay = errors.New("not an overlay of source frames")

// encodingVersion is the first byte of an encoded overlay. What was written with
// it stays readable: a new form is a new version.
const encodingVersion = 1

// Encode returns the overlay as bytes that Decode reads, now and in later
// versions: numbers as varints, texts once each and named by their place.
func (o Overlay) Encode() []byte {
	w := writer{places: map[string]int{}}
	w.number(len(o.Stacks))
	for _, s := range o.Stacks {
		w.number(int(s.Place.Kind))
		w.number(s.Place.Index)
		w.number(len(s.Frames))
		for _, f := range s.Frames {
			w.frame(f)
		}
	}
	head := binary.AppendUvarint([]byte{encodingVersion}, uint64(len(w.texts)))
	for _, t := range w.texts {
		head = binary.AppendUvarint(head, uint64(len(t)))
		head = append(head, t...)
	}
	return append(head, w.out...)
}

// writer writes frames, and collects the texts they name.
type writer struct {
	out    []byte
	texts  []string
	places map[string]int
}

func (w *writer) number(n int) { w.out = binary.AppendUvarint(w.out, uint64(n)) }

func (w *writer) text(t string) {
	at, ok := w.places[t]
	if !ok {
		at = len(w.texts)
		w.texts = append(w.texts, t)
		w.places[t] = at
	}
	w.number(at)
}

func (w *writer) frame(f Frame) {
	w.number(f.Index)
	w.text(f.Filename)
	w.text(f.AbsPath)
	w.text(f.Function)
	w.number(f.Line)
	w.number(f.Column)
	switch {
	case f.InApp == nil:
		w.number(0)
	case *f.InApp:
		w.number(1)
	default:
		w.number(2)
	}
	w.number(len(f.Pre))
	for _, line := range f.Pre {
		w.text(line)
	}
	w.text(f.Context)
	w.number(len(f.Post))
	for _, line := range f.Post {
		w.text(line)
	}
}

// Decode reads what Encode wrote. Its error wraps ErrOverlay.
func Decode(data []byte) (Overlay, error) {
	var o Overlay
	if len(data) == 0 || data[0] != encodingVersion {
		return o, fmt.Errorf("%w: unknown version", ErrOverlay)
	}
	d := decoder{data: data[1:]}
	d.texts = make([]string, d.count(1))
	for i := range d.texts {
		d.texts[i] = d.bytes()
	}
	o.Stacks = make([]Stack, d.count(3))
	for i := range o.Stacks {
		s := &o.Stacks[i]
		s.Place = Place{Kind(d.number() & 0xff), d.number()}
		s.Frames = make([]Frame, d.count(10))
		for j := range s.Frames {
			s.Frames[j] = d.frame()
		}
	}
	if d.failed || len(d.data) > 0 {
		return Overlay{}, fmt.Errorf("%w: damaged", ErrOverlay)
	}
	if len(o.Stacks) == 0 {
		o.Stacks = nil
	}
	return o, nil
}

// decoder reads an encoded overlay. After something that cannot be it has failed,
// and says zero to everything.
type decoder struct {
	data   []byte
	texts  []string
	failed bool
}

func (d *decoder) fail() int {
	d.failed, d.data = true, nil
	return 0
}

func (d *decoder) number() int {
	n, size := binary.Uvarint(d.data)
	if size <= 0 || n > 1<<31 {
		return d.fail()
	}
	d.data = d.data[size:]
	return int(n)
}

// count reads how many things follow, each of which takes at least so many bytes:
// no room is made for what cannot be there.
func (d *decoder) count(least int) int {
	n := d.number()
	if n > len(d.data)/least {
		return d.fail()
	}
	return n
}

func (d *decoder) bytes() string {
	n := d.count(1)
	t := string(d.data[:n])
	d.data = d.data[n:]
	return t
}

func (d *decoder) text() string {
	n := d.number()
	if n >= len(d.texts) {
		d.fail()
		return ""
	}
	return d.texts[n]
}

func (d *decoder) lines() []string {
	n := d.count(1)
	if n == 0 {
		return nil
	}
	lines := make([]string, n)
	for i := range lines {
		lines[i] = d.text()
	}
	return lines
}

func (d *decoder) frame() Frame {
	f := Frame{
		Index: d.number(), Filename: d.text(), AbsPath: d.text(), Function: d.text(),
		Line: d.number(), Column: d.number(),
	}
	if n := d.number(); n != 0 {
		inApp := n == 1
		f.InApp = &inApp
	}
	f.Pre = d.lines()
	f.Context = d.text()
	f.Post = d.lines()
	return f
}
