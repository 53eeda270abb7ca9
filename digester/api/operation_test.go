package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/access"
	"sundew/digester/deadletter"
	"sundew/digester/deed"
	"sundew/digester/ledger"
	"sundew/digester/queue"
	"sundew/digester/store"
	"sundew/digester/vitals"
	"sundew/schema/wire"
)

// deadLetters is a queue's that never has a message.
type deadLetters struct {
	letters []queue.DeadLetter
	err     error // of asking
}

// newDeadLetters has one, of the first project.
func newDeadLetters() deadLetters {
	m := wire.Message{Kind: wire.KindEvent, Project: 1, Client: "sdk/1", ReceivedAt: testNow.Add(-time.Hour)}
	m.Body, m.Encoding = wire.NewCodec().Compress([]byte(`{"message":"it broke"}`))
	return deadLetters{letters: []queue.DeadLetter{{ID: "1", Body: m.Encode(nil), Receives: 8, SentAt: testNow}}}
}

func (d *deadLetters) DeadLetters(_ context.Context, limit int) ([]queue.DeadLetter, error) {
	return d.letters[:min(limit, len(d.letters))], d.err
}

func (d *deadLetters) Redrive(_ context.Context, ids []string) (int, error) {
	before := len(d.letters)
	d.letters = slices.DeleteFunc(d.letters, func(l queue.DeadLetter) bool { return slices.Contains(ids, l.ID) })
	return before - len(d.letters), d.err
}

// A program sees what is dead, why, and puts it back; a queue that is away hides no other.
func TestDeadLetters(t *testing.T) {
	r := newRig(t, func(cfg *Config) {
		cfg.Dead[0].LastError = func([]byte) error { return errors.New("constraint failed") }
		cfg.Dead = append(cfg.Dead, deadletter.Queue{Name: "eu-1", Letters: &deadLetters{err: errors.New("secret host unreachable")}})
	})
	const list = "/organizations/acme/dead-letters/"
	got := mustRead[List[DeadQueue]](t, r.must(http.StatusOK, "GET", list, ""))
	letter := DeadLetter{ID: "1", Queue: "local", What: "Event", ProjectID: "1", DateReceived: Time{testNow.Add(-time.Hour)}, Deliveries: 8, Size: int64(len(r.dead.letters[0].Body)), Why: "constraint failed"}
	if diff := cmp.Diff(List[DeadQueue]{{Name: "local", Letters: List[DeadLetter]{letter}, Answers: true}, {Name: "eu-1", Letters: List[DeadLetter]{}}}, got); diff != "" {
		t.Error(diff)
	}
	one := mustRead[DeadLetterContent](t, r.must(http.StatusOK, "GET", list+"letter/?queue=local&id=1", ""))
	if one.Content != `{"message":"it broke"}` || one.IsHex || one.Client != "sdk/1" {
		t.Errorf("the letter is %+v", one)
	}
	r.dead.letters = append(r.dead.letters, queue.DeadLetter{ID: "2", Body: []byte{0xde, 0xad}})
	if two := mustRead[DeadLetterContent](t, r.must(http.StatusOK, "GET", list+"letter/?queue=local&id=2", "")); two.Content != "dead" || !two.IsHex {
		t.Errorf("a letter that cannot be read is %+v", two)
	}
	for body, want := range map[string]string{
		`{"queue":"local"}`:                        "one of both",
		`{"queue":"local","ids":["1"],"all":true}`: "one of both",
	} {
		if got := mustRead[detail](t, r.must(http.StatusBadRequest, "POST", list+"retry/", body)).Detail; !strings.Contains(got, want) {
			t.Errorf("%s: %q", body, got)
		}
	}
	r.must(http.StatusNotFound, "POST", list+"retry/", `{"queue":"mars","all":true}`)
	if text := r.must(http.StatusServiceUnavailable, "POST", list+"retry/", `{"queue":"eu-1","all":true}`); strings.Contains(text, "secret host") || !strings.Contains(text, "does not answer") {
		t.Errorf("a queue that is away: %s", text)
	}
	if got := r.must(http.StatusOK, "POST", list+"retry/", `{"queue":"local","ids":["1","9"]}`); strings.TrimSpace(got) != `{"retried":1}` {
		t.Errorf("put back: %s", got)
	}
	if got := r.must(http.StatusOK, "POST", list+"retry/", `{"queue":"local","all":true}`); strings.TrimSpace(got) != `{"retried":1}` {
		t.Errorf("put all back: %s", got)
	}
	r.must(http.StatusNotFound, "GET", list+"letter/?queue=local&id=1", "")
	r.wantAudited(0, "dead-letter.retry 1 message queue local", "dead-letter.retry 1 message queue local")
}

