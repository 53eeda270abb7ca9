package dashboard

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"sundew/digester/access"
	"sundew/digester/deadletter"
	"sundew/digester/deed"
	"sundew/digester/queue"
	"sundew/digester/store"
	"sundew/schema/event"
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

// readDead asks all queues, and logs what does not answer.
func (d *Dashboard) readDead(ctx context.Context) []deadletter.Answer {
	answers := d.cfg.Dead.Read(ctx)
	for i, q := range d.cfg.Dead {
		if err := answers[i].Err; err != nil {
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

func (d *Dashboard) showDeadLetters(rx *store.Rx, r *http.Request, answers []deadletter.Answer) (reply, error) {
	names, err := projectNames(rx)
	if err != nil {
		return reply{}, err
	}
	page := deadLettersPage{shell: shell{Title: "Dead letters", Trail: d.deadTrail()}, None: true, Retried: retriedWords(r)}
	left := newBudget()
	for i, q := range d.cfg.Dead {
		group := deadGroup{Name: q.Name, Failed: answers[i].Err != nil, More: answers[i].More}
		for _, letter := range answers[i].Letters {
			group.Rows = append(group.Rows, newDeadRow(q, letter, names, left))
		}
		page.None = page.None && len(group.Rows) == 0 && !group.Failed
		page.Queues = append(page.Queues, group)
	}
	return show("deadletters", page), nil
}

// newDeadRow reads no more of a letter than the message's head.
func newDeadRow(q deadletter.Queue, letter queue.DeadLetter, names map[event.ProjectID]string, left *budget) deadRow {
	content := deadletter.Open(letter.Body)
	row := deadRow{
		Queue: q.Name, ID: letter.ID, What: content.What(), ReceivedAt: letter.SentAt,
		Receives: int64(letter.Receives), Size: formatSize(int64(len(letter.Body))),
		Why: left.text(firstLine(content.Why(q.Trouble(letter))), maxLine),
	}
	if m := content.Message; m != nil {
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
	ids := r.PostForm["id"]
	if r.PostFormValue("all") != "" {
		ids = nil
	} else if len(ids) == 0 {
		d.fail(w, r, errForm)
		return
	}
	moved, err := q.Retry(r.Context(), ids)
	if moved > 0 {
		// The queue has them already, whatever becomes of the note.
		r, errNote := d.write(w, r, "dead letters retried", open, func(tx *store.Tx, r *http.Request) error {
			return deed.NoteRetried(tx, d.by(r), moved, q.Name)
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

// deadQueue returns the queue of a name, store.ErrNotFound if there is none.
func (d *Dashboard) deadQueue(name string) (deadletter.Queue, error) {
	q, ok := d.cfg.Dead.Named(name)
	if !ok {
		return q, store.ErrNotFound
	}
	return q, nil
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
