// Package markdown turns what people write in comments into HTML.
//
// It exists so that the one place where HTML is made of what somebody typed can be
// read, and attacked, alone. Rules: HTML in a text is text, pictures are links,
// because a page loads nothing from elsewhere; a link leads to the web or to a mail
// address, says what it is, and gives nobody's recommendation; headings are of the
// lowest kind, so that a comment cannot look like a part of a page. What comes out has
// the elements of Elements and no attributes but those of links and where a list
// starts to count.
//
// It is pure: text in, text out.
package markdown

import (
	"bytes"
	"net/url"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// headingLevel is that of every heading in a comment.
const headingLevel = 4

// linkRel is what links say about where they lead.
const linkRel = "nofollow noopener noreferrer ugc"

// Elements are those that HTML returns.
func Elements() []string {
	return strings.Fields("a blockquote br code del em h4 hr li ol p pre strong ul")
}

// Renderer makes HTML of Markdown. It is safe for concurrent use.
type Renderer struct{ md goldmark.Markdown }

// New returns a renderer.
func New() Renderer {
	return Renderer{goldmark.New(
		goldmark.WithExtensions(extension.Strikethrough, extension.Linkify),
		goldmark.WithParserOptions(parser.WithASTTransformers(util.Prioritized(tame{}, 1000))),
		goldmark.WithRendererOptions(html.WithHardWraps(), renderer.WithNodeRenderers(util.Prioritized(plain{}, 1))),
	)}
}

// HTML returns a text as HTML that can be put into a page as it is.
func (r Renderer) HTML(source string) (string, error) {
	var out bytes.Buffer
	if err := r.md.Convert([]byte(source), &out); err != nil {
		return "", err
	}
	return out.String(), nil
}

// tame changes what was parsed into what may be shown.
type tame struct{}

// Transform is called by goldmark for each text.
func (tame) Transform(doc *ast.Document, _ text.Reader, _ parser.Context) {
	var images []*ast.Image
	// Its error is the function's, which returns none.
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		n.RemoveAttributes()
		switch n := n.(type) {
		case *ast.Heading:
			n.Level = headingLevel
		case *ast.Link:
			n.Title = nil
		case *ast.Image:
			images = append(images, n)
		case *ast.FencedCodeBlock:
			n.Info = nil // it would become a class
		}
		return ast.WalkContinue, nil
	})
	for _, image := range images {
		link := ast.NewLink()
		link.Destination = image.Destination
		for child := image.FirstChild(); child != nil; {
			next := child.NextSibling()
			link.AppendChild(link, child)
			child = next
		}
		if link.FirstChild() == nil {
			link.AppendChild(link, ast.NewString([]byte("image")))
		}
		image.Parent().ReplaceChild(image.Parent(), image, link)
	}
}

// plain renders links, and HTML as the text that it is.
type plain struct{}

// RegisterFuncs is called by goldmark once.
func (p plain) RegisterFuncs(to renderer.NodeRendererFuncRegisterer) {
	to.Register(ast.KindLink, p.link)
	to.Register(ast.KindAutoLink, p.autoLink)
	to.Register(ast.KindRawHTML, p.rawHTML)
	to.Register(ast.KindHTMLBlock, p.htmlBlock)
}

func (plain) link(w util.BufWriter, _ []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	to, ok := address(string(node.(*ast.Link).Destination))
	switch {
	case !ok: // what it says remains
	case entering:
		open(w, to)
	default:
		_, _ = w.WriteString("</a>")
	}
	return ast.WalkContinue, nil
}

func (plain) autoLink(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	n := node.(*ast.AutoLink)
	raw := string(n.URL(source))
	if n.AutoLinkType == ast.AutoLinkEmail && !strings.HasPrefix(strings.ToLower(raw), "mailto:") {
		raw = "mailto:" + raw
	}
	to, ok := address(raw)
	if ok {
		open(w, to)
	}
	_, _ = w.Write(util.EscapeHTML(n.Label(source)))
	if ok {
		_, _ = w.WriteString("</a>")
	}
	return ast.WalkContinue, nil
}

// open writes a link's beginning. A write that fails does so again at the end, where
// goldmark returns it.
func open(w util.BufWriter, to string) {
	_, _ = w.WriteString(`<a href="`)
	_, _ = w.Write(util.EscapeHTML([]byte(to)))
	_, _ = w.WriteString(`" rel="` + linkRel + `">`)
}

// address returns where a link leads, if it may lead there.
func address(raw string) (string, bool) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", false
	}
	switch u.Scheme {
	case "http", "https":
		return u.String(), u.Host != ""
	case "mailto":
		return u.String(), u.Opaque != ""
	}
	return "", false
}

func (plain) rawHTML(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		segments := node.(*ast.RawHTML).Segments
		for i := range segments.Len() {
			segment := segments.At(i)
			_, _ = w.Write(util.EscapeHTML(segment.Value(source)))
		}
	}
	return ast.WalkSkipChildren, nil
}

func (plain) htmlBlock(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	n := node.(*ast.HTMLBlock)
	if !entering {
		if n.HasClosure() {
			_, _ = w.Write(util.EscapeHTML(n.ClosureLine.Value(source)))
		}
		_, _ = w.WriteString("</p>\n")
		return ast.WalkContinue, nil
	}
	_, _ = w.WriteString("<p>")
	for i := range n.Lines().Len() {
		line := n.Lines().At(i)
		_, _ = w.Write(util.EscapeHTML(line.Value(source)))
	}
	return ast.WalkContinue, nil
}