// The system says what /health/ready says, the ledger what /ledger.json says, of a
// project its part.
func TestSystemAndLedger(t *testing.T) {
	r := newRig(t, func(cfg *Config) {
		cfg.Vitals = func(context.Context) vitals.Vitals {
			return vitals.Vitals{At: testNow, Version: "1.2.3", Mail: vitals.Mail{GivenUp: 2}, Queues: []vitals.Remote{{Name: "eu-1", Waiting: 3, Oldest: time.Second}}, Disk: vitals.Disk{Free: 1, Total: 2}}
		}
	})
	r.message(r.web.ID, "first")
	r.message(r.other.ID, "elsewhere")
	system := mustRead[System](t, r.must(http.StatusOK, "GET", "/organizations/acme/system/", ""))
	if system.Status != "ok" || system.DiskFree != 1 || system.Mail.GivenUp != 2 || len(system.Problems) != 2 || system.Problems[1].Part != "mail" ||
		system.Queues[0] != (QueueIs{Name: "eu-1", Status: "ok", Waiting: 3, Oldest: 1}) {
		t.Errorf("the system is %+v", system)
	}
	books := mustRead[ledger.Books](t, r.must(http.StatusOK, "GET", "/organizations/acme/ledger/", ""))
	if books.Digested != 2 || books.Decided() != 2 || len(books.ByProject) != 2 {
		t.Errorf("the books are %+v", books)
	}
	part := mustRead[ProjectLedger](t, mustStatus(t, r.do("GET", Root+"/projects/acme/web-shop/ledger/", r.viewerToken, ""), http.StatusOK))
	if part.Digested != 1 || len(part.Hours) != 1 || part.Hours[0].Project != r.web.ID {
		t.Errorf("the project's are %+v", part)
	}
}

// A copy has neither queue nor books.
func TestOperationOfCopy(t *testing.T) {
	r := newRig(t, func(cfg *Config) { cfg.DB, cfg.Ledger, cfg.Vitals, cfg.Dead = nil, nil, nil, nil })
	for _, path := range []string{"system/", "ledger/", "dead-letters/", "dead-letters/letter/?queue=local&id=1"} {
		r.must(http.StatusServiceUnavailable, "GET", "/organizations/acme/"+path, "")
	}
	r.must(http.StatusServiceUnavailable, "POST", "/projects/acme/web-shop/quiet/", "")
	r.must(http.StatusServiceUnavailable, "POST", "/organizations/acme/dead-letters/retry/", `{"queue":"local","all":true}`)
}

// A mail that was given up is tried again.
func TestMail(t *testing.T) {
	told := 0
	r := newRig(t, func(cfg *Config) { cfg.Mail = func() { told++ } })
	r.mustWrite(func(tx *store.Tx) error {
		return tx.QueueMail(store.Mail{To: "ann@example.com", Subject: "Hello", Text: "secret text"})
	})
	r.mustWrite(func(tx *store.Tx) error {
		if _, err := tx.TakeMail(1); err != nil {
			return err
		}
		return tx.MailDone(1, errors.New("mailbox full"), true)
	})
	text := r.must(http.StatusOK, "GET", "/organizations/acme/mail/", "")
	mails := mustRead[List[Mail]](t, text)
	want := List[Mail]{{ID: "1", To: "ann@example.com", Subject: "Hello", State: "failed", DateCreated: Time{testNow}, Attempts: 1, Error: "mailbox full"}}
	if diff := cmp.Diff(want, mails); diff != "" || strings.Contains(text, "secret") {
		t.Error(diff, text)
	}
	if again := mustRead[Mail](t, r.must(http.StatusAccepted, "POST", "/organizations/acme/mail/1/retry/", "")); again.State != "waiting" {
		t.Errorf("tried again: %+v", again)
	}
	r.must(http.StatusNotFound, "POST", "/organizations/acme/mail/1/retry/", "")
	r.wantAudited(0, "mail.retry ann@example.com Hello")
	if told != 1 {
		t.Errorf("told %d times", told)
	}
}

