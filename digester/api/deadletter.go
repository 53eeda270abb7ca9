package api

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"sundew/digester/access"
	"sundew/digester/deadletter"
	"sundew/digester/deed"
	"sundew/digester/queue"
	"sundew/digester/store"
)

const (
	maxDeadContent = 256 << 10 // of a letter's content
	maxDeadDump    = 2 << 10   // bytes of it where it is no text
)

// deadLetterRoutes are about messages that were delivered too often without success. A
// letter may be of any project, so they are for admins of the installation.
func (a *API) deadLetterRoutes() {
	const tag, list, own = "Installation", "/organizations/{org}/dead-letters/", "Sundew's own, for admins of the installation."
	look, admin := access.ReadOrg|writeOrg, ofInstallation(access.Admin)
	raw[None, List[DeadQueue]](a, "GET", list, look, admin, Doc{Tag: tag, Summary: "The dead letters of every queue",
		Text: own + " 50 of each queue at most. A queue that does not answer hides no other."}, a.deadLetters)
	raw[None, DeadLetterContent](a, "GET", list+"letter/", look, both(admin, readsEvents), Doc{Tag: tag, Summary: "A dead letter with its content", Text: own + " It is what a client sent, so that a scope for events is needed, too.",
		Query: []Param{{Name: "queue", Text: "name of its queue"}, {Name: "id", Text: "its id, which may have any characters"}}}, a.deadLetter)
	raw[RetryLetters, Retried](a, "POST", list+"retry/", adminOrg, admin, Doc{Tag: tag, Summary: "Put dead letters back into their queue",
		Text: own + " By id, or with all every one that is there. Those that fail again return after their deliveries."}, a.retryDeadLetters)
}

// readsEvents lets tokens in that may read events.
func readsEvents(_ *store.Rx, r *request) error { return r.needs(readEvents) }

// DeadQueue is a queue with what it set aside.
type DeadQueue struct {
	Name    string           `json:"name"` // local, or a region
	Letters List[DeadLetter] `json:"letters"`
	More    bool             `json:"more"`    // there are more than are answered
	Answers bool             `json:"answers"` // false: the queue did not
}

// DeadLetter is a message that was delivered too often without success.
type DeadLetter struct {
	ID           string `json:"id"`
	Queue        string `json:"queue"`
	What         string `json:"what"`      // Event, Attachment, …
	ProjectID    string `json:"projectId"` // empty: it cannot be told
	EventID      string `json:"eventID"`   // likewise
	DateReceived Time   `json:"dateReceived"`
	DateDead     Time   `json:"dateDead"` // null where the queue does not say
	Deliveries   int64  `json:"deliveries"`
	Size         int64  `json:"size"` // bytes
	Why          string `json:"why"`  // it is dead
}

// DeadLetterContent is a letter with what the client sent.
type DeadLetterContent struct {
	DeadLetter
	Region      string `json:"region"`
	Release     string `json:"release"`
	Environment string `json:"environment"`
	Client      string `json:"client"`
	Address     string `json:"address"`
	Content     string `json:"content"`   // as it was sent; of what is no text the beginning in hexadecimal digits
	IsHex       bool   `json:"isHex"`     //
	Truncated   bool   `json:"truncated"` // there is more
}

// RetryLetters says which letters are put back.
type RetryLetters struct {
	Queue string   `json:"queue"`
	IDs   []string `json:"ids"`
	All   bool     `json:"all"` // in place of ids
}

// Retried is how many were put back.
type Retried struct {
	Retried int `json:"retried"`
}

func letterView(q deadletter.Queue, letter queue.DeadLetter, content deadletter.Content) DeadLetter {
	view := DeadLetter{
		ID: letter.ID, Queue: q.Name, What: content.What(), DateReceived: Time{letter.SentAt}, DateDead: Time{letter.DeadAt}, Deliveries: int64(letter.Receives),
		Size: int64(len(letter.Body)), Why: content.Why(q.Trouble(letter)),
	}
	if m := content.Message; m != nil {
		view.DateReceived = Time{m.ReceivedAt}
		if m.Project != 0 {
			view.ProjectID = projectNumber(m.Project)
		}
		if !m.EventID.IsZero() {
			view.EventID = m.EventID.String()
		}
	}
	return view
}

func (a *API) deadLetters(w http.ResponseWriter, r *request) error {
	if a.cfg.DB == nil {
		return errReadOnly
	}
	var views List[DeadQueue]
	for i, answer := range a.cfg.Dead.Read(r.Context()) {
		q := a.cfg.Dead[i]
		view := DeadQueue{Name: q.Name, More: answer.More, Answers: answer.Err == nil}
		if answer.Err != nil {
			a.cfg.Log.Error().Err(answer.Err).Str("queue", q.Name).Msg("reading dead letters failed")
		}
		for _, letter := range answer.Letters {
			view.Letters = append(view.Letters, letterView(q, letter, deadletter.Open(letter.Body)))
		}
		views = append(views, view)
	}
	r.send(w, views)
	return nil
}

// deadQueue is the queue of a name.
func (a *API) deadQueue(name string) (deadletter.Queue, error) {
	if a.cfg.DB == nil {
		return deadletter.Queue{}, errReadOnly
	}
	q, ok := a.cfg.Dead.Named(name)
	if !ok {
		return q, &Problem{http.StatusNotFound, fmt.Sprintf("There is no queue %.80q", name)}
	}
	return q, nil
}

func (a *API) deadLetter(w http.ResponseWriter, r *request) error {
	q, err := a.deadQueue(r.query("queue"))
	if err != nil {
		return err
	}
	letter, err := q.Find(r.Context(), r.query("id"))
	if errors.Is(err, deadletter.ErrNone) {
		return &Problem{http.StatusNotFound, "There is no such dead letter, or it is not among the first of its queue"}
	}
	if err != nil {
		return err
	}
	content := deadletter.Open(letter.Body)
	view := DeadLetterContent{DeadLetter: letterView(q, letter, content)}
	if m := content.Message; m != nil {
		view.Region, view.Release, view.Environment, view.Client, view.Address = m.Region, m.Release, m.Environment, m.Client, m.RemoteIP
	}
	if text, err := content.Text(); err == nil {
		view.Content, view.Truncated = strings.ToValidUTF8(string(text[:min(len(text), maxDeadContent)]), "\uFFFD"), len(text) > maxDeadContent
	} else {
		view.Content, view.IsHex, view.Truncated = hex.EncodeToString(letter.Body[:min(len(letter.Body), maxDeadDump)]), true, len(letter.Body) > maxDeadDump
	}
	r.send(w, view)
	return nil
}

// retryDeadLetters writes to a queue and then, since that has them already, what it did
// into the audit log.
func (a *API) retryDeadLetters(w http.ResponseWriter, r *request) error {
	in, err := decode[RetryLetters](w, r)
	if err != nil {
		return err
	}
	q, err := a.deadQueue(in.Queue)
	if err != nil {
		return err
	}
	if in.All == (len(in.IDs) > 0) {
		return bad("ids names letters, or all is true: one of both")
	}
	moved, err := q.Retry(r.Context(), in.IDs)
	if moved > 0 {
		errNote := a.write(r, "dead letters retried by API", func(tx *store.Tx) error { return deed.NoteRetried(tx, r.by(), moved, q.Name) })
		if errNote != nil {
			a.cfg.Log.Error().Err(errNote).Int64("user_id", r.person.ID).Int("messages", moved).Msg("dead letters were put back, and the audit log does not have it")
		}
	}
	if err == nil {
		r.send(w, Retried{moved})
	}
	return err
}
