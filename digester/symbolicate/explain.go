package symbolicate

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"sundew/digester/sourcemap"
	"sundew/schema/event"
)

// Step is one link of the chain from a frame to its source.
type Step uint8

// The links, in their order.
const (
	StepScript   Step = iota // the frame names a place in a script
	StepID                   // the script has a debug id, or the event a release
	StepBundle               // an uploaded bundle has the script
	StepMap                  // the script's map is there and readable
	StepPosition             // the map knows the position
	StepSource               // the map brings the text of the source
)

// String returns what the link is about, in a word or two.
func (s Step) String() string {
	names := [...]string{"script", "debug id", "bundle", "source map", "position", "source"}
	if int(s) >= len(names) {
		return ""
	}
	return names[s]
}

// State says whether a link holds.
type State uint8

// The states of a link.
const (
	Unreached State = iota // a link before it broke
	Held
	Weak // the chain goes on, but something is missing that would make it better
	Broken
)

// Link is a step of a frame's chain.
type Link struct {
	Step  Step
	State State
	Text  string // what was found or missed, in a sentence; "" when unreached
}

// Diagnosis is the chain of one frame.
type Diagnosis struct {
	Place  Place
	Frame  int    // its index in the stack
	Ref    Ref    // zero when the frame lies in no script
	Links  []Link // all steps, in order
	Advice string // what to do, "" when there is nothing to do
}

// Mapped reports whether the frame has an origin.
func (d Diagnosis) Mapped() bool { return d.Links[StepPosition].State == Held }

// Explain returns the chain of every frame of an event that lies in a script, as
// the scripts tell it. Scripts that are not among them count as not found. The
// event is the one that was sent: not one that an overlay was laid over.
func Explain(ev *event.Event, scripts map[Ref]Script) []Diagnosis {
	var all []Diagnosis
	known := newScripts(ev)
	for _, st := range stacks(ev) {
		for i := range st.frames {
			if len(all) == maxFrames {
				return all
			}
			f := &st.frames[i]
			ref, ok := known.ref(f)
			if !ok && !known.js {
				continue
			}
			d := Diagnosis{Place: st.place, Frame: i, Ref: ref, Links: make([]Link, StepSource+1)}
			for s := range d.Links {
				d.Links[s].Step = Step(s)
			}
			d.explain(f, scripts)
			all = append(all, d)
		}
	}
	return all
}

// set notes how a link was found; it reports whether the chain goes on.
func (d *Diagnosis) set(step Step, state State, text, advice string) bool {
	d.Links[step].State, d.Links[step].Text = state, text
	if advice != "" {
		d.Advice = advice
	}
	return state != Broken
}

// explain follows the chain to where it breaks.
func (d *Diagnosis) explain(f *event.Frame, scripts map[Ref]Script) {
	if !d.script(f) || !d.id() {
		return
	}
	s, ok := scripts[d.Ref]
	if !ok {
		s.Trouble = NoBundle
	}
	if d.bundle(s) && d.sourceMap(s) {
		d.position(f, s.Map)
	}
}

func (d *Diagnosis) script(f *event.Frame) bool {
	switch {
	case d.Ref == Ref{}:
		return d.set(StepScript, Broken, "This is code of the browser, of Node.js or of an installed package: it was not minified by your build.", "")
	case f.Line < 1 || f.Column < 1:
		return d.set(StepScript, Broken, "The frame names no line and column in "+d.Ref.URL+".",
			"Old browsers and errors of other origins bring no columns. Nothing can be looked up without them: a minified script is one line. For scripts of another host add crossorigin=\"anonymous\" to their <script> tags.")
	}
	return d.set(StepScript, Held, fmt.Sprintf("The frame is in %s, line %d, column %d.", d.Ref.URL, f.Line, f.Column), "")
}

func (d *Diagnosis) id() bool {
	const inject = "Run `sentry-cli sourcemaps inject` over the built files before they are deployed, or let a Sentry bundler plugin do it"
	switch {
	case d.Ref.DebugID != "":
		return d.set(StepID, Held, "The script carries debug id "+dashed(d.Ref.DebugID)+".", "")
	case d.Ref.Release != "":
		return d.set(StepID, Weak, "The script carries no debug id. It is looked for by its address in release "+d.release()+".", "")
	}
	return d.set(StepID, Broken, "The script carries no debug id and the event names no release: nothing leads to an uploaded bundle.",
		inject+"; or give Sentry.init the release that the bundle is uploaded for.")
}

// release names the release of the event.
func (d *Diagnosis) release() string {
	if d.Ref.Dist != "" {
		return d.Ref.Release + ", distribution " + d.Ref.Dist
	}
	return d.Ref.Release
}

