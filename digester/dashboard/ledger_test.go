package dashboard

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"sundew/digester/ledger"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/schema/event"
	"sundew/schema/wire"
)

// drop digests a message that is dropped.
func (s *site) drop(edge wire.InstanceID, seq uint64, reason, detail string) {
	s.t.Helper()
	in := &store.Incoming{
		Instance: edge, Seq: seq, Region: detail, Project: s.project.ID, EventID: event.ID{0xab, byte(seq)}, ReceivedAt: testNow.Add(-2 * time.Hour),
		Category: "error", Drop: reason, Detail: detail,
	}
	if result, err := s.db.Digest(s.t.Context(), in); err != nil || result != store.Dropped {
		s.t.Fatalf("dropping: result %v, error %v", result, err)
	}
}

// count digests the edge's counts.
func (s *site) count(counts ...wire.Count) {
	s.t.Helper()
	s.counts++
	in := &store.Incoming{Instance: wire.InstanceID{2}, Seq: s.counts, IsCounts: true, Counts: counts}
	for i := range counts {
		counts[i].Hour = testNow.Truncate(time.Hour)
	}
	if _, err := s.db.Digest(s.t.Context(), in); err != nil {
		s.t.Fatal(err)
	}
}

// hostileBooks puts a text into everything that the ledger's page shows.
func (s *site) hostileBooks(text string) {
	s.t.Helper()
	s.drop(wire.InstanceID{4}, 3, text, text) // 1 and 2 are a gap
	for _, outcome := range []wire.Outcome{wire.OutcomeClient, wire.OutcomeRefused, wire.OutcomeLimited, wire.OutcomeUnstored} {
		s.count(wire.Count{Project: s.project.ID, Category: text, Outcome: outcome, Reason: text, Quantity: 3})
	}
}

var (
	tags   = regexp.MustCompile(`<[^>]*>`)
	spaces = regexp.MustCompile(`\s+`)
)

// textOf returns a page's text in one line.
func textOf(page string) string {
	return html.UnescapeString(spaces.ReplaceAllString(tags.ReplaceAllString(page, " "), " "))
}

// TestLedgerPage follows a few events through the books.
func TestLedgerPage(t *testing.T) {
	s := newSite(t, nil)
	other := storetest.MustCreateProject(t, s.db, "Worker", "")
	page := textOf(s.mustGet("/ledger"))
	mustContain(t, page, "Nothing has been accepted yet.", "There is none.", "Nothing was dropped.", "No SDK has reported a loss.", "Nothing was refused.")

	s.message("one", testNow.Add(-time.Hour))
	s.message("two", testNow)
	s.drop(wire.InstanceID{4}, 1, "bad_json", "unexpected end of JSON input")
	s.count(
		wire.Count{Project: s.project.ID, Category: "error", Outcome: wire.OutcomeClient, Reason: "sample_rate", Quantity: 412},
		wire.Count{Project: s.project.ID, Category: "error", Outcome: wire.OutcomeClient, Reason: "our_own_word", Quantity: 5},
		wire.Count{Category: "error", Outcome: wire.OutcomeRefused, Reason: "auth_unknown", Quantity: 8},
		wire.Count{Project: other.ID, Category: "error", Outcome: wire.OutcomeLimited, Reason: "key_quota", Quantity: 30},
		wire.Count{Project: s.project.ID, Category: "session", Outcome: wire.OutcomeUnstored, Reason: "unsupported", Quantity: 6},
	)
	hour := testNow.Truncate(time.Hour)
	queued := func(project event.ProjectID, high int64, runs ...ledger.Run) {
		s.queue.Lanes = append(s.queue.Lanes, ledger.Lane{Instance: wire.InstanceID{3}, Project: project, High: high})
		for _, r := range runs {
			r.Instance, r.Project = wire.InstanceID{3}, project
			s.queue.Runs = append(s.queue.Runs, r)
		}
	}
	queued(other.ID, 7, ledger.Run{From: 1, To: 6, Hour: hour}, ledger.Run{From: 7, To: 7, Hour: hour, Dead: true})
	s.queue.Dead = 1

	page = textOf(s.mustGet("/ledger"))
	mustContain(t, page,
		"Every event that was accepted is accounted for. 10 accepted = 2 stored + 1 dropped + 6 in flight + 1 dead letter. Dead letters were",
		"Web shop 3 2 0 1 1 not valid JSON 0 0 0 ", "Worker 7 0 0 0 6 1 0 ", "All projects 10 2 0 1 1 not valid JSON 6 1 0 ",
		"Lost by the SDKs 417 ", "Errors left out by sampling 412 ", "Errors our own word 5 ",
		"Refused 38 ", "Errors over the key's rate limit 30 ", "Errors the key is not one of the project's 8 ",
		"Not stored 6 ", "Sessions a kind that is not kept yet 6 ",
		"Mar 14, 15:00 8 1 0 0 7 417 38 6 ", "Mar 14, 14:00 1 1 0 0 0 0 0 0 ", "Mar 14, 13:00 1 0 0 1 0 0 0 0 ", "Mar 13, 16:00 0 0 ",
		"not valid JSON unexpected end of JSON input Web shop 2 h ago ab01")
	mustLack(t, page, "Mar 13, 15:00", "waiting")

	page = textOf(s.mustGet("/ledger?project=2"))
	mustContain(t, page, "Below: only Worker .", "Web shop 3 2 0", "Mar 14, 15:00 7 0 0 0 7 0 30 0 ", "Refused 30 ", "No SDK has reported a loss.", "Nothing was dropped.")
	mustLack(t, page, "left out by sampling", "unexpected end")
	if resp := s.get("/ledger?project=3"); resp.StatusCode != http.StatusNotFound {
		t.Errorf("a project that is not there: status %d", resp.StatusCode)
	}
	mustLack(t, textOf(s.mustGet("/ledger?project=x")), "Below: only")
}

