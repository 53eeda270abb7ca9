package event

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// ErrSyntax is returned, wrapped with the place and what was wrong there, for a
// payload that is not exactly one JSON object, even after repair.
var ErrSyntax = errors.New("not one JSON object")

// ErrDepth is returned, wrapped with the place, for a payload that nests deeper
// than allowed.
var ErrDepth = errors.New("JSON nests too deep")

// reader walks one JSON document from front to back. Its methods each consume
// one value, whatever its kind, and give the zero value for a kind they have no
// use for. The first error sticks, and from then on nothing more is read, so
// that callers need to look at err only once, at the end.
//
// Of members of the same name the last one counts, as in the languages the
// clients are written in.
type reader struct {
	dec      *jsontext.Decoder
	err      error
	maxDepth int  // checked by skip when it is not 0
	full     bool // also read what only pages show
}

func newReader(payload []byte) *reader {
	return &reader{dec: jsontext.NewDecoder(bytes.NewBuffer(payload),
		jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))}
}

// kind returns the kind of the next value: one of { [ " 0 t f n, the end of the
// current object or list, or 0 after an error.
func (r *reader) kind() jsontext.Kind {
	if r.err != nil {
		return 0
	}
	k := r.dec.PeekKind()
	if k == jsontext.KindInvalid {
		_, err := r.dec.ReadToken()
		r.fail(err)
		return 0
	}
	return k
}

// fail records the first error, without anything of the payload in its text but
// the character that was not expected.
func (r *reader) fail(err error) {
	if r.err != nil || err == nil {
		return
	}
	if syntax := (*jsontext.SyntacticError)(nil); errors.As(err, &syntax) {
		r.err = fmt.Errorf("%w: byte %d: %w", ErrSyntax, syntax.ByteOffset, syntax.Err)
		return
	}
	r.err = fmt.Errorf("%w: byte %d: %w", ErrSyntax, r.dec.InputOffset(), err)
}

// token reads one token. Only its kind is of use after an error.
func (r *reader) token() jsontext.Token {
	if r.err != nil {
		return jsontext.Token{}
	}
	t, err := r.dec.ReadToken()
	r.fail(err)
	return t
}

// value reads the next value as it is written. It is nil after an error, and
// good only until the next read.
func (r *reader) value() jsontext.Value {
	if r.err != nil {
		return nil
	}
	v, err := r.dec.ReadValue()
	r.fail(err)
	return v
}

// skip reads over the next value.
func (r *reader) skip() {
	if r.maxDepth == 0 {
		r.value()
		return
	}
	floor := r.dec.StackDepth()
	for r.err == nil {
		r.token()
		depth := r.dec.StackDepth()
		if depth > r.maxDepth && r.err == nil {
			r.err = fmt.Errorf("%w: byte %d: more than %d levels", ErrDepth, r.dec.InputOffset(), r.maxDepth)
		}
		if depth == floor {
			return
		}
	}
}

// document reads the one object a payload must be. each is called with the name
// of every member and consumes its value.
func (r *reader) document(each func(name []byte)) {
	if k := r.kind(); r.err == nil && k != '{' {
		r.err = fmt.Errorf("%w: byte %d: it begins with another kind of value", ErrSyntax, r.dec.InputOffset())
	}
	r.object(each)
	if r.err != nil {
		return
	}
	if _, err := r.dec.ReadToken(); err == nil {
		r.err = fmt.Errorf("%w: byte %d: more follows it", ErrSyntax, r.dec.InputOffset())
	} else if !errors.Is(err, io.EOF) {
		r.fail(err)
	}
}

// object calls each with the name of every member, good only until the value is
// read; each consumes the value. A value of any other kind is skipped.
func (r *reader) object(each func(name []byte)) {
	if r.kind() != '{' {
		r.skip()
		return
	}
	r.token()
	for k := r.kind(); k != '}' && k != 0; k = r.kind() {
		each(unquote(r.value()))
	}
	r.token()
}

// list calls each before every element of a list, of any kind, and each consumes
// it. A value that is no list is handed to each itself, unless it is null:
// clients send one thing where a list of things is expected.
func (r *reader) list(each func()) {
	switch r.kind() {
	case 0:
	case 'n':
		r.token()
	case '[':
		r.token()
		for k := r.kind(); k != ']' && k != 0; k = r.kind() {
			each()
		}
		r.token()
	default:
		each()
	}
}
