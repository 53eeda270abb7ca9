package store

import "sundew/digester/search"

// TextDue is an issue whose text is not in the index of texts, or is that of an old
// event.
type TextDue struct {
	Issue   int64
	Event   int64 // of which the text is to be made; it may be gone
	Title   string
	Culprit string
}

// IssueText is the text by which an issue is found.
type IssueText struct {
	Due  TextDue
	Text string // empty: nothing finds it
}

// noteText has the issue's text indexed, behind the digest: with its first event,
// and whenever the count of its events has doubled.
func (p *plan) noteText() error {
	if n := p.issue.events; n&(n-1) != 0 {
		return nil
	}
	return p.to.exec(`
		INSERT INTO issue_texts_due (issue_id, event_id) VALUES (?, ?)
		ON CONFLICT DO UPDATE SET event_id = excluded.event_id`, p.issue.id, p.ids.event)
}

// TextsDue returns the newest issues whose text has to be indexed.
func (rx *Rx) TextsDue(limit int) ([]TextDue, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT d.issue_id, d.event_id, i.title, i.culprit FROM issue_texts_due d JOIN issues i ON i.id = d.issue_id
		ORDER BY d.issue_id DESC LIMIT ?`, limit)
	return collect(rows, err, func(d *TextDue) []any { return []any{&d.Issue, &d.Event, &d.Title, &d.Culprit} })
}

// IndexTexts puts texts into the index, in place of what it had of these issues. An
// issue that became due again meanwhile stays so.
func (tx *Tx) IndexTexts(texts []IssueText) error {
	for _, t := range texts {
		n, err := tx.exec(`DELETE FROM issue_texts_due WHERE issue_id = ? AND event_id = ?`, t.Due.Issue, t.Due.Event)
		if err != nil {
			return err
		}
		if n == 0 {
			continue
		}
		if _, err := tx.exec(`DELETE FROM issue_texts WHERE rowid = ?`, t.Due.Issue); err != nil {
			return err
		}
		if t.Text == "" {
			continue
		}
		if _, err := tx.exec(`INSERT INTO issue_texts (rowid, text) VALUES (?, ?)`, t.Due.Issue, search.Fold(t.Text)); err != nil {
			return err
		}
	}
	return nil
}
