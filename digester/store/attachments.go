package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sundew/schema/event"
	"sundew/schema/wire"
)

// Attachment is a file that a client sent with an event or with feedback. Its texts are
// the client's: for people to read, never to act upon.
type Attachment struct {
	ID          int64 // digest order
	ProjectID   event.ProjectID
	EventID     event.ID // the SDK's, of what it belongs to
	Name        string
	ContentType string
	Type        string // the protocol's attachment_type, mostly empty
	Size        int64  // in bytes
	SHA256      [sha256.Size]byte
	ReceivedAt  time.Time
}

const (
	// attachmentPart is how long a part is at most. Constant: it says how many there are.
	attachmentPart = 1 << 20

	// attachmentRows is what a file is charged with besides its body, so that empty
	// ones are not free. The checker knows the number.
	attachmentRows = 1 << 10

	// maxAttachmentList bounds how many files are listed of one event.
	maxAttachmentList = 100

	// What one transaction of EvictAttachments removes at most.
	evictFiles = 200
	evictBytes = 32 << 20
)

// charge is what an attachment adds to its project's attachment_bytes.
func (in *Incoming) charge() int64 { return int64(len(in.Body)) + attachmentRows }

// storeAside is the rest of the plan for what is stored beside events.
func (p *plan) storeAside() error {
	if _, missing := p.cache.missing[p.in.Project]; missing {
		return p.dropUnknownProject()
	}
	p.result = Stored
	if p.in.Feedback != nil {
		if err := p.insertFeedback(); err != nil {
			return err
		}
		return p.outcome(outcomeStored, "")
	}
	if !p.cache.fits(p.in) {
		return p.drop(DropAttachmentRoom, fmt.Sprintf("the attachments of project %d take up more than they may", p.in.Project))
	}
	if err := p.insertAttachment(); err != nil {
		return err
	}
	return p.outcome(outcomeStored, "")
}

// insertAttachment relies on UNIQUE to tell a file that is stored already, and on the
// foreign key for the project.
func (p *plan) insertAttachment() error {
	in, a := p.in, p.in.Attachment
	p.charged = in.charge()
	if err := p.to.assert(`UPDATE projects SET attachment_bytes = CASE WHEN attachment_bytes + ?1 <= ?2 AND deleted_at IS NULL THEN attachment_bytes + ?1 END
		WHERE id = ?3`,
		p.charged, p.cache.maxAttachments, int64(in.Project)); err != nil {
		return err
	}
	if err := p.to.assert(`
		INSERT INTO attachments (project_id, event_id, name, content_type, type, size, bytes, encoding, sha256, received_at, digested_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		int64(in.Project), in.EventID[:], a.Name, a.ContentType, a.Type, a.Size, p.charged, int64(in.Encoding), a.SHA256[:], ms(in.ReceivedAt), p.now); err != nil {
		return err
	}
	part := 0
	for body := range slices.Chunk(in.Body, attachmentPart) {
		// The attachment's id, since parts have no row ids of their own.
		if err := p.to.exec(`INSERT INTO attachment_parts (attachment_id, part, body) VALUES (last_insert_rowid(), ?, ?)`, int64(part), body); err != nil {
			return err
		}
		part++
	}
	return nil
}

// Attachments returns the files of some events or feedback of a project, in the order
// in which they came.
func (rx *Rx) Attachments(project event.ProjectID, of ...event.ID) ([]Attachment, error) {
	if len(of) == 0 {
		return nil, nil
	}
	args := make([]any, 0, len(of)+2)
	for _, id := range of {
		args = append(args, id[:])
	}
	args = append(args, int64(project), maxAttachmentList*len(of))
	// With the plus the planner does not take the index that has the order, and the whole
	// project's files with it.
	return rx.attachments(`WHERE event_id IN (?`+strings.Repeat(", ?", len(of)-1)+`) AND project_id = ? ORDER BY +id LIMIT ?`, args...)
}

func (rx *Rx) attachments(where string, args ...any) ([]Attachment, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT id, project_id, event_id, name, content_type, type, size, sha256, received_at FROM attachments `+where, args...)
	var id, hash []byte
	var received int64
	return collectThen(rows, err, func(a *Attachment) []any {
		return []any{&a.ID, &a.ProjectID, &id, &a.Name, &a.ContentType, &a.Type, &a.Size, &hash, &received}
	}, func(a *Attachment) {
		copy(a.EventID[:], id)
		copy(a.SHA256[:], hash)
		a.ReceivedAt = time.UnixMilli(received).UTC()
	})
}

