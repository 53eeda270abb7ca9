// Package scrub takes secrets out of what applications report, before it is written
// anywhere.
//
// It exists because an error report holds whatever the program held: request bodies,
// environments, local variables. The edge scrubs before the queue, the digester once
// more with the newest rules of the project, so that neither queue nor database nor
// backups ever hold a secret that the rules can tell. What can be told:
//
//   - By name: the value of a member, header, cookie, form field or query parameter
//     whose name says that it is secret (see classify), in JSON at any depth, in JSON
//     inside of strings, in forms and URLs, in pairs like ["Cookie", "…"], and in text
//     like password=…, "token": "…" or --password ….
//   - By form, in any text: card numbers (by their length, beginning and check digit),
//     JSON web tokens, private keys, credentials of well-known services, passwords in
//     URLs, values of Bearer and Basic.
//   - By the names and patterns that a project adds.
//
// Values become Filtered. Where no name and no form tells, nothing can be done: a
// password as an argument of a log message is a word like any other. Names of frames,
// files and modules are left readable: there only forms are looked for, and in source
// lines quoted literals that are given to a secret name.
//
// Rules: scrubbing what is scrubbed already changes nothing; what nothing was found in
// is returned as it came; valid JSON stays valid; no text is ever in an error.
//
// It takes one pass over the bytes, since every event goes through it twice. What made it
// cheap: only what changes is copied; what a name means is remembered for as long as names
// repeat, which nine in ten do; and no text is compared with a list of patterns. A table
// finds the few bytes that a secret cannot do without ('=', ':', a blank behind "Bearer",
// the end of a long word), and only strings with such a byte, a sixth of all bytes of the
// recorded events, are taken apart (glance). What is left is the walk itself, so measure
// against event.Scan, which is one, too: BenchmarkHandler and BenchmarkHandlerUnscrubbed
// of the edge, in one run. Patterns of projects are regular expressions and cost more than
// all of that.
package scrub

import (
	"bytes"
	"regexp"
	"sync"
)

// Filtered stands where a secret was. SDKs and Sentry write the same.
const Filtered = "[Filtered]"

// Scrubber scrubs by one project's settings. It is safe for concurrent use.
type Scrubber struct {
	off      bool
	address  AddressPolicy
	refuse   bool
	extra    []name
	safe     []name
	patterns []*regexp.Regexp
	walkers  sync.Pool // of *walker
}

// New returns a scrubber. The error wraps ErrSettings and says what is wrong.
func New(settings Settings) (*Scrubber, error) {
	if err := settings.check(); err != nil {
		return nil, err
	}
	return compile(settings), nil
}

// Default returns the scrubber of projects that have set nothing.
func Default() *Scrubber { return compile(Settings{}) }

// compile leaves out what does not compile: New refused it.
func compile(settings Settings) *Scrubber {
	s := &Scrubber{off: settings.Off, address: settings.Addresses, refuse: settings.RefuseFiles}
	s.extra, s.safe = parseNames(settings.Names), parseNames(settings.Safe)
	for _, text := range settings.Patterns {
		if pattern, err := regexp.Compile(text); err == nil {
			s.patterns = append(s.patterns, pattern)
		}
	}
	s.walkers.New = func() any { return &walker{s: s, known: new([knownNames]known)} }
	return s
}

// Event returns a payload without secrets: an event's JSON, or that of feedback or a
// browser's report. What is not JSON is searched as text. The result is payload itself
// if nothing was found; payload is never changed.
func (s *Scrubber) Event(payload []byte) []byte {
	if s.idle() {
		return payload
	}
	w := s.walkers.Get().(*walker)
	defer s.release(w)
	return w.document(payload, placeRoot)
}

// Text returns a text of any kind without secrets; text itself if it has none. JSON is
// read as such.
func (s *Scrubber) Text(text []byte) []byte {
	if s.off {
		return text
	}
	w := s.walkers.Get().(*walker)
	defer s.release(w)
	if clean, changed := w.text(text, inText); changed {
		return clean
	}
	return text
}

// File is Text for files: what has a NUL in it, as pictures, archives and memory dumps
// do, is no text and returned as it is.
func (s *Scrubber) File(content []byte) []byte {
	if bytes.IndexByte(content, 0) >= 0 {
		return content
	}
	return s.Text(content)
}

// String is Text for a string.
func (s *Scrubber) String(text string) string {
	if s.off || len(text) < shortest {
		return text
	}
	return string(s.Text([]byte(text)))
}

// RefusesFiles reports whether the project takes no attachments.
func (s *Scrubber) RefusesFiles() bool { return s.refuse }

// Finding is one thing that was taken out.
type Finding struct {
	Path string // where it was, as in "request.headers.Cookie"
	Why  string // what told it, for people
}

// Explain is Event, and says what was taken out.
func (s *Scrubber) Explain(payload []byte) ([]byte, []Finding) {
	w := s.walkers.Get().(*walker)
	defer s.release(w)
	w.explain = &explanation{}
	out := w.document(payload, placeRoot)
	return out, w.explain.findings
}

// idle reports whether there is nothing to look for.
func (s *Scrubber) idle() bool { return s.off && s.address == StoreAddresses }

// release gives a walker back, without what belongs to its caller.
func (s *Scrubber) release(w *walker) {
	w.src, w.out, w.explain = nil, nil, nil
	if cap(w.plain) > maxScratch {
		w.plain = nil
	}
	s.walkers.Put(w)
}

// maxScratch bounds the memory that is kept from one payload to the next.
const maxScratch = 256 << 10
