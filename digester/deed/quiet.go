package deed

import (
	"context"
	"fmt"
	"slices"
	"time"

	"sundew/digester/store"
	"sundew/digester/words"
	"sundew/schema/event"
)

// QuietAfter is for how long an issue has to be without an event to be quiet: what was
// seen later somebody may still look at.
const QuietAfter = 7 * 24 * time.Hour

// QuietChunk is how many issues one transaction resolves: the digester waits no
// longer than that takes.
const QuietChunk = 200

// ResolveQuiet resolves the open issues of a project that were last seen before a
// moment: a read that may take long, then short writes that assert what it found, so
// that an issue with an event in between stays open. Where a write fails, what was
// resolved before it stays so, and the error says how many. It returns how many were
// resolved, and the position of the last write; the error is *Unfit where the moment is
// less than QuietAfter before now.
func ResolveQuiet(ctx context.Context, replica *store.Replica, db *store.DB, by By, project event.ProjectID, before, now time.Time) (resolved int64, position int64, err error) {
	if before.After(now.Add(-QuietAfter)) {
		return 0, 0, Cannot("Only issues that were not seen for 7 days or more are quiet.")
	}
	var quiet []store.QuietIssue
	err = replica.Read(ctx, func(rx *store.Rx) error {
		if _, err := rx.Project(project); err != nil {
			return err
		}
		quiet, err = rx.QuietIssues(project, before)
		return err
	})
	if err != nil {
		return 0, 0, err
	}
	for chunk := range slices.Chunk(quiet, QuietChunk) {
		var n int
		err := db.Write(ctx, "resolve quiet issues", func(tx *store.Tx) (err error) {
			position = tx.Position()
			if n, err = tx.ResolveQuiet(chunk, before, by.Person.ID); err != nil || n == 0 {
				return err
			}
			return by.audit(tx, store.AuditEntry{Action: "issue.quiet", Project: project, Subject: words.Counted(int64(n), "issue")})
		})
		if err != nil {
			return resolved, position, fmt.Errorf("after %d of %d issues: %w", resolved, len(quiet), err)
		}
		resolved += int64(n)
	}
	return resolved, position, nil
}