func (d *Diagnosis) bundle(s Script) bool {
	switch {
	case s.Trouble == NoBundle && d.Ref.DebugID != "":
		return d.set(StepBundle, Broken, "This file carries debug id "+dashed(d.Ref.DebugID)+", but no bundle that was uploaded to this project has it."+detail(s),
			"Was the build that is deployed uploaded, and to this project? `sentry-cli sourcemaps upload` has to run after `sentry-cli sourcemaps inject`, on exactly the files that are deployed. A build that runs twice makes two sets of ids.")
	case s.Trouble == NoBundle:
		return d.set(StepBundle, Broken, "No bundle was uploaded for release "+d.Ref.Release+"."+detail(s),
			"Upload the build with `sentry-cli sourcemaps upload --release "+quoted(d.Ref.Release)+"`, or check that the release in Sentry.init is written the same way.")
	case s.Trouble == OtherDist && d.Ref.Dist == "":
		return d.set(StepBundle, Broken, "Bundles were uploaded for release "+d.Ref.Release+", but only for distributions, and the event names none."+detail(s),
			"Give Sentry.init the dist that was uploaded with --dist, or upload without --dist.")
	case s.Trouble == OtherDist:
		return d.set(StepBundle, Broken, "Bundles were uploaded for release "+d.Ref.Release+", but none for distribution "+d.Ref.Dist+"."+detail(s),
			"Upload with `--dist "+quoted(d.Ref.Dist)+"`, or leave dist out on both sides.")
	case s.Trouble == NoFile:
		return d.set(StepBundle, Broken, "No bundle of release "+d.Ref.Release+" has a file for "+d.Ref.URL+"."+detail(s),
			"Paths in the bundle have to be those of the addresses: upload with `--url-prefix` so that the file is named "+tilde(d.Ref.URL)+". Debug ids need no paths: `sentry-cli sourcemaps inject` adds them.")
	}
	text := "It is in " + bundleName(s.Bundle)
	if s.File != "" {
		text += ", as " + s.File
	}
	return d.set(StepBundle, Held, text+".", "")
}

func (d *Diagnosis) sourceMap(s Script) bool {
	name := s.MapFile
	if name == "" {
		name = "its source map"
	}
	const together = "Let the bundler write source maps, and upload the .js and .map files together, in one run."
	switch {
	case s.Map != nil:
		text := "The map is " + s.MapFile + "."
		if s.MapFile == "" {
			text = "The map was found and read."
		}
		return d.set(StepMap, Held, text, "")
	case s.Trouble == NoMapNamed:
		return d.set(StepMap, Broken, "The uploaded script names no source map: it has no `//# sourceMappingURL=` at its end."+detail(s), together)
	case s.Trouble == UnreadableMap:
		return d.set(StepMap, Broken, name+" cannot be read."+detail(s), "Build and upload it again: something damaged it, or it is not the file that the bundler wrote.")
	case s.Trouble == TooLargeMap:
		return d.set(StepMap, Broken, name+" is too large to be read."+detail(s), "Split the bundle, or leave large generated files out of it.")
	}
	return d.set(StepMap, Broken, "The script names "+name+", which was not uploaded with it."+detail(s), together)
}

func (d *Diagnosis) position(f *event.Frame, m *sourcemap.Map) {
	if id := m.DebugID(); id != "" && d.Ref.DebugID != "" && id != d.Ref.DebugID {
		d.set(StepMap, Weak, d.Links[StepMap].Text+" It carries another debug id than the script: "+dashed(id)+".",
			"The map seems to be of another build than the script. Run inject and upload over the same files.")
	}
	p, ok := position(m, f)
	switch {
	case !ok && f.Line > m.Lines():
		d.set(StepPosition, Broken, fmt.Sprintf("The map ends at line %d, before line %d.", m.Lines(), f.Line),
			"The map is of another build than the deployed script, or something added lines in front of the script after the map was made.")
		return
	case !ok:
		d.set(StepPosition, Broken, fmt.Sprintf("The map has nothing for %d:%d: code that the bundler made there, or that came in after the map was made.", f.Line, f.Column), "")
		return
	}
	source := nameSource(p.Source).file
	d.set(StepPosition, Held, fmt.Sprintf("The map leads to %s, line %d, column %d.", source, p.Line, p.Column+1), "")
	_, _, _, ok = m.Context(p.Source, p.Line, 0)
	switch {
	case ok:
		d.set(StepSource, Held, "The map brings the text of "+source+".", "")
	case m.HasContent(p.Source):
		d.set(StepSource, Broken, fmt.Sprintf("The map's text of %s has no line %d.", source, p.Line), "The source was changed after the map was made, or a tool before the bundler made a map that does not fit. Build and upload again.")
	default:
		d.set(StepSource, Weak, "The map does not bring the text of "+source+": no lines of source can be shown.",
			"Let the bundler write sourcesContent into its maps.")
	}
}

// detail returns what else is known of a script's trouble, as a sentence of its own.
func detail(s Script) string {
	text := strings.TrimSpace(s.Detail)
	if text == "" {
		return ""
	}
	_, first := utf8.DecodeRuneInString(text)
	text = strings.ToUpper(text[:first]) + text[first:]
	if !strings.HasSuffix(text, ".") && !strings.HasSuffix(text, "?") {
		text += "."
	}
	return " " + text
}

// bundleName names a bundle as its uploader knows it.
func bundleName(b Bundle) string {
	if b.ID == 0 {
		return "an uploaded bundle"
	}
	name := fmt.Sprintf("bundle %d", b.ID)
	if b.Release != "" {
		name += " of release " + b.Release
	}
	if b.Dist != "" {
		name += ", distribution " + b.Dist
	}
	if !b.Uploaded.IsZero() {
		name += ", uploaded on " + b.Uploaded.UTC().Format("2 January 2006 at 15:04 UTC")
	}
	return name
}

// dashed returns a debug id as tools print it.
func dashed(id string) string {
	if len(id) != 32 {
		return id
	}
	return id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:]
}

// tilde returns an address as bundles name it: without its host and query.
func tilde(url string) string {
	_, rest, ok := strings.Cut(withoutQuery(url), "://")
	if !ok {
		return "~/" + strings.TrimLeft(withoutQuery(url), "/")
	}
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		return "~" + rest[i:]
	}
	return "~/"
}

// quoted returns a value as a shell takes it.
func quoted(value string) string {
	if strings.IndexFunc(value, func(c rune) bool {
		return !strings.ContainsRune("@._-+/:", c) && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
	}) < 0 {
		return value
	}
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}
