package store

import (
	"fmt"

	"sundew/digester/triage"
	"sundew/schema/event"
)

// maxReleaseName is in bytes; what clients send is cut to as much.
const maxReleaseName = 200

// Resolve resolves issues and returns those that it changed. Of triage.ResolvedNext
// the release is looked up, of triage.ResolvedIn it has to be given. A person is named
// by id, 0 is the program; the same goes for all actions. See choose for which issues
// are meant.
func (tx *Tx) Resolve(issues []int64, how triage.Resolution, by int64) ([]int64, error) {
	switch how.Kind {
	case triage.ResolvedNow, triage.ResolvedNext:
		how.Release = ""
	case triage.ResolvedIn:
		if how.Release == "" || len(how.Release) > maxReleaseName {
			return nil, fmt.Errorf("%w release: name the one in which it is resolved, in at most %d characters", ErrInvalid, maxReleaseName)
		}
	default:
		return nil, fmt.Errorf("%w: no such way to resolve", ErrInvalid)
	}
	newest := make(map[event.ProjectID]string)
	return tx.each(issues, func(a acted) (bool, error) {
		how := how
		if how.Kind == triage.ResolvedNext {
			release, known := newest[a.project]
			if !known {
				var err error
				if release, err = tx.newestRelease(a.project); err != nil {
					return false, err
				}
				newest[a.project] = release
			}
			how.Release = release
		}
		return tx.changed(a.id, HistoryResolved, by, Detail{Resolve: how.Kind, Release: how.Release}, `
			UPDATE issues SET state = 1, resolved_at = ?, resolve_kind = ?, resolve_release = ?, `+unmuted+`, revision = revision + 1
			WHERE id = ? AND (state <> 1 OR resolve_kind <> ? OR resolve_release <> ?)`,
			ms(tx.now), int64(how.Kind), how.Release, a.id, int64(how.Kind), how.Release)
	})
}

// Reopen opens issues that are resolved or muted and returns those that it changed.
func (tx *Tx) Reopen(issues []int64, by int64) ([]int64, error) {
	return tx.each(issues, func(a acted) (bool, error) {
		return tx.changed(a.id, HistoryReopened, by, Detail{}, `
			UPDATE issues SET `+undecided+`, revision = revision + 1 WHERE id = ? AND state <> 0`, a.id)
	})
}
