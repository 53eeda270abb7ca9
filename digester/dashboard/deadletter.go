package dashboard

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"sundew/digester/access"
	"sundew/digester/deadletter"
	"sundew/digester/queue"
	"sundew/digester/store"
	"sundew/schema/event"
)

const (
	maxDeadContent = 256 << 10 // of a letter's content on its page
	maxDump        = 2 << 10   // bytes of it where there is no better view
)

// deadLetterPage is one dead letter.
type deadLetterPage struct {
	shell
	Row     deadRow
	Trouble string    // what the digester said, where that is more than a line
	Fields  fieldList // of the message
	Content string    // what the client sent, or a dump of the bytes
	IsDump  bool
	Cut     bool
}

// serveDeadLetter is GET /dead-letters/letter?queue=…&id=…. Ids are the queue's and
// may have any characters, hence the query.
func (d *Dashboard) serveDeadLetter(w http.ResponseWriter, r *http.Request) {
	q, err := d.deadQueue(r.URL.Query().Get("queue"))
	if err != nil {
		d.fail(w, r, err)
		return
	}
	letter, err := q.Find(r.Context(), r.URL.Query().Get("id"))
	if err != nil {
		d.fail(w, r, err)
		return
	}
	d.read(w, r, ofInstallation(access.Admin), func(rx *store.Rx, _ *http.Request) (reply, error) {
		names, err := projectNames(rx)
		if err != nil {
			return reply{}, err
		}
		trail := append(d.deadTrail(), crumb{Text: "Dead letters", URL: d.links.deadLetters()})
		return show("deadletter", newDeadLetterPage(q, letter, names, trail)), nil
	})
}

func newDeadLetterPage(q deadletter.Queue, letter queue.DeadLetter, names map[event.ProjectID]string, trail []crumb) deadLetterPage {
	left := newBudget()
	page := deadLetterPage{shell: shell{Title: "Dead letter", Trail: trail}, Row: newDeadRow(q, letter, names, left)}
	content := deadletter.Open(letter.Body)
	if err := q.Trouble(letter); err != nil && firstLine(err.Error()) != err.Error() {
		page.Trouble = left.text(err.Error(), maxValue)
	}
	pairs := []event.Pair{{Key: "Event ID", Value: page.Row.EventID}, {Key: "Queue", Value: q.Name}, {Key: "Id in the queue", Value: letter.ID}}
	add := func(key, value string) { pairs = append(pairs, event.Pair{Key: key, Value: value}) }
	if !letter.DeadAt.IsZero() {
		add("Set aside", letter.DeadAt.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	if m := content.Message; m != nil {
		if !m.SentAt.IsZero() {
			add("Sent, by the client's clock", m.SentAt.UTC().Format("2006-01-02 15:04:05 UTC"))
		}
		add("Client", m.Client)
		add("Address", m.RemoteIP)
		add("Region", m.Region)
		add("Release", m.Release)
		add("Environment", m.Environment)
		add("Edge", hex.EncodeToString(m.Instance[:]))
		add("Number", strconv.FormatUint(m.Seq, 10))
	}
	if c := content.Claim; c != nil {
		add("Bucket", c.Bucket)
		add("Object", c.Key)
	}
	page.Fields = left.known(pairs)
	page.Content, page.IsDump, page.Cut = viewLetter(content, left)
	return page
}

// viewLetter returns the content as text: what the client sent, laid out if it is JSON,
// else a dump of the beginning.
func viewLetter(c deadletter.Content, left *budget) (text string, isDump, cut bool) {
	plain, err := c.Text()
	if err != nil {
		return hex.Dump(c.Raw[:min(len(c.Raw), maxDump)]), true, len(c.Raw) > maxDump
	}
	if json.Valid(plain) {
		plain, cut = layOut(plain, maxDeadContent)
	}
	cut = cut || len(plain) > maxDeadContent
	return left.text(string(bytes.ToValidUTF8(plain, []byte("\uFFFD"))), maxDeadContent), false, cut
}

// firstLine returns a text up to its first line break.
func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
