package dashboard

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"sundew/digester/access"
	"sundew/digester/queue"
	"sundew/digester/store"
	"sundew/schema/event"
	"sundew/schema/wire"
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
	letter, err := findLetter(r.Context(), q, r.URL.Query().Get("id"))
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

// findLetter looks for a letter among those that the list shows.
func findLetter(ctx context.Context, q DeadQueue, id string) (queue.DeadLetter, error) {
	ctx, cancel := context.WithTimeout(ctx, deadAnswer)
	defer cancel()
	letters, err := q.Letters.DeadLetters(ctx, deadShown+1)
	if err != nil {
		return queue.DeadLetter{}, errors.Join(errQueue, err)
	}
	for _, letter := range letters {
		if letter.ID == id {
			return letter, nil
		}
	}
	return queue.DeadLetter{}, errNoLetter
}

func newDeadLetterPage(q DeadQueue, letter queue.DeadLetter, names map[event.ProjectID]string, trail []crumb) deadLetterPage {
	left := newBudget()
	page := deadLetterPage{shell: shell{Title: "Dead letter", Trail: trail}, Row: newDeadRow(q, letter, names, left)}
	content := openLetter(letter.Body)
	if err := q.lastError(letter.Body); err != nil && firstLine(err.Error()) != err.Error() {
		page.Trouble = left.text(err.Error(), maxValue)
	}
	pairs := []event.Pair{{Key: "Event ID", Value: page.Row.EventID}, {Key: "Queue", Value: q.Name}, {Key: "Id in the queue", Value: letter.ID}}
	add := func(key, value string) { pairs = append(pairs, event.Pair{Key: key, Value: value}) }
	if !letter.DeadAt.IsZero() {
		add("Set aside", letter.DeadAt.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	if m := content.message; m != nil {
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
	if c := content.claim; c != nil {
		add("Bucket", c.Bucket)
		add("Object", c.Key)
	}
	page.Fields = left.known(pairs)
	page.Content, page.IsDump, page.Cut = content.view(left)
	return page
}

// letterContent is what can be told of a dead letter's body.
type letterContent struct {
	raw     []byte
	message *wire.Message // nil: it could not be read
	claim   *wire.Claim   // not nil: the message lies elsewhere
	err     error         // of reading it
}

// openLetter reads the head of a message. The body stays compressed.
func openLetter(body []byte) letterContent {
	c := letterContent{raw: body}
	switch {
	case len(body) == 0:
	case wire.IsClaim(body):
		var claim wire.Claim
		if claim, c.err = wire.DecodeClaim(body); c.err == nil {
			c.claim = &claim
		}
	default:
		c.message, c.err = wire.Decode(body)
	}
	return c
}

// what names the kind of thing in the letter.
func (c letterContent) what() string {
	if c.message == nil {
		return "Message"
	}
	switch c.message.Kind {
	case wire.KindEvent:
		return "Event"
	case wire.KindCSP:
		return "Security report"
	case wire.KindCounts:
		return "Counts of the edge"
	case wire.KindAttachment:
		return "Attachment"
	case wire.KindFeedback, wire.KindUserReport:
		return "User feedback"
	}
	return "Message of kind " + strconv.Itoa(int(c.message.Kind))
}

// why says why the letter is dead, as far as it can be told; last is what the
// digester said, nil if that is not known.
func (c letterContent) why(last error) string {
	switch {
	case errors.Is(last, wire.ErrVersion) || last == nil && (errors.Is(c.err, wire.ErrVersion) || c.message != nil && !isKnown(c.message)):
		return "It was made by an edge that is newer than this digester. Update the digester, then try again."
	case errors.Is(last, wire.ErrCorrupt) || last == nil && errors.Is(c.err, wire.ErrCorrupt):
		return "It is damaged: no program can read it."
	case last != nil:
		return last.Error()
	case c.claim != nil:
		return "It is too large for the queue and lies in object storage, from where it could not be fetched."
	case len(c.raw) == 0:
		return "Its content cannot be had."
	}
	return "Not known to this process. If it fails again after another try, the reason is here."
}

// isKnown reports whether this program can make something of a message.
func isKnown(m *wire.Message) bool {
	return m.Kind >= wire.KindEvent && m.Kind <= wire.KindUserReport && m.Encoding <= wire.EncodingZstdDict1
}

// view returns the content as text: what the client sent, laid out if it is JSON,
// else a dump of the beginning.
func (c letterContent) view(left *budget) (text string, isDump, cut bool) {
	plain, err := c.plain()
	if err != nil || c.message.Kind == wire.KindAttachment { // a file of any bytes
		return hex.Dump(c.raw[:min(len(c.raw), maxDump)]), true, len(c.raw) > maxDump
	}
	if json.Valid(plain) {
		plain, cut = layOut(plain, maxDeadContent)
	}
	cut = cut || len(plain) > maxDeadContent
	return left.text(string(bytes.ToValidUTF8(plain, []byte("\uFFFD"))), maxDeadContent), false, cut
}

// plain returns the message's body decompressed.
func (c letterContent) plain() ([]byte, error) {
	if c.message == nil {
		return nil, errNoLetter
	}
	return wire.NewCodec().Decompress(c.message.Body, c.message.Encoding)
}

// firstLine returns a text up to its first line break.
func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
