package sourcemap_test

import (
	"fmt"
	"strings"
	"testing"
)

// vlq writes numbers as VLQs, without a sign.
func vlq(numbers ...int) string {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	var b strings.Builder
	for _, n := range numbers {
		for ; n > 31; n >>= 5 {
			b.WriteByte(digits[n&31|32])
		}
		b.WriteByte(digits[n])
	}
	return b.String()
}

// signed is a number as one that has a sign is written.
func signed(n int) int {
	if n < 0 {
		return -n<<1 | 1
	}
	return n << 1
}

// TestScopes asks for the functions at places of a source "a.js" whose map lists them,
// as the proposal has it: tag 1 begins a scope (flags, lines further, columns further,
// name, kind), 2 ends it. The text says something else, so that each name tells where it
// is from.
func TestScopes(t *testing.T) {
	const (
		name, kind, frame = 1, 2, 4
		begin, end        = 1, 2
	)
	outer := vlq(begin, name|kind|frame, 1, 9, signed(1), signed(3)) // 1:9 "outer", of kind "Function"
	sound := []string{
		vlq(begin, 0, 0, 0), // the file
		outer,
		vlq(3, signed(0), signed(1)),      // its variables
		vlq(begin, kind, 1, 2, signed(0)), // 2:2 a block
		vlq(begin, name|frame, 0, 3, signed(1)) + vlq(7), // 2:5 "inner", and a number that nobody knows yet
		vlq(end, 1, 4),                                       // 3:4
		vlq(begin, frame, 1, 0),                              // 4:0 a function without a name
		vlq(end, 0, 9),                                       // 4:9
		vlq(99, 4, 2),                                        // somebody's own
		vlq(end, 1, 0),                                       // 5:0 the block's
		vlq(end, 1, 0) + vlq(5),                              // 6:0 outer's
		vlq(begin, name|frame, 0, 0, signed(70)),             // 6:0 of a name that there is not
		vlq(end, 0, 9), vlq(end, 3, 0), vlq(4, 0, 0), vlq(5), // and of the script, ranges
	}
	whole := strings.Join(sound, ",")
	const text = `let text = () => {\n\n\n\n\n\n\n\n\n}`
	list := func(scopes string, sources ...string) string {
		var contents []string
		for range sources {
			contents = append(contents, text)
		}
		// Each column of the script is a line of the source, of its column 5.
		return fmt.Sprintf(`{"version":3,"names":["x","outer","inner","Function"],"sources":["%s"],"sourcesContent":["%s"],"mappings":"A%sAK,%s","scopes":%q}`,
			strings.Join(sources, `","`), strings.Join(contents, `","`), vlq(signed(len(sources)-1)), strings.TrimSuffix(strings.Repeat("CACA,", 9), ","), scopes)
	}
	listed := []string{"", "", "inner", "outer", "text", "outer", "text", "", "", ""}
	guessed := []string{"", "text", "text", "text", "text", "text", "text", "text", "text", ""}
	for what, tt := range map[string]struct {
		text string
		want []string // at 0:5, 1:5, …
	}{
		"listed":                  {list(whole, "a.js"), listed},
		"none":                    {list("", "a.js"), guessed},
		"no list":                 {strings.Replace(list("", "a.js"), `"scopes":""`, `"scopes":["x"]`, 1), guessed},
		"another source's":        {list(","+whole, "b.js", "a.js"), listed},
		"another source's, as A":  {list("A,"+whole, "b.js", "a.js"), listed},
		"two":                     {list(vlq(begin, name|frame, 9, 9, signed(2))+","+vlq(end, 1, 1)+","+strings.Replace(whole, outer, vlq(begin, name|kind|frame, 1, 9, signed(-1), signed(3)), 1), "b.js", "a.js"), listed},
		"only another's":          {list(whole, "b.js", "a.js"), guessed},
		"nothing in the file":     {list(vlq(begin, 0, 0, 0)+","+vlq(end, 1, 0), "a.js"), make([]string, 10)},
		"no end":                  {list(strings.Join(sound[:6], ","), "a.js"), guessed},
		"no beginning":            {list(vlq(end, 0, 0)+","+whole, "a.js"), guessed},
		"no digits":               {list(strings.Replace(whole, outer, "B!", 1), "a.js"), guessed},
		"a place beyond 31 bits":  {list(vlq(begin, frame, 1<<31, 0)+","+whole, "a.js"), guessed},
		"a name before the first": {list(strings.Replace(whole, outer, vlq(begin, name|frame, 1, 9, signed(-1)), 1), "a.js"), guessed},
		"too deep":                {list(strings.Repeat(vlq(begin, frame, 0, 0)+",", 5000)+strings.TrimSuffix(strings.Repeat(vlq(end, 0, 1)+",", 5000), ","), "a.js"), guessed},
		"a section":               {`{"version":3,"sections":[{"offset":{"line":0,"column":0},"map":{"version":3,"names":["far"],"sources":["c.js"],"mappings":""}},{"offset":{"line":0,"column":0},"map":` + list(whole, "a.js") + `}]}`, listed},
	} {
		t.Run(what, func(t *testing.T) {
			m := parse(t, tt.text)
			for line, want := range tt.want {
				p, ok := m.Lookup(1, line)
				if !ok || p.Source != "a.js" || p.Line != line+1 || p.Column != 5 {
					t.Fatalf("%d:5 is %+v, %t", line, p, ok)
				}
				if p.Function != want {
					t.Errorf("%d:5 is in %q, want %q", line, p.Function, want)
				}
			}
		})
	}
}
