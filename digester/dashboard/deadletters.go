package dashboard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"sundew/digester/access"
	"sundew/digester/queue"
	"sundew/digester/store"
	"sundew/schema/event"
)

// DeadLetters is what a queue set aside.
type DeadLetters interface {
	// DeadLetters returns dead letters, at most limit.
	DeadLetters(ctx context.Context, limit int) ([]queue.DeadLetter, error)
	// Redrive puts dead letters back, as if never delivered, and returns how many
	// there were; ids of none are skipped.
	Redrive(ctx context.Context, ids []string) (int, error)
}

// DeadQueue is a queue whose dead letters have a page.
type DeadQueue struct {
	Name    string // unique: "local", or the queue's region
	Letters DeadLetters

	// LastError says why a message, given as the queue delivers it, could not be
	// digested; nil where that is not known. The function may be nil.
	LastError func(body []byte) error
}

const (
	// deadShown is how many letters of a queue the page has.
	deadShown = 50
	// deadAnswer bounds how long the page waits for a queue.
	deadAnswer = 5 * time.Second
	// deadRedrive bounds how long putting all back may take; the rest stays.
	deadRedrive = time.Minute
)

// deadLettersPage lists the dead letters of every queue.
type deadLettersPage struct {
	shell
	Queues  []deadGroup
	None    bool // no queue has any
	Retried string
}

// deadGroup is one queue of the page.
type deadGroup struct {
	Name   string
	Rows   []deadRow
	More   bool // there are more than are shown
	Failed bool // the queue did not answer
}

// deadRow is one dead letter of the list.
type deadRow struct {
	Queue, ID   string
	Project     event.ProjectID // zero: there is no such project
	ProjectName string          // empty: it cannot be told
	What        string          // "Event", or else what it is
	EventID     string          // empty: none could be told
	ReceivedAt  time.Time
	Receives    int64
	Size        string
	Why         string
}

// deadAnswers is what each queue answered, in the order of Config.Dead.
type deadAnswers []struct {
	letters []queue.DeadLetter
	err     error
}

// readDead asks all queues at once, because one that is unreachable must not hide
// the others.
func (d *Dashboard) readDead(ctx context.Context) deadAnswers {
	ctx, cancel := context.WithTimeout(ctx, deadAnswer)
	defer cancel()
	answers := make(deadAnswers, len(d.cfg.Dead))
	var asking sync.WaitGroup
	for i, q := range d.cfg.Dead {
		asking.Go(func() {
			answers[i].letters, answers[i].err = q.Letters.DeadLetters(ctx, deadShown+1)
		})
	}
	asking.Wait()
	for i, q := range d.cfg.Dead {
		if err := answers[i].err; err != nil {
			d.cfg.Log.Error().Err(err).Str("queue", q.Name).Msg("reading dead letters failed")
		}
	}
	return answers
}

// serveDeadLetters is GET /dead-letters. The queues are read before the page's
// transaction begins: they may be far away, and a transaction is short.
func (d *Dashboard) serveDeadLetters(w http.ResponseWriter, r *http.Request) {
	answers := d.readDead(r.Context())
	d.read(w, r, ofInstallation(access.Admin), func(rx *store.Rx, r *http.Request) (reply, error) { return d.showDeadLetters(rx, r, answers) })
}

func (d *Dashboard) showDeadLetters(rx *store.Rx, r *http.Request, answers deadAnswers) (reply, error) {
	names, err := projectNames(rx)
	if err != nil {
		return reply{}, err
	}
	page := deadLettersPage{shell: shell{Title: "Dead letters", Trail: d.deadTrail()}, None: true, Retried: retriedWords(r)}
	left := newBudget()
	for i, q := range d.cfg.Dead {
		group := deadGroup{Name: q.Name, Failed: answers[i].err != nil, More: len(answers[i].letters) > deadShown}
		for _, letter := range answers[i].letters[:min(len(answers[i].letters), deadShown)] {
			group.Rows = append(group.Rows, newDeadRow(q, letter, names, left))
		}
		page.None = page.None && len(group.Rows) == 0 && !group.Failed
		page.Queues = append(page.Queues, group)
	}
	return show("deadletters", page), nil
}

// newDeadRow reads no more of a letter than the message's head: the content of a
// dead letter is the last that one should meddle with unasked.
func newDeadRow(q DeadQueue, letter queue.DeadLetter, names map[event.ProjectID]string, left *budget) deadRow {
	content := openLetter(letter.Body)
	row := deadRow{
		Queue: q.Name, ID: letter.ID, What: content.what(), ReceivedAt: letter.SentAt,
		Receives: int64(letter.Receives), Size: formatSize(int64(len(letter.Body))),
		Why: left.text(firstLine(content.why(q.lastError(letter.Body))), maxLine),
	}
	if m := content.message; m != nil {
		row.ReceivedAt = m.ReceivedAt
		if !m.EventID.IsZero() {
			row.EventID = m.EventID.String()
		}
		if m.Project != 0 {
			row.ProjectName = projectName(names, m.Project)
		}
		if names[m.Project] != "" {
			row.Project = m.Project
		}
	}
	return row
}