// TestLedgerLoss shows gaps, of which one cannot close.
func TestLedgerLoss(t *testing.T) {
	s := newSite(t, nil)
	s.message("one", testNow)
	s.seq += 3
	s.message("five", testNow)
	page := textOf(s.mustGet("/ledger"))
	mustContain(t, page, "Every event that was accepted is accounted for.", "Web shop waiting 01000000 2 – 4 3 just now")

	s.queue = ledger.Queue{
		Lanes: []ledger.Lane{{Instance: wire.InstanceID{1}, Project: 1, High: 5}},
		Runs:  []ledger.Run{{Instance: wire.InstanceID{1}, Project: 1, From: 3, To: 3, Hour: testNow.Truncate(time.Hour)}},
	}
	page = textOf(s.mustGet("/ledger"))
	mustContain(t, page, "2 accepted messages are lost.", "Web shop 5 2 0 0 1 0 2 ",
		"Web shop lost 01000000 2 1 just now", "Web shop lost 01000000 4 1 just now", "Web shop waiting 01000000 3 1 just now")
	mustLack(t, page, "accounted for")
}

// TestLedgerVerdicts are those that a sound database does not lead to.
func TestLedgerVerdicts(t *testing.T) {
	for _, c := range []struct {
		books ledger.Books
		want  string
	}{
		{ledger.Books{Mismatch: 2, Lost: 1}, "The books do not balance."},
		{ledger.Books{Lost: 1}, "1 accepted message is lost."},
	} {
		if v := judge(&c.books); v.Fine || v.Head != c.want {
			t.Errorf("verdict %+v, want %q", v, c.want)
		}
	}
}

// TestLedgerLists cuts lists that are too long and says so.
func TestLedgerLists(t *testing.T) {
	books := &ledger.Books{ByProject: map[event.ProjectID]*ledger.Project{1: {}}}
	books.ByProject[1].ClientLost = map[string]int64{}
	for i := range ledgerReasons + 7 {
		books.ByProject[1].ClientLost[fmt.Sprintf("error:reason_%d", i)] = int64(i)
	}
	for i := range ledgerGaps + 3 {
		books.Gaps = append(books.Gaps, ledger.Gap{Project: 1, From: int64(i), To: int64(i), Instance: "ab"})
	}
	client := asideLists(books, 0)[0]
	if len(client.Rows) != ledgerReasons || client.More != 7 || client.Rows[0].Count != ledgerReasons+6 || client.Total != 47*46/2 {
		t.Errorf("%d rows, %d more, %+v first, %d in all", len(client.Rows), client.More, client.Rows[0], client.Total)
	}
	if rows, more := gapRows(books, 1, nil); len(rows) != ledgerGaps || more != 3 {
		t.Errorf("%d gaps, %d more", len(rows), more)
	}
	if rows, more := gapRows(books, 2, nil); len(rows) != 0 || more != 0 {
		t.Errorf("%d gaps of another project, %d more", len(rows), more)
	}
}

// TestLedgerLink is on every page, unless there is no ledger to show.
func TestLedgerLink(t *testing.T) {
	const link = `href="/ledger"`
	with := newSite(t, nil)
	for _, path := range allPages(with, with.message("here", testNow)) {
		mustContain(t, bodyOf(t, with.get(path)), link)
	}
	without := newSite(t, func(cfg *Config) { cfg.Ledger = nil })
	mustLack(t, without.mustGet("/"), link)
	if resp := without.get("/ledger"); resp.StatusCode != http.StatusNotFound {
		t.Errorf("status %d", resp.StatusCode)
	}
	broken := newSite(t, func(cfg *Config) {
		cfg.Ledger = func(context.Context) (*ledger.Books, error) { return nil, errors.New("no queue") }
	})
	if resp := broken.get("/ledger"); resp.StatusCode != http.StatusInternalServerError || !strings.Contains(broken.log.String(), "no queue") {
		t.Errorf("status %d, log %s", resp.StatusCode, broken.log)
	}
}

// Words of the protocol are explained, unknown ones made readable.
func TestLedgerWords(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{dropWords("a_new_word"), "a new word"},
		{dropWords("unknown_project"), "the project does not exist"},
		{dropWords("unknown_key"), "the key is not one of the project's"},
		{dropWords("disabled_key"), "the key is disabled"},
		{clientWords("ratelimit_backoff"), "held back after a rate limit"},
		{refusalWords("too_deep"), "JSON nested too deeply"},
		{categoryWords("log_item"), "Log entries"},
		{categoryWords("brand_new"), "brand new"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