// Who asks for a person's data decides twice before they go.
func TestPersonData(t *testing.T) {
	r := newRig(t, nil)
	const list = "/projects/acme/web-shop/person/"
	first := r.message(r.web.ID, "of Ann")
	made := mustRead[PersonRequest](t, r.must(http.StatusCreated, "POST", list, `{"kind":"email","value":"Ann@example.com"}`))
	if made.State != "searching" || made.Value != "ann@example.com" || made.User.Name != "owner" {
		t.Errorf("made %+v", made)
	}
	if got := mustRead[detail](t, r.must(http.StatusBadRequest, "POST", list+"1/remove/", "")).Detail; !strings.Contains(got, "This one is searching.") {
		t.Errorf("removed too early: %q", got)
	}
	r.must(http.StatusNotFound, "GET", list+"1/export/", "")
	r.mustWrite(func(tx *store.Tx) error {
		if err := tx.NoteFound(1, 1, []store.SearchedEvent{{ID: 1, Issue: 1}}); err != nil {
			return err
		}
		return tx.EndSearch(1, 0, 0)
	})
	export := mustRead[deed.PersonExport](t, r.must(http.StatusOK, "GET", list+"1/export/", ""))
	if !export.Complete || len(export.Events) != 1 || export.Events[0].ID != first.String() || !strings.Contains(string(export.Events[0].Payload), "of Ann") {
		t.Errorf("exported %+v", export)
	}
	// One of all projects is not one of a project.
	r.must(http.StatusNotFound, "GET", "/organizations/acme/person/1/", "")
	r.must(http.StatusNotFound, "POST", "/projects/acme/other/person/1/remove/", "")
	if e := mustRead[PersonRequest](t, r.must(http.StatusAccepted, "POST", list+"1/remove/", "")); e.State != "removing" || e.Events != 1 {
		t.Errorf("to be removed: %+v", e)
	}
	for _, late := range []string{"remove/", "withdraw/"} {
		if got := mustRead[detail](t, r.must(http.StatusBadRequest, "POST", list+"1/"+late, "")).Detail; !strings.Contains(got, "This one is removing.") {
			t.Errorf("%s: %q", late, got)
		}
	}
	r.must(http.StatusCreated, "POST", list, `{"kind":"ip","value":"192.0.2.7"}`)
	if e := mustRead[PersonRequest](t, r.must(http.StatusOK, "POST", list+"2/withdraw/", "")); e.State != "withdrawn" || e.Value != "" {
		t.Errorf("withdrawn: %+v", e)
	}
	for body, want := range map[string]string{`{"kind":"email","value":"ann"}`: "A mail address looks like", `{"kind":"shoe","value":"9"}`: "There is no such kind.", ``: "It needs 1 to 200"} {
		if got := mustRead[detail](t, r.must(http.StatusBadRequest, "POST", list, body)).Detail; !strings.Contains(got, want) {
			t.Errorf("%s: %q", body, got)
		}
	}
	said := r.audited(0, 4)
	for i, action := range []string{"person.withdraw", "person.search", "person.remove", "person.search"} {
		if !strings.HasPrefix(said[i], action+" sha256:") || strings.Contains(said[i], "ann") {
			t.Errorf("audited %v", said[i])
		}
	}
	if n := len(mustRead[List[PersonRequest]](t, r.must(http.StatusOK, "GET", list, ""))); n != 2 {
		t.Errorf("%d requests", n)
	}
}

