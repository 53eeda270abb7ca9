package dashboard

import (
	"strconv"
	"strings"

	"sundew/digester/highlight"
	"sundew/schema/event"
)

// sourceLine is one line around a call.
type sourceLine struct {
	Number  string // empty when the frame has no line number
	Tokens  []sourceToken
	Current bool
}

// sourceToken is a part of a line.
type sourceToken struct {
	Class string // of CSS; empty: nothing special
	Text  string
}

// Text is the line without colours.
func (l sourceLine) Text() string {
	var b strings.Builder
	for _, t := range l.Tokens {
		b.WriteString(t.Text)
	}
	return b.String()
}

const (
	// maxColours is how many coloured words a page has. Each is an element that
	// costs two microseconds or more to make; the frames on top come first, and
	// some twenty of them are enough for anybody.
	maxColours = 1000

	// colourCost is what one adds to a page, in bytes of markup.
	colourCost = len(`<span class="t-k"></span>`)
)

// painter gives source code its colours.
type painter struct {
	languages *highlight.Languages // nil: everything stays plain
	platform  string               // of the event
	left      int                  // colours
}

// source returns the lines around a call.
func (b *budget) source(f *event.Frame) []sourceLine {
	if f.ContextLine == "" && len(f.PreContext) == 0 && len(f.PostContext) == 0 {
		return nil
	}
	var lines []sourceLine
	var texts []string
	add := func(text string, number int, current bool) {
		if !b.row() {
			return
		}
		line := sourceLine{Current: current}
		if f.Line > 0 && number > 0 {
			line.Number = strconv.Itoa(number)
		}
		lines = append(lines, line)
		texts = append(texts, b.text(strings.TrimRight(text, "\r\n"), maxLine))
	}
	for i, text := range f.PreContext {
		add(text, f.Line-len(f.PreContext)+i, false)
	}
	add(f.ContextLine, f.Line, true)
	for i, text := range f.PostContext {
		add(text, f.Line+1+i, false)
	}
	b.paint(lines, texts, f)
	return lines
}

// paint divides the texts of lines.
func (b *budget) paint(lines []sourceLine, texts []string, f *event.Frame) {
	var language *highlight.Language
	if b.painter.languages != nil {
		file := f.Filename
		if file == "" {
			file = f.AbsPath
		}
		language = b.painter.languages.Find(file, b.painter.platform)
	}
	if language == nil {
		for i, text := range texts {
			lines[i].Tokens = []sourceToken{{Text: text}}
		}
		return
	}
	for i, tokens := range highlight.Lines(language, texts) {
		if len(tokens) > b.painter.left || len(tokens)*colourCost > b.left {
			lines[i].Tokens = []sourceToken{{Text: texts[i]}}
			continue
		}
		for _, t := range tokens {
			class := colourClass(t.Kind)
			if class != "" {
				b.painter.left--
				b.left -= colourCost
			}
			lines[i].Tokens = append(lines[i].Tokens, sourceToken{class, t.Text})
		}
	}
}

func colourClass(k highlight.Kind) string {
	switch k {
	case highlight.Keyword:
		return "t-k"
	case highlight.Text:
		return "t-s"
	case highlight.Number:
		return "t-n"
	case highlight.Comment:
		return "t-c"
	}
	return ""
}
