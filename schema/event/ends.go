package event

import "slices"

// ends collects a list of any length but keeps only its first and last elements:
// the ones in the middle of a recursion say the least.
type ends[T any] struct {
	first, last int
	seen        int
	items       []T
}

// next returns the place for the next element, empty.
func (l *ends[T]) next() *T {
	var zero T
	i := l.seen
	l.seen++
	if i < l.first+l.last {
		if i == 0 {
			l.items = make([]T, 0, min(8, l.first+l.last)) // most lists fit
		}
		l.items = append(l.items, zero)
		return &l.items[i]
	}
	i = l.first + (i-l.first)%l.last
	l.items[i] = zero
	return &l.items[i]
}

// list returns the elements kept, in order, and how many were left out between.
func (l *ends[T]) list() (items []T, omitted int) {
	omitted = l.seen - len(l.items)
	if omitted > 0 {
		tail := l.items[l.first:]
		oldest := omitted % l.last
		rotated := slices.Concat(tail[oldest:], tail[:oldest])
		copy(tail, rotated)
	}
	return l.items, omitted
}
