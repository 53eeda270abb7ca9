package sandbox

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestWorkerAnswers(t *testing.T) {
	cfg := file(t)
	for _, statement := range []string{
		"SELECT id, title, id / 2.0, x'01', NULL, whole, -9007199254740993 FROM issues", "SELECT 1 WHERE 0",
		"SELECT * FROM main.users", "SELECT nothing", "SELECT * FROM issues; SELECT 1",
	} {
		want, wantErr := Run(t.Context(), cfg, statement, Limits{})
		got, err := worker(t).Run(t.Context(), cfg, statement, Limits{})
		got.Took, want.Took = 0, 0
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", statement, diff)
		}
		if diff := cmp.Diff(wantErr, err, cmp.Comparer(func(a, b error) bool { return errors.Is(a, b) || errors.Is(b, a) || a.Error() == b.Error() })); diff != "" {
			t.Errorf("%q: %s", statement, diff)
		}
	}
}

func TestWorkerThatIsNone(t *testing.T) {
	cfg := file(t)
	cfg.Path += ".missing"
	var refused *Error
	if _, err := worker(t).Run(t.Context(), cfg, "SELECT 1", Limits{}); err == nil || errors.As(err, &refused) {
		t.Errorf("without a file: %v", err)
	}
	if _, err := (Worker{Command: []string{cfg.Path}}).Run(t.Context(), cfg, "SELECT 1", Limits{}); err == nil || errors.As(err, &refused) {
		t.Errorf("without a program: %v", err)
	}
}

// TestWorkerIsBounded has statements of a few bytes that take memory or time without
// end, most of it where SQLite does not look up.
func TestWorkerIsBounded(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the kernel bounds memory on Linux only")
	}
	cfg := file(t)
	nested := func(n int, expr, base string) string {
		for range n {
			base = "SELECT " + expr + " AS s FROM (" + base + ")"
		}
		return base
	}
	times := func(n int, text string) string { return strings.TrimSuffix(strings.Repeat(text+",", n), ",") }
	doubled := "WITH b0(x) AS (VALUES (1))"
	for i := range 25 {
		doubled += fmt.Sprintf(", b%d AS (SELECT p.x FROM b%d p, b%[2]d q)", i+1, i)
	}
	const many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
	for _, c := range []struct {
		statement string
		kind      error
	}{
		{nested(25, "s || s", "SELECT title AS s FROM issues"), ErrTooMuch},
		{doubled + " SELECT count(*) FROM b25", ErrTooMuch},
		{many + "SELECT json_group_array(printf('%.*c', 900000, 'x')) FROM (SELECT i FROM n LIMIT 5000)", ErrTooMuch},
		{"SELECT json_pretty(printf('%.*c', 900, '[') || printf('%.*c', 900, ']'), printf('%.*c', 900000, ' '))", ErrTooMuch},
		{"SELECT " + times(95, "printf('%.*c', 900000, 'x') || id") + " FROM issues ORDER BY 1, 2", ErrTooMuch},
		{many + "SELECT printf('%.*c%d', 9000, 'x', i) FROM (SELECT i FROM n LIMIT 100000) ORDER BY 1", ErrTooMuch}, // files
		{"SELECT instr(printf('%.*c', 900000, 'a'), printf('%.*c', 400000, 'a') || 'b')", ErrTime},
	} {
		_, err := worker(t).Run(t.Context(), cfg, c.statement, Limits{Time: 1500 * time.Millisecond})
		var refused *Error
		if !errors.As(err, &refused) || refused.Kind != c.kind && refused.Kind != ErrTime {
			t.Errorf("%.80q: %v, want %v", c.statement, err, c.kind)
		}
	}
}

func TestTemporaryFilesAreGivenBack(t *testing.T) {
	cfg := file(t)
	const sorting = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3000) SELECT printf('%.*c%d', 9000, 'x', i) FROM n ORDER BY 1"
	for range 11 { // together more than maxTemp
		if _, err := Run(t.Context(), cfg, sorting, Limits{Rows: 1}); err != nil {
			t.Fatal(err)
		}
	}
}

func FuzzStatement(f *testing.F) {
	cfg := file(f)
	for _, s := range attempts {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, statement string) {
		got, err := Run(t.Context(), cfg, statement, Limits{Time: 200 * time.Millisecond, Rows: 20})
		if err == nil {
			if text := fmt.Sprint(got.Rows, got.Columns); strings.Contains(text, "hidden-") && !strings.Contains(statement, "hidden-") {
				t.Fatalf("%q: %s", statement, text)
			}
			return
		}
		var refused *Error
		if !errors.As(err, &refused) || refused.Offset > len(statement) {
			t.Fatalf("%q: %v", statement, err)
		}
	})
}