// AttachmentContent returns a file of a project, ErrNotFound if there is none.
func (rx *Rx) AttachmentContent(project event.ProjectID, id int64) (Attachment, []byte, error) {
	a, err := one(rx.attachments(`WHERE id = ? AND project_id = ?`, id, int64(project)))
	if err != nil {
		return a, nil, err
	}
	var encoding wire.Encoding
	var stored int64
	if err := rx.q.QueryRowContext(rx.ctx, `SELECT encoding, bytes FROM attachments WHERE id = ?`, id).Scan(&encoding, &stored); err != nil {
		return a, nil, err
	}
	body := make([]byte, 0, stored-attachmentRows)
	for part := int64(0); len(body) < cap(body); part++ { // each alone: servers bound their answers too
		var next []byte
		if err := rx.q.QueryRowContext(rx.ctx, `SELECT body FROM attachment_parts WHERE attachment_id = ? AND part = ?`, id, part).Scan(&next); err != nil {
			return a, nil, fmt.Errorf("part %d of attachment %d: %w", part, id, err)
		}
		body = append(body, next...)
	}
	content, err := rx.codec.Decompress(body, encoding)
	if err != nil {
		return a, nil, fmt.Errorf("the stored body of attachment %d: %w", id, err)
	}
	return a, content, nil
}

// EvictAttachments removes the oldest attachments of projects that have more than
// Config.AttachmentBytes of them, in short transactions, and returns how many. Whether
// there are such projects it reads from r.
func (d *DB) EvictAttachments(ctx context.Context, r *Replica) (removed int64, err error) {
	var crowded bool
	if err := r.Read(ctx, func(rx *Rx) (err error) {
		crowded, err = rx.hasCrowded(d.attachmentBytes)
		return err
	}); err != nil || !crowded {
		return 0, err
	}
	for {
		var n int64
		err := d.Write(ctx, "evict attachments", func(tx *Tx) (err error) {
			n, err = tx.evictAttachments(d.attachmentBytes)
			return err
		})
		removed += n
		if err != nil || n == 0 {
			return removed, err
		}
	}
}

// crowdedProject finds a project that has too many attachments.
const crowdedProject = `SELECT id, attachment_bytes FROM projects WHERE attachment_bytes > ? LIMIT 1`

func (rx *Rx) hasCrowded(limit int64) (crowded bool, err error) {
	err = rx.q.QueryRowContext(rx.ctx, `SELECT EXISTS (`+crowdedProject+`)`, limit).Scan(&crowded)
	return crowded, err
}

// evictAttachments removes some of one project.
func (tx *Tx) evictAttachments(limit int64) (removed int64, err error) {
	var project, bytes int64
	err = tx.q.QueryRowContext(tx.ctx, crowdedProject, limit).Scan(&project, &bytes)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return tx.evictFrom(project, bytes, limit)
}

// evictFrom removes a project's oldest attachments until limit is kept, or that is
// enough for a transaction.
func (tx *Tx) evictFrom(project, bytes, limit int64) (removed int64, err error) {
	return tx.evictWhile(project, evictFiles, func(_ storedFile, freed int64) bool { return bytes-freed > limit && freed <= evictBytes })
}

// evictUntil removes a project's oldest attachments that were digested before a time,
// or of these as many as are enough for a short transaction.
func (tx *Tx) evictUntil(project int64, before time.Time) (removed int64, err error) {
	return tx.evictWhile(project, evictFiles/4, func(f storedFile, freed int64) bool { return f.digestedAt < ms(before) && freed <= evictBytes/16 })
}

// storedFile is what removing an attachment needs to know of it.
type storedFile struct{ id, bytes, digestedAt int64 }

// evictWhile removes a project's oldest attachments as long as there is a reason, which
// is told how much went before.
func (tx *Tx) evictWhile(project, limit int64, goes func(f storedFile, freed int64) bool) (removed int64, err error) {
	rows, err := tx.q.QueryContext(tx.ctx, `SELECT id, bytes, digested_at FROM attachments WHERE project_id = ? ORDER BY id LIMIT ?`, project, limit)
	oldest, err := collect(rows, err, func(f *storedFile) []any { return []any{&f.id, &f.bytes, &f.digestedAt} })
	if err != nil {
		return 0, err
	}
	var last, freed int64
	for _, f := range oldest {
		if !goes(f, freed) {
			break
		}
		last, freed = f.id, freed+f.bytes
	}
	if last == 0 {
		return 0, nil
	}
	if _, err := tx.exec(`DELETE FROM attachment_parts WHERE attachment_id IN (SELECT id FROM attachments WHERE project_id = ? AND id <= ?)`, project, last); err != nil {
		return 0, err
	}
	if removed, err = tx.exec(`DELETE FROM attachments WHERE project_id = ? AND id <= ?`, project, last); err != nil {
		return 0, err
	}
	_, err = tx.exec(`UPDATE projects SET attachment_bytes = attachment_bytes - ?, attachments_evicted = attachments_evicted + ? WHERE id = ?`,
		freed, removed, project)
	return removed, err
}
