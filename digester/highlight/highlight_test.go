package highlight

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// show writes tokens as marks around them: k keyword, t text, n number, c comment.
func show(lines [][]Token) []string {
	var all []string
	for _, tokens := range lines {
		var b strings.Builder
		for _, t := range tokens {
			if t.Kind == Plain {
				b.WriteString(t.Text)
			} else {
				fmt.Fprintf(&b, "%c⟨%s⟩", " ktnc"[t.Kind], t.Text)
			}
		}
		all = append(all, b.String())
	}
	return all
}

// TestLines reads a few lines of each kind, as they stand in events.
func TestLines(t *testing.T) {
	all := NewLanguages()
	for _, test := range []struct {
		name, file string
		lines      []string
		want       []string
	}{
		{"python", "shop.py",
			[]string{`def pay(self, n=1_000.5):  # all`, `    return None if x.is_ok else f"a \" {n}"`},
			[]string{`k⟨def⟩ pay(self, n=n⟨1_000.5⟩):  c⟨# all⟩`, `    k⟨return⟩ n⟨None⟩ k⟨if⟩ x.is_ok k⟨else⟩ ft⟨"a \" {n}"⟩`}},
		{"a docstring that begins here", "a.py",
			[]string{`"""Pays.`, `for all`, `"""`, `x = 1`},
			[]string{`t⟨"""Pays.⟩`, `t⟨for all⟩`, `t⟨"""⟩`, `x = n⟨1⟩`}},
		{"a docstring that began above", "a.py",
			[]string{`for all`, `"""`, `x = 1`},
			[]string{`t⟨for all⟩`, `t⟨"""⟩`, `x = n⟨1⟩`}},
		{"a docstring that does not end", "a.py",
			[]string{`x = 1`, `"""Pays.`, `for all`},
			[]string{`x = n⟨1⟩`, `"""Pays.`, `k⟨for⟩ all`}},
		{"a comment that began above", "a.go",
			[]string{` * if so`, ` */`, `if x {`},
			[]string{`c⟨ * if so⟩`, `c⟨ */⟩`, `k⟨if⟩ x {`}},
		{"a comment that does not end", "a.java",
			[]string{`int x; /* if`, `not`},
			[]string{`k⟨int⟩ x; c⟨/* if⟩`, `c⟨not⟩`}},
		{"javascript", "app.js",
			[]string{"const a = `x ${y}`, b = /[\"']/.test(s) && 4 / 2 / 1;", "// it's", "it's `open"},
			[]string{"k⟨const⟩ a = t⟨`x ${y}`⟩, b = t⟨/[\"']/⟩.test(s) && n⟨4⟩ / n⟨2⟩ / n⟨1⟩;", "c⟨// it's⟩", "it's `open"}},
		{"rust", "main.rs",
			[]string{`fn f<'a>(c: &'a str) -> char { 'x' '\'' '\u{1F600}' 'ß' '\`},
			[]string{`k⟨fn⟩ f<'a>(c: &'a str) -> char { t⟨'x'⟩ t⟨'\''⟩ t⟨'\u{1F600}'⟩ t⟨'ß'⟩ '\`}},
		{"php", "a.php",
			[]string{`#[Attribute]`, `RETURN $this->if(null, 'it\'s'); # so`},
			[]string{`#[Attribute]`, `k⟨RETURN⟩ $this->k⟨if⟩(n⟨null⟩, t⟨'it\'s'⟩); c⟨# so⟩`}},
		{"other letters", "a.py", []string{`größe = "ß" ✓`}, []string{`größe = t⟨"ß"⟩ ✓`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, show(Lines(all.Find(test.file, ""), test.lines))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestFind tells languages by names of files and by platforms.
func TestFind(t *testing.T) {
	all := NewLanguages()
	python, js := all.Find("a.py", ""), all.Find("a.js", "")
	for _, test := range []struct {
		file, platform string
		want           *Language
	}{
		{"shop/pay.PY", "node", python}, {"https://example.com/app.min.js?v=1.py", "python", js}, {"<stdin>", "python", python},
		{"", "javascript", js}, {"https://example.com/", "javascript", js}, {"node:internal/timers", "node", js},
		{"index.html", "python", nil}, {"pay.jinja2", "python", nil}, {"", "native", nil}, {"", "", nil},
	} {
		if got := all.Find(test.file, test.platform); got != test.want {
			t.Errorf("%q of %q: wrong language", test.file, test.platform)
		}
	}
}

// TestLinear gives each language lines that are slow for what looks ahead.
func TestLinear(t *testing.T) {
	all := NewLanguages()
	for _, unit := range []string{"/*", `"""`, `'`, `"`, "`", "/ (", `\`, `"'`, "'''", "#", "a.", `("\`, "0."} {
		for _, file := range []string{"a.py", "a.ts", "a.rb", "a.php", "a.rs", "a.dart"} {
			long := []string{strings.Repeat(unit, 200_000/len(unit)), "", unit}
			if took := timeOf(func() { Lines(all.Find(file, ""), long) }); took > 2*time.Second {
				t.Errorf("%s: %v for %q repeated", file, took, unit)
			}
		}
	}
}

func timeOf(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}

// FuzzLines checks that nothing is lost or added, in every language.
func FuzzLines(f *testing.F) {
	f.Add("x = \"\"\"a\n'b\\\n/* c */ 0x1F // d\n`e` # f", uint8(0))
	f.Add("'\\", uint8(1))
	var all []*Language
	for _, l := range NewLanguages().byExtension {
		all = append(all, l)
	}
	f.Fuzz(func(t *testing.T, text string, which uint8) {
		lines := strings.Split(text, "\n")
		for i, tokens := range Lines(all[int(which)%len(all)], lines) {
			var got strings.Builder
			for j, token := range tokens {
				got.WriteString(token.Text)
				if token.Text == "" || j > 0 && tokens[j-1].Kind == token.Kind && token.Kind == Plain {
					t.Errorf("line %d: token %d is %+v", i, j, token)
				}
			}
			if got.String() != lines[i] {
				t.Errorf("%q became %q", lines[i], got.String())
			}
		}
	})
}

func BenchmarkLines(b *testing.B) {
	all := NewLanguages()
	lines := strings.Split("    def charge(self, order):\n        \"\"\"Charge the card.\"\"\"\n        payload = {'id': order.id, 'n': 42}\n        # send it\n        response = self.client.post('/charge', json=payload)\n        try:\n            body = json.loads(response.text)\n        except ValueError as e:\n            raise PaymentError('charge declined') from e\n        for x in range(10):\n            print(f'{x} is here')", "\n")
	for b.Loop() {
		Lines(all.Find("pay.py", "python"), lines)
	}
}
