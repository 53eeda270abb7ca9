package search

import (
	"strings"
	"unicode/utf8"

	"sundew/schema/event"
)

// Bounds of what is indexed of an event. The index takes about three bytes for one
// of these.
const (
	maxDocument = 2000 // bytes
	maxMessage  = 500
)

// MinPhrase is how many characters a phrase needs to be looked up in the index.
const MinPhrase = 3

// Document returns the text by which an issue is found, made of one of its events:
// title, culprit, message, exceptions, and frames from the failing one outwards, the
// application's own first.
func Document(title, culprit string, ev *event.Event) string {
	d := document{seen: make(map[string]struct{})}
	d.add(title)
	d.add(culprit)
	d.add(cut(ev.Message.Text(), maxMessage))
	for i := len(ev.Exceptions) - 1; i >= 0; i-- {
		x := &ev.Exceptions[i]
		d.add(x.Module)
		d.add(cut(x.Type+": "+x.Value, maxMessage))
	}
	for _, inApp := range []bool{true, false} {
		for _, st := range stacks(ev) {
			for i := len(st.Frames) - 1; i >= 0; i-- {
				if f := &st.Frames[i]; f.IsInApp() == inApp {
					d.addFrame(f)
				}
			}
		}
	}
	return strings.TrimSuffix(d.text.String(), "\n")
}

// stacks returns the stacks of what was thrown, the last first, or those of threads.
func stacks(ev *event.Event) []*event.Stacktrace {
	var all []*event.Stacktrace
	add := func(st *event.Stacktrace) {
		if st != nil {
			all = append(all, st)
		}
	}
	for i := len(ev.Exceptions) - 1; i >= 0; i-- {
		add(ev.Exceptions[i].Stacktrace)
	}
	add(ev.Stacktrace)
	if len(all) == 0 {
		for i := range ev.Threads {
			add(ev.Threads[i].Stacktrace)
		}
	}
	return all
}

// document collects lines, each once, up to maxDocument bytes.
type document struct {
	text strings.Builder
	seen map[string]struct{}
}

func (d *document) add(line string) {
	line = Plain(line)
	if _, seen := d.seen[line]; seen || line == "" || d.text.Len()+len(line) > maxDocument {
		return
	}
	d.seen[line] = struct{}{}
	d.text.WriteString(line)
	d.text.WriteByte('\n')
}

// addFrame adds where a frame is. Module and function belong together, as people
// write them: CartService.checkout.
func (d *document) addFrame(f *event.Frame) {
	name := f.Function
	if f.Module != "" {
		name = strings.TrimSuffix(f.Module+"."+f.Function, ".")
	}
	d.add(name)
	path := f.Filename
	if path == "" {
		path = f.AbsPath
	}
	d.add(path)
}

// Plain is text as it is indexed and looked up: on one line, blanks one at a time.
func Plain(text string) string { return strings.Join(strings.Fields(text), " ") }

// Fold is text with which the index and what is looked up are compared: case does not
// matter.
func Fold(text string) string { return strings.ToLower(text) }

// cut shortens text to so many bytes, between two characters.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}
