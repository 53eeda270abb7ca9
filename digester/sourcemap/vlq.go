package sourcemap

import (
	"fmt"
	"math"
)

// mapping leads from a place of the generated script to its origin. Its lines and
// columns count from 0.
type mapping struct {
	line, column               int32
	source, srcLine, srcColumn int32 // source -1: code that the bundler made
	name                       int32 // -1: none
}

// digits are the values of the base64 digits, -1 for every other byte.
var digits = func() (table [256]int8) {
	for i := range table {
		table[i] = -1
	}
	for i, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" {
		table[c] = int8(i)
	}
	return table
}()

// segments counts the segments of mappings, so that room is made for them once.
func segments(mappings []byte) int {
	n, within := 0, false
	for _, c := range mappings {
		mark := c == ',' || c == ';'
		if !mark && !within {
			n++
		}
		within = !mark
	}
	return n
}

// decoder decodes the mappings of one map. Every number in them is the
// difference to the one of its kind before it.
type decoder struct {
	text []byte
	at   int

	column, source, line, srcColumn, name int64
}

// next decodes one segment: one, four or five numbers.
func (d *decoder) next(sources, names int) (mapping, error) {
	to := mapping{source: -1, name: -1}
	if err := d.add(&d.column); err != nil {
		return to, err
	}
	if d.ended() {
		return to, nil
	}
	for _, number := range [...]*int64{&d.source, &d.line, &d.srcColumn} {
		if d.ended() {
			return to, d.damaged("a segment of two or three numbers")
		}
		if err := d.add(number); err != nil {
			return to, err
		}
	}
	if d.source >= int64(sources) {
		return to, d.damaged(fmt.Sprintf("source %d of %d", d.source+1, sources))
	}
	to.source, to.srcLine, to.srcColumn = int32(d.source), int32(d.line), int32(d.srcColumn)
	if d.ended() {
		return to, nil
	}
	if err := d.add(&d.name); err != nil {
		return to, err
	}
	if d.name >= int64(names) {
		return to, d.damaged(fmt.Sprintf("name %d of %d", d.name+1, names))
	}
	to.name = int32(d.name)
	if !d.ended() {
		return to, d.damaged("a segment of more than five numbers")
	}
	return to, nil
}

// ended reports whether the segment ends here.
func (d *decoder) ended() bool {
	return d.at == len(d.text) || d.text[d.at] == ',' || d.text[d.at] == ';'
}

// add decodes a number with a sign and adds it to a sum, which never leaves 0 to
// 2³¹-1.
func (d *decoder) add(sum *int64) error {
	n, err := d.number()
	if err != nil {
		return err
	}
	if n&1 == 0 {
		*sum += n >> 1
	} else {
		*sum -= n >> 1
	}
	return d.within(*sum)
}

// within refuses a sum that is no line, column or index.
func (d *decoder) within(sum int64) error {
	if sum < 0 || sum > math.MaxInt32 {
		return d.damaged(fmt.Sprintf("a line, column or index of %d", sum))
	}
	return nil
}

// number decodes a number as it is written, which may have its sign in the last bit.
func (d *decoder) number() (n int64, err error) {
	for shift := 0; ; shift += 5 {
		if d.at == len(d.text) {
			return 0, d.damaged("it ends within a number")
		}
		digit := int64(digits[d.text[d.at]])
		if digit < 0 {
			return 0, d.damaged(fmt.Sprintf("%q is no digit", d.text[d.at]))
		}
		if shift > 30 {
			return 0, d.damaged("a number of more than 32 bits")
		}
		d.at++
		n |= digit & 31 << shift
		if digit&32 == 0 {
			return n, nil
		}
	}
}

// damaged says what is wrong where the decoder stands.
func (d *decoder) damaged(what string) error {
	return fmt.Errorf("%w: at byte %d of %d: %s", ErrMappings, d.at, len(d.text), what)
}