// Saved queries are their author's until they are shared, and run over what the token sees.
func TestSavedQueries(t *testing.T) {
	r := newRig(t, nil)
	r.message(r.web.ID, "first")
	r.message(r.other.ID, "elsewhere")
	const list = "/organizations/acme/sql/queries/"
	ask := func(token, method, path, body string, status int) string {
		t.Helper()
		return mustStatus(t, r.do(method, Root+list+path, token, body), status)
	}
	mine := mustRead[SavedQuery](t, ask(r.memberToken, "POST", "", `{"name":"Issues","query":"SELECT short_id FROM issues ORDER BY 1","team":"shop"}`, http.StatusCreated))
	if diff := cmp.Diff(SavedQuery{ID: "1", Name: "Issues", Query: "SELECT short_id FROM issues ORDER BY 1", Team: "shop", Author: Named{number(r.member.ID), "member"}, MayDelete: true}, mine); diff != "" {
		t.Error(diff)
	}
	if got := mustRead[SQLAnswer](t, ask(r.viewerToken, "POST", "1/run/", "", http.StatusOK)); len(got.Rows) != 1 || got.Rows[0][0] != "WEB-SHOP-1" {
		t.Errorf("a viewer of the team finds %+v", got.Rows)
	}
	if got := mustRead[SQLAnswer](t, ask(r.ownerToken, "POST", "1/run/", `{"limit":1}`, http.StatusOK)); len(got.Rows) != 1 || !got.Truncated || got.Rows[0][0] != "OTHER-1" {
		t.Errorf("an owner finds %+v", got.Rows)
	}
	ask(r.viewerToken, "DELETE", "1/", "", http.StatusForbidden)
	for body, status := range map[string]int{
		`{"name":"All","query":"SELECT 1","everybody":true}`:               http.StatusForbidden,
		`{"name":"All","query":"SELECT 1","team":"elsewhere"}`:             http.StatusNotFound,
		`{"name":"All","query":"SELECT 1","team":"mars"}`:                  http.StatusNotFound,
		`{"name":"All","query":"SELECT 1","team":"shop","everybody":true}`: http.StatusBadRequest,
		`{"name":"All","query":""}`:                                        http.StatusBadRequest,
		`{"name":"All","query":"SELECT 1","statement":"x"}`:                http.StatusBadRequest,
	} {
		ask(r.memberToken, "POST", "", body, status)
	}
	ask(r.viewerToken, "POST", "", `{"name":"All","query":"SELECT 1","team":"shop"}`, http.StatusForbidden)
	ask(r.viewerToken, "POST", "", `{"name":"Own","query":"SELECT 2"}`, http.StatusCreated)
	ask(r.memberToken, "GET", "2/", "", http.StatusNotFound)
	ask(r.ownerToken, "GET", "2/", "", http.StatusNotFound)
	if got := mustRead[detail](t, ask(r.viewerToken, "POST", "9/run/", "", http.StatusNotFound)); got.Detail == "" {
		t.Error("no words")
	}
	ask(r.memberToken, "DELETE", "1/", "", http.StatusNoContent)
	if got := mustRead[List[SavedQuery]](t, ask(r.viewerToken, "GET", "", "", http.StatusOK)); len(got) != 1 || got[0].Name != "Own" {
		t.Errorf("a viewer has %+v", got)
	}
	r.wantAudited(0, "query.delete Issues SELECT short_id FROM issues ORDER BY 1", "query.save Issues SELECT short_id FROM issues ORDER BY 1")
}

// What was not seen for long is resolved, and nothing that was seen lately.
func TestQuiet(t *testing.T) {
	r := newRig(t, nil)
	const path = "/projects/acme/web-shop/quiet/"
	now := r.now
	r.now = now.AddDate(0, 0, -40)
	r.message(r.web.ID, "old")
	r.message(r.other.ID, "old elsewhere")
	r.now = now.AddDate(0, 0, -10)
	r.message(r.web.ID, "newer")
	r.now = now
	quiet := mustRead[Quiet](t, r.must(http.StatusOK, "GET", path, ""))
	if quiet.Count != 1 || quiet.Days != 30 {
		t.Errorf("quiet: %+v", quiet)
	}
	if seven := mustRead[Quiet](t, r.must(http.StatusOK, "GET", path+"?days=7", "")); seven.Count != 2 {
		t.Errorf("quiet for 7 days: %+v", seven)
	}
	for _, wrong := range []string{"?days=6", "?days=366", "?days=x"} {
		r.must(http.StatusBadRequest, "GET", path+wrong, "")
	}
	for body, want := range map[string]string{`{"days":1}`: "days is from 7 to 365", `{"before":"2026-03-04T00:00:00Z"}`: "7 days or more", `{"before":"x"}`: "before is a time"} {
		if got := mustRead[detail](t, r.must(http.StatusBadRequest, "POST", path, body)).Detail; !strings.Contains(got, want) {
			t.Errorf("%s: %q", body, got)
		}
	}
	if got := r.must(http.StatusOK, "POST", path, `{"before":"`+quiet.Before.Format(time.RFC3339Nano)+`"}`); strings.TrimSpace(got) != `{"resolved":1}` {
		t.Errorf("resolved: %s", got)
	}
	r.wantAudited(0, "issue.quiet 1 issue")
	r.mustRead(func(rx *store.Rx) error {
		for id, want := range map[int64]store.IssueState{1: store.StateResolved, 2: store.StateOpen, 3: store.StateOpen} {
			if issue, err := rx.Issue(id); err != nil || issue.State != want {
				t.Errorf("issue %d: state %v, %v", id, issue.State, err)
			}
		}
		return nil
	})
}

// What clients sent needs a scope for events, in a dead letter too.
func TestDeadLetterScope(t *testing.T) {
	r := newRig(t, nil)
	token := r.token(r.owner.ID, access.ReadOrg)
	mustStatus(t, r.do("GET", Root+"/organizations/x/dead-letters/", token, ""), http.StatusOK)
	r.refused(http.StatusForbidden, token, "GET", "/organizations/x/dead-letters/letter/?queue=local&id=1", "", "event:read")
}
