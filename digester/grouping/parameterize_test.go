package grouping

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParameterized(t *testing.T) {
	tests := map[string]string{
		"":                          "",
		"nothing to do":             "nothing to do",
		"user 7 not found":          "user <num> not found",
		"took 1.5s, not -3":         "took <num>, not <num>",
		"1h30m2.5s and 250ms":       "<num> and <num>",
		"97% of 1,024 MB":           "<num> of <num> MB",
		"1e9":                       "<num>",
		"Order A-17 failed":         "Order A-<num> failed",
		"order_4711.json":           "order_<num>.json",
		"utf8, x86_64, oauth2, s3":  "utf8, x86_<num>, oauth2, s3",
		"at 0x7ffeef and deadbeef1": "at <hex> and <hex>",
		"commit 3f2a1b9c0d":         "commit <hex>",
		"facade effaced":            "facade effaced",
		"token tok9Xk3bQ7aLm2":      "token <id>",
		"id 01234567-89ab-CDEF-0123-456789abcdef.": "id <uuid>.",
		"on 2026-11-20 at 17:58:28.123":            "on <date> at <time>",
		"at 2026-11-20T17:58:28.5+02:00: failed":   "at <date>: failed",
		"from 203.0.113.9:51234 to 10.0.0.1":       "from <ip> to <ip>",
		"from [2001:db8::1]:443, ::1":              "from [<ip>]:<num>, <ip>",
		"dial tcp db-3.example.com:5432: refused":  "dial tcp db-<num>.example.com:<num>: refused",
		"mail to ada.l+x@example.com, please":      "mail to <email>, please",
		"GET https://example.com/a/1?b=2 gave 404": "GET <url> gave <num>",
		`(see "http://example.com/x")`:             `(see "<url>")`,
		"path /orders/17/items":                    "path /orders/<num>/items",
		`parsing "12x": invalid syntax`:            `parsing "<str>": invalid syntax`,
		`reading 'amount'`:                         `reading 'amount'`,
		`don't use 'a1', it's 'b'`:                 `don't use '<str>', it's 'b'`,
		`key="k1",other='k2'`:                      `key="<str>",other='<str>'`,
		`unclosed "12x`:                            `unclosed "<num>`,
		"Größe 17 überschritten":                   "Größe <num> überschritten",
		"a\n\n  b 1 \nc 2":                         "a\nb <num>",
		"id=\u00e9t\u00e92026 :: -- ++ @ %":        "id=\u00e9t\u00e92026 :: -- ++ @ %",
	}
	for in, want := range tests {
		if got := parameterized(in); got != want {
			t.Errorf("parameterized(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestParameterizedLong checks that where a long message is cut does not depend on
// the values in it.
func TestParameterizedLong(t *testing.T) {
	tail := strings.Repeat(" and another word", 100)
	a, b := parameterized("user 7"+tail), parameterized("user 4711000"+tail)
	if a != b || len(a) != maxCompared {
		t.Errorf("%d bytes\n%q\n%q", len(a), a, b)
	}
}

func FuzzParameterized(f *testing.F) {
	for _, s := range []string{"a 1 b", `"12x" 'a' https://x/1 a@b.c 1.2.3.4:5 ::1`, "2026-11-20T17:58:28Z 0x1f", "é1\xff\n\n--", strings.Repeat("\x8c", 600)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := parameterized(s)
		if len(got) > maxCompared {
			t.Fatalf("%d bytes", len(got))
		}
		if utf8.ValidString(s) && !utf8.ValidString(got) {
			t.Fatalf("%q became %q", s, got)
		}
		if strings.Count(got, "\n") > 1 {
			t.Fatalf("%q has more than two lines", got)
		}
		if got != parameterized(s) {
			t.Fatal("two results")
		}
	})
}

func BenchmarkParameterized(b *testing.B) {
	const s = `transfer 500 to 7: load account "12x": strconv.ParseInt: parsing "12x": invalid syntax at https://example.com/a/1?b=2 from 203.0.113.9:51234`
	b.SetBytes(int64(len(s)))
	b.ReportAllocs()
	for b.Loop() {
		parameterized(s)
	}
}

func TestCleanFile(t *testing.T) {
	tests := map[string]string{
		"":                                     "",
		"<anonymous>":                          "",
		"[native code]":                        "",
		"<string>":                             "<string>",
		"<ipython-input-3-0a1b2c>":             "<ipython-input>",
		"app.py":                               "app.py",
		"/srv/shop/v1.2.3/app.py":              "shop/app.py",
		"/srv/shop/build-1234/src/app.py":      "src/app.py",
		"./src/../lib/app.py":                  "lib/app.py",
		`C:\inetpub\shop\Cart.cs`:              "shop/Cart.cs",
		"/gems/rack-2.2.7/rack.rb":             "rack/rack.rb",
		"/node_modules/react@18.2.0/index.js":  "react/index.js",
		"webpack:///./src/cart.ts":             "src/cart.ts",
		"webpack-internal:///(rsc)/./src/a.ts": "src/a.ts",
		"app:///index.android.bundle":          "index.android.bundle",
		"https://example.com/":                 "",
		"https://example.com?x=1":              "",
		"https://example.com/a/b/main.3f2a1b9c.chunk.js#x": "b/main.chunk.js",
		"https://example.com/polyfills-GYCTDBXX.js":        "polyfills.js",
		"https://example.com/jquery.min.js":                "jquery.min.js",
		"https://example.com/OAuth2Kit.js":                 "OAuth2Kit.js",
		"https://example.com/order-ListView.js":            "order-ListView.js",
		"https://example.com/4f5e6d7c.js":                  "chunk.js",
		"blob:https://example.com/0a1b":                    "blob",
		"node:internal/timers":                             "internal/timers",
		"/":                                                "",
		"///":                                              "",
	}
	for in, want := range tests {
		if got := cleanFile(in); got != want {
			t.Errorf("cleanFile(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCleanFunction(t *testing.T) {
	tests := []struct{ platform, in, want string }{
		{"javascript", "new Cart", "Cart"}, {"javascript", "async load", "load"}, {"javascript", "Cart.load [as onclick]", "load"},
		{"javascript", "Promise.all (index 0)", "all"}, {"javascript", "load/<", "?"}, {"javascript", "null.<anonymous>", "?"},
		{"go", "init.func26", "init"}, {"go", "func1", "?"}, {"go", "1", "?"}, {"go", "glob..func3", "?"}, {"go", "(*T).M.func1.2", "(*T).M"}, {"go", "M.gowrap1", "M"}, {"go", "Map[...]", "Map[...]"},
		{"ruby", "block (3 levels) in <main>", "<main>"}, {"ruby", "rescue in charge", "charge"}, {"ruby", "Shop.charge", "charge"}, {"ruby", "+", "+"},
		{"java", "lambda$main$37", "lambda$main"}, {"java", "access$000", "access"}, {"java", "<init>", "<init>"},
		{"csharp", "<Add>b__0", "Add"}, {"swift", "closure #1 in Cart.add", "Cart.add"}, {"elixir", "anonymous fn/2 in Cart.add/1", "Cart.add/1"},
		{"php", "Shop\\Cart::{closure}", "Shop\\Cart"}, {"php", "class@anonymous", "class"}, {"native", "cart::add::{{closure}}::h0123456789abcdef", "cart::add"},
		{"native", "add.constprop.0", "add"}, {"native", "0x7ffe12", "?"}, {"python", "<lambda>", "?"}, {"python", " add ", "add"},
	}
	for _, tt := range tests {
		if got := cleanFunction(tt.in, tt.platform); got != tt.want {
			t.Errorf("%s: cleanFunction(%q) = %q, want %q", tt.platform, tt.in, got, tt.want)
		}
	}
}