// lastError is LastError of a queue that may have none.
func (q DeadQueue) lastError(body []byte) error {
	if q.LastError == nil {
		return nil
	}
	return q.LastError(body)
}

// retriedWords says what a form has done that led here.
func retriedWords(r *http.Request) string {
	n, err := strconv.ParseInt(r.URL.Query().Get("retried"), 10, 64)
	switch {
	case err != nil || n < 0:
		return ""
	case n == 0:
		return "Nothing was put back: there is no such dead letter any more."
	case n == 1:
		return "1 message is back in the queue. If it fails again, it returns to this page after its deliveries."
	}
	return formatCount(n) + " messages are back in the queue. Those that fail again return to this page after their deliveries."
}

// retryDeadLetters is POST /dead-letters/retry. It writes to a queue and not to the
// database, so there is no transaction.
func (d *Dashboard) retryDeadLetters(w http.ResponseWriter, r *http.Request) {
	if err := parseForm(w, r); err != nil {
		d.fail(w, r, err)
		return
	}
	q, err := d.deadQueue(r.PostFormValue("queue"))
	if err != nil {
		d.fail(w, r, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), deadRedrive)
	defer cancel()
	var moved int
	switch ids := r.PostForm["id"]; {
	case r.PostFormValue("all") != "":
		moved, err = redriveAll(ctx, q.Letters)
	case len(ids) > 0:
		moved, err = q.Letters.Redrive(ctx, ids)
	default:
		err = errForm
	}
	if err != nil && !errors.Is(err, errForm) {
		err = fmt.Errorf("%w: %s: %w", errQueue, q.Name, err)
	}
	if moved > 0 {
		// The queue has them already, whatever becomes of the note.
		r, errNote := d.write(w, r, "dead letters retried", open, func(tx *store.Tx, r *http.Request) error {
			return d.audit(tx, r, store.AuditEntry{Action: "dead-letter.retry", Subject: formatCounted(int64(moved), "message"), Detail: "queue " + q.Name})
		})
		if errNote != nil {
			d.cfg.Log.Error().Err(errNote).Int64("user", who(r).ID).Int("messages", moved).Msg("dead letters were put back, and the audit log does not have it")
		}
	}
	var rep reply
	if err == nil {
		rep = redirect(d.links.retried(moved))
	}
	d.answer(w, r, rep, err)
}

// redriveAll puts back what is among the dead letters, each of them once: those
// that die again meanwhile stay.
func redriveAll(ctx context.Context, letters DeadLetters) (moved int, err error) {
	tried := make(map[string]bool)
	for {
		found, err := letters.DeadLetters(ctx, deadShown)
		if err != nil {
			return moved, err
		}
		var ids []string
		for _, letter := range found {
			if !tried[letter.ID] {
				tried[letter.ID] = true
				ids = append(ids, letter.ID)
			}
		}
		if len(ids) == 0 {
			return moved, nil
		}
		n, err := letters.Redrive(ctx, ids)
		moved += n
		if err != nil {
			return moved, err
		}
	}
}

// deadQueue returns the queue of a name, store.ErrNotFound if there is none.
func (d *Dashboard) deadQueue(name string) (DeadQueue, error) {
	for _, q := range d.cfg.Dead {
		if q.Name == name {
			return q, nil
		}
	}
	return DeadQueue{}, store.ErrNotFound
}

// deadTrail returns the crumbs above the dead letters' page.
func (d *Dashboard) deadTrail() []crumb {
	if d.cfg.Ledger == nil {
		return d.trail()
	}
	return append(d.trail(), crumb{Text: "Ledger", URL: d.links.ledger(0)})
}

// projectNames returns the names of all projects.
func projectNames(rx *store.Rx) (map[event.ProjectID]string, error) {
	projects, err := rx.Projects()
	if err != nil {
		return nil, err
	}
	names := make(map[event.ProjectID]string, len(projects))
	for _, p := range projects {
		names[p.ID] = p.Name
	}
	return names, nil
}

// projectName names a project that may not exist.
func projectName(names map[event.ProjectID]string, id event.ProjectID) string {
	if name := names[id]; name != "" {
		return name
	}
	return "Project " + strconv.FormatInt(int64(id), 10) + " (does not exist)"
}
