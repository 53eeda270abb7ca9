// Package words writes numbers and spans of time for people.
//
// It exists so that pages, the audit log and what programs are told say them in one
// way. It is pure.
package words

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Span writes a time that passes in one unit, rounded down: "3 days".
func Span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < time.Minute:
		return strconv.Itoa(int(d/time.Second)) + " s"
	case d < time.Hour:
		return strconv.Itoa(int(d/time.Minute)) + " min"
	case d < day:
		return strconv.Itoa(int(d/time.Hour)) + " h"
	case d < 2*day:
		return "1 day"
	case d < 60*day:
		return strconv.Itoa(int(d/day)) + " days"
	case d < 730*day:
		return strconv.Itoa(int(d/(30*day))) + " months"
	}
	return strconv.Itoa(int(d/(365*day))) + " years"
}

// Count writes a number: "12,345".
func Count(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	var b strings.Builder
	b.WriteString(sign)
	for i, c := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	return b.String()
}

// Counted writes a number with its noun: "1 event", "12,345 events".
func Counted(n int64, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return Count(n) + " " + noun
}

// Sentence makes one of an error's text: "The name is missing."
func Sentence(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:] + "."
}
