//go:build chaos

package chaos

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// call is one system call of the program. Line numbers of the trace are its
// clock: when it was entered and when it had returned.
type call struct {
	from, to int
	name     string // "pwrite64", "fsync", "write"
	file     string // base name of the file, or what strace says of a socket
	data     []byte // written
	offset   int64
}

var (
	traceLine = regexp.MustCompile(`^(\d+) +(\w+)\(\d+<([^>]*)>(?:, "([^"]*)"(?:\.\.\.)?, \d+(?:, (\d+))?)?(\)? +=.*| <unfinished \.\.\.>|\) .*)$`)
	resumed   = regexp.MustCompile(`^(\d+) +<\.\.\. (\w+) resumed>.*= (-?\d+)`)
)

// parseTrace reads what `strace -f -y -xx` wrote.
func parseTrace(t *testing.T, trace []byte) (calls []*call) {
	t.Helper()
	unfinished := make(map[string]*call) // by thread
	n := 0
	for line := range strings.Lines(string(trace)) {
		n++
		line = strings.TrimSuffix(line, "\n")
		if found := resumed.FindStringSubmatch(line); found != nil {
			if c := unfinished[found[1]]; c != nil {
				c.to = n
			}
			delete(unfinished, found[1])
			continue
		}
		found := traceLine.FindStringSubmatch(line)
		if found == nil {
			continue // of another kind, such as the end of a thread
		}
		c := &call{from: n, to: n, name: found[2], file: filepath.Base(unescape(t, found[3])), data: []byte(unescape(t, found[4]))}
		c.offset, _ = strconv.ParseInt(found[5], 10, 64)
		if strings.Contains(found[6], "unfinished") {
			c.to = 1 << 60 // until it is resumed
			unfinished[found[1]] = c
		} else if strings.Contains(found[6], "= -1") {
			continue
		}
		calls = append(calls, c)
	}
	return calls
}

// unescape turns strace's \x41\x42 into bytes; other text stays.
func unescape(t *testing.T, s string) string {
	t.Helper()
	if !strings.HasPrefix(s, `\x`) {
		return s
	}
	b, err := hex.DecodeString(strings.ReplaceAll(s, `\x`, ""))
	if err != nil {
		t.Fatalf("%.40q: %v", s, err)
	}
	return string(b)
}

// frame is one page that a transaction wrote to a WAL.
type frame struct {
	page uint32
	data []byte
}

// commit is one transaction in a WAL: its frames, of which the last one's header
// says that it is the last, and when they had all been written.
type commit struct {
	from, to int
	frames   []frame
}

const (
	walHeader   = 32
	frameHeader = 24
)

// commits reads the transactions of a WAL out of the writes to it
// (www.sqlite.org/fileformat2.html, "The Write-Ahead Log"). A write has a part of
// a frame or many frames; the file's header, which begins every WAL, says how
// large they are.
func commits(calls []*call, wal string) (all []*commit) {
	var c *commit
	var rest []byte // of a frame not yet whole
	var size int
	for _, w := range calls {
		switch {
		case w.file != wal || w.name != "pwrite64":
		case w.offset == 0 && len(w.data) == walHeader:
			size = frameHeader + int(binary.BigEndian.Uint32(w.data[8:]))
		case size > 0:
			rest = append(rest, w.data...)
			if c == nil {
				c = &commit{from: w.from}
			}
			for ; len(rest) >= size; rest = rest[size:] {
				c.frames = append(c.frames, frame{binary.BigEndian.Uint32(rest), rest[frameHeader:size]})
				if binary.BigEndian.Uint32(rest[4:]) != 0 { // the size of the database after a commit
					c.to = w.to
					all = append(all, c)
					c = nil
					break
				}
			}
			if c == nil {
				rest = nil // a run ends with the commit
			}
		}
	}
	return all
}

// wrote returns the first transaction after a moment of which a frame is as
// wanted, and that frame's page; nil if there is none.
func wrote(all []*commit, after int, want func(frame) bool) (*commit, uint32) {
	for _, c := range all {
		if c.from <= after {
			continue
		}
		for _, f := range c.frames {
			if want(f) {
				return c, f.page
			}
		}
	}
	return nil, 0
}

func holds(data []byte) func(frame) bool {
	return func(f frame) bool { return bytes.Contains(f.data, data) }
}

func isPage(page uint32) func(frame) bool {
	return func(f frame) bool { return f.page == page }
}

// synced reports whether a file was synced within two moments.
func synced(calls []*call, file string, after, before int) bool {
	for _, c := range calls {
		if c.file == file && (c.name == "fsync" || c.name == "fdatasync") && c.from > after && c.to < before {
			return true
		}
	}
	return false
}

// answered returns when the program began to answer that it has an event.
func answered(calls []*call, id string) int {
	for _, c := range calls {
		if c.name == "write" && bytes.HasPrefix(c.data, []byte("HTTP/1.1 200")) && bytes.Contains(c.data, []byte(id)) {
			return c.from
		}
	}
	return 0
}
