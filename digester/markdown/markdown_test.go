package markdown_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"sundew/digester/markdown"
)

func TestHTML(t *testing.T) {
	const link = ` rel="nofollow noopener noreferrer ugc">`
	for _, c := range []struct{ in, want string }{
		{"one\ntwo", "<p>one<br>\ntwo</p>\n"},
		{"**a** _b_ ~~c~~ `<d>`", "<p><strong>a</strong> <em>b</em> <del>c</del> <code>&lt;d&gt;</code></p>\n"},
		{"# Head", "<h4>Head</h4>\n"},
		{"- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"},
		{"7. a", "<ol start=\"7\">\n<li>a</li>\n</ol>\n"},
		{"```go\nx < y\n```", "<pre><code>x &lt; y\n</code></pre>\n"},
		{"[docs](https://example.com/a?b=1&c=\"2\" \"title\")", `<p><a href="https://example.com/a?b=1&amp;c=&quot;2&quot;"` + link + "docs</a></p>\n"},
		{"see https://example.com/x.", `<p>see <a href="https://example.com/x"` + link + "https://example.com/x</a>.</p>\n"},
		{"<ada@example.com>", `<p><a href="mailto:ada@example.com"` + link + "ada@example.com</a></p>\n"},
		{"[a](javascript:alert(1))", "<p>a</p>\n"},
		{"[a](JaVaScRiPt:alert(1)) [b](data:text/html,x) [c](//example.com) [d](/issues/1) [e](vbscript:x)", "<p>a b c d e</p>\n"},
		{"<javascript:alert(1)>", "<p>javascript:alert(1)</p>\n"},
		{"![it *broke*](https://example.com/a.png)", `<p><a href="https://example.com/a.png"` + link + "it <em>broke</em></a></p>\n"},
		{"![](https://example.com/a.png)", `<p><a href="https://example.com/a.png"` + link + "image</a></p>\n"},
		{"a <b onclick=x>b</b>", "<p>a &lt;b onclick=x&gt;b&lt;/b&gt;</p>\n"},
		{"<script>\nalert(1)\n</script>", "<p>&lt;script&gt;\nalert(1)\n&lt;/script&gt;</p>\n"},
	} {
		got, err := markdown.New().HTML(c.in)
		if err != nil {
			t.Fatal(err)
		}
		got = strings.ReplaceAll(got, "<br />", "<br>")
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q:\n%s", c.in, diff)
		}
		inert(t, c.in, got)
	}
}

func FuzzHTML(f *testing.F) {
	for _, seed := range []string{"[a](javascript:x)", "<img src=x onerror=alert(1)>", "![x][y]\n\n[y]: data:x", "# a {onclick=x}", "<https://a\"b>", "``` \" onx=\n", "> > > a", "www.example.com"} {
		f.Add(seed)
	}
	r := markdown.New()
	f.Fuzz(func(t *testing.T, in string) {
		got, err := r.HTML(in)
		if err != nil {
			t.Fatal(err)
		}
		inert(t, in, got)
	})
}

// inert fails for whatever is not to come out.
func inert(t *testing.T, in, out string) {
	t.Helper()
	tokens := html.NewTokenizer(strings.NewReader(out))
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			return
		case html.CommentToken, html.DoctypeToken:
			t.Fatalf("%q: a comment in %q", in, out)
		case html.StartTagToken, html.SelfClosingTagToken:
			token := tokens.Token()
			if !slices.Contains(markdown.Elements(), token.Data) {
				t.Fatalf("%q: <%s> in %q", in, token.Data, out)
			}
			for _, a := range token.Attr {
				web := strings.HasPrefix(a.Val, "https://") || strings.HasPrefix(a.Val, "http://") || strings.HasPrefix(a.Val, "mailto:")
				if a.Key == "start" && token.Data == "ol" && strings.Trim(a.Val, "0123456789") == "" {
					continue
				}
				if !(a.Key == "rel" || a.Key == "href" && web) || token.Data != "a" {
					t.Fatalf("%q: attribute %s=%q in %q", in, a.Key, a.Val, out)
				}
			}
		}
	}
}
