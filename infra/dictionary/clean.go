package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// removed stands for what clean takes out. It cannot occur in JSON, and nothing
// that goes into a dictionary contains it.
const removed = 0

// own names, in lower case, the members whose values tell of the program that
// was recorded, its host or its users. Their names stay.
var own = []string{
	"abs_path", "argv", "authorization", "blocked-uri", "blockedurl", "body", "boot_time", "build", "context_line", "cookie",
	"cookies", "data", "dist", "document-uri", "documenturl", "email", "environ", "extra", "fingerprint", "formatted",
	"host", "id", "ip_address", "kernel_version", "message", "origin", "params", "post_context", "pre_context", "query_string",
	"referer", "referrer", "registers", "release", "remote_addr", "server_name", "tags", "transaction", "url", "user",
	"username", "value", "vars",
}

// source names the members that hold source lines and where they are from; they
// stay in frames of libraries.
var source = []string{"abs_path", "context_line", "post_context", "pre_context"}

// anyProgram names the members that stay even in a frame of the program.
var anyProgram = []string{"in_app", "native", "platform"}

// libraryPlace finds where libraries are installed, and modules of Java's own.
var libraryPlace = regexp.MustCompile(`node_modules|site-packages|dist-packages|gems|vendor|pkg\\?/mod|"/usr/|"node:|"(java|javax|jdk|sun)\.`)

// ownText finds in any text what belongs to one event, host or program: ids,
// times, long numbers, addresses, names from the recorded programs, and folders
// up to those of the libraries.
var ownText = regexp.MustCompile(strings.Join([]string{
	`[0-9]{4,}\.[0-9]+|[0-9]+\.[0-9]{4,}`,
	`[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}`,
	`\b(0x)?[0-9a-f]*[0-9][0-9a-f]{7,}\b`,
	`[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+`,
	`[0-9]{4,}`,
	`[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+(:[0-9]+)?`,
	`[0-9.]+-[a-z]+-v[0-9]+|"#1 SMP[^"]*"`, // the recording machine's kernel
	`"[a-z]+[0-9]+":"npm:[^"]*"`,           // the recording programs' names for SDKs
	`https?:\\?/\\?/[^" ]*`,
	`"[^"]*((?i)shop|example|corpus|cases?[.-])[^"]*"`,
	`\\?/(srv|home|root|tmp|dev|opt|var)\\?/([^" ]*?(node_modules|site-packages|dist-packages|gems|vendor|pkg\\?/mod)|[^" ]*)`,
}, "|"))

// clean returns the payload with everything overwritten by removed that belongs
// to the program that was recorded, and not to its SDK or its libraries.
func clean(payload []byte) ([]byte, error) {
	c := cleaner{dec: json.NewDecoder(bytes.NewReader(payload)), plain: payload, out: bytes.Clone(payload)}
	if _, err := c.value(); err != nil {
		return nil, fmt.Errorf("cleaning a sample: %w", err)
	}
	for _, at := range ownText.FindAllIndex(payload, -1) {
		c.remove(at[0], at[1])
	}
	return c.out, nil
}

type cleaner struct {
	dec   *json.Decoder
	plain []byte
	out   []byte
}

func (c *cleaner) remove(from, to int) { clear(c.out[from:to]) }

// value reads one value and cleans what is inside of it. It reports whether it
// is the literal true.
func (c *cleaner) value() (isTrue bool, err error) {
	token, err := c.dec.Token()
	if err != nil {
		return false, err
	}
	switch token {
	case json.Delim('{'):
		return false, c.object()
	case json.Delim('['):
		for c.dec.More() {
			if _, err := c.value(); err != nil {
				return false, err
			}
		}
		_, err = c.dec.Token()
	case true:
		return true, nil
	}
	return false, err
}

// member is where the value of an object's member lies in the payload.
type member struct {
	name     string
	from, to int
}

// object reads the rest of an object and removes the values that are the
// program's own; of a frame that is not in a library nearly all of them.
func (c *cleaner) object() error {
	var members []member
	begin, inApp := int(c.dec.InputOffset()), false
	for c.dec.More() {
		token, err := c.dec.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string)
		from := int(c.dec.InputOffset()) + 1 // behind the colon
		isTrue, err := c.value()
		if err != nil {
			return err
		}
		inApp = inApp || name == "in_app" && isTrue
		members = append(members, member{name, from, int(c.dec.InputOffset())})
	}
	if _, err := c.dec.Token(); err != nil {
		return err
	}
	frame := slices.ContainsFunc(members, func(m member) bool { return m.name == "lineno" })
	library := frame && !inApp && libraryPlace.Match(c.plain[begin:c.dec.InputOffset()])
	for _, m := range members {
		switch {
		case library && slices.Contains(source, m.name):
		case slices.Contains(own, strings.ToLower(m.name)), frame && !library && !slices.Contains(anyProgram, m.name):
			c.remove(m.from, m.to)
		}
	}
	return nil
}
