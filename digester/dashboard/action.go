package dashboard

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"sundew/digester/access"
	"sundew/digester/store"
	"sundew/digester/triage"
	"sundew/schema/event"
)

// verb is what a person can do to issues. They are in the paths of an issue's forms,
// in the field "do" of the form of a list, and in the audit log.
type verb string

const (
	doResolve verb = "resolve"
	doMute    verb = "mute"
	doReopen  verb = "reopen"
	doAssign  verb = "assign"
	doMerge   verb = "merge"
	doUnmerge verb = "unmerge"
	doDelete  verb = "delete"
	doRestore verb = "restore"
)

// verbs are all of them.
func verbs() []verb {
	return []verb{doResolve, doMute, doReopen, doAssign, doMerge, doUnmerge, doDelete, doRestore}
}

// least is the role that a verb needs: members do everything that can be undone for
// as long as anybody likes, and only admins delete.
func (v verb) least() access.Role {
	if v == doDelete || v == doRestore {
		return access.Admin
	}
	return access.Member
}

// action is a verb with all that it needs to know but the issues.
type action struct {
	verb    verb
	resolve triage.Resolution // of doResolve
	mute    triage.Mute       // of doMute
	assign  store.Assignee    // of doAssign
	head    int64             // of doMerge and doUnmerge: whose members they are
}

// unfit is an action that cannot be done, in words for who asked for it.
type unfit struct{ words string }

func (e *unfit) Error() string { return e.words }

// parseAction reads a form. What is done is in its field "do", a verb or one with
// more, as in "mute:1h"; without it the verb is the fallback. The error is errForm or
// *unfit.
func parseAction(form url.Values, fallback verb, me int64, now time.Time) (action, error) {
	text := form.Get("do")
	if text == "" {
		text = string(fallback)
	}
	name, how, _ := strings.Cut(text, ":")
	a := action{verb: verb(name)}
	var err error
	switch a.verb {
	case doResolve:
		a.resolve, err = parseResolution(how, form)
	case doMute:
		a.mute, err = parseMute(how, form, now)
	case doAssign:
		a.assign, err = parseAssignee(how, form, me)
	case doUnmerge:
		a.head, err = strconv.ParseInt(form.Get("head"), 10, 64)
	case doReopen, doMerge, doDelete, doRestore:
	default:
		return a, errForm
	}
	var known *unfit
	if err != nil && !errors.As(err, &known) {
		err = errors.Join(errForm, err)
	}
	return a, err
}

func parseResolution(how string, form url.Values) (triage.Resolution, error) {
	switch how {
	case "":
		return triage.Resolution{}, nil
	case "next":
		return triage.Resolution{Kind: triage.ResolvedNext}, nil
	case "in":
		release := strings.TrimSpace(form.Get("release"))
		if release == "" {
			return triage.Resolution{}, &unfit{"Choose the release in which it is resolved."}
		}
		return triage.Resolution{Kind: triage.ResolvedIn, Release: release}, nil
	}
	return triage.Resolution{}, errForm
}

// muteSpan is a time for which an issue can be muted.
type muteSpan struct {
	Name, Text string
	length     time.Duration
}

// MuteSpans are what forms offer.
func muteSpans() []muteSpan {
	const day = 24 * time.Hour
	return []muteSpan{{"1h", "1 hour", time.Hour}, {"8h", "8 hours", 8 * time.Hour}, {"1d", "1 day", day}, {"1w", "1 week", 7 * day}, {"1m", "1 month", 30 * day}, {"3m", "3 months", 90 * day}}
}

func parseMute(how string, form url.Values, now time.Time) (triage.Mute, error) {
	for _, s := range muteSpans() {
		if s.Name == how {
			return triage.Mute{Kind: triage.MuteUntil, Until: now.Add(s.length)}, nil
		}
	}
	switch how {
	case "", "forever":
		return triage.Mute{Kind: triage.MuteForever}, nil
	case "worse":
		return triage.Mute{Kind: triage.MuteWorse}, nil
	case "events":
		return parseMuteEvents(form)
	}
	return triage.Mute{}, errForm
}

// parseMuteEvents reads a number of events and the period within which they count.
func parseMuteEvents(form url.Values) (triage.Mute, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(form.Get("events")), 10, 64)
	if err != nil || n < 1 || n > triage.MaxMuteEvents {
		return triage.Mute{}, &unfit{fmt.Sprintf("The number of events has to be from 1 to %s.", formatCount(triage.MaxMuteEvents))}
	}
	m := triage.Mute{Kind: triage.MuteRate, Events: n}
	switch form.Get("period") {
	case "hour":
		m.Period = time.Hour
	case "day":
		m.Period = 24 * time.Hour
	case "week":
		m.Period = 7 * 24 * time.Hour
	case "ever":
		m.Kind = triage.MuteMore
	default:
		return m, errForm
	}
	return m, nil
}

// parseAssignee reads to whom: "me", "nobody", or "to" with the field "to", which is
// "user:1", "team:1" or one of the others.
func parseAssignee(how string, form url.Values, me int64) (store.Assignee, error) {
	if how == "to" || how == "" {
		how = form.Get("to")
	}
	switch how {
	case "me":
		return store.Assignee{User: me}, nil
	case "nobody":
		return store.Assignee{}, nil
	}
	kind, number, _ := strings.Cut(how, ":")
	id, err := strconv.ParseInt(number, 10, 64)
	if err != nil || id < 1 {
		return store.Assignee{}, errForm
	}
	switch kind {
	case "user":
		return store.Assignee{User: id}, nil
	case "team":
		return store.Assignee{Team: id}, nil
	}
	return store.Assignee{}, errForm
}

// perform does it to issues and returns those that it changed. The error is *unfit
// where it cannot be done.
func (a action) perform(tx *store.Tx, issues []int64, by int64) ([]int64, error) {
	changed, err := a.run(tx, issues, by)
	if !errors.Is(err, store.ErrInvalid) {
		return changed, err
	}
	switch {
	case len(issues) > store.MaxActed:
		return nil, &unfit{fmt.Sprintf("At most %d issues can be changed at a time.", store.MaxActed)}
	case a.verb == doMerge:
		return nil, &unfit{"Only issues of one project can be merged."}
	case a.verb == doResolve:
		return nil, &unfit{"The name of the release is too long."}
	case a.verb == doAssign:
		return nil, &unfit{"There is no such person or team any more."}
	}
	return nil, err
}

func (a action) run(tx *store.Tx, issues []int64, by int64) ([]int64, error) {
	switch a.verb {
	case doResolve:
		return tx.Resolve(issues, a.resolve, by)
	case doMute:
		return tx.Mute(issues, a.mute, by)
	case doReopen:
		return tx.Reopen(issues, by)
	case doAssign:
		return tx.Assign(issues, a.assign, by)
	case doMerge:
		return tx.Merge(a.head, issues, by)
	case doUnmerge:
		return tx.Unmerge(a.head, issues, by)
	case doDelete:
		return tx.DeleteIssues(issues, by)
	case doRestore:
		return tx.Restore(issues, by)
	}
	return nil, errForm
}

// checkAssignee returns *unfit unless all of some projects are seen by whom their
// issues are to be assigned to.
func checkAssignee(rx *store.Rx, to store.Assignee, projects map[event.ProjectID]bool) error {
	cannot := &unfit{"An issue can be assigned to people who see its project, and to its team."}
	var person access.Person
	if to.User != 0 {
		user, err := rx.User(to.User)
		if errors.Is(err, store.ErrNotFound) || err == nil && !user.DisabledAt.IsZero() {
			return cannot
		}
		if err != nil {
			return err
		}
		if person, err = rx.Person(to.User); err != nil {
			return err
		}
	}
	for id := range projects {
		if to.User != 0 && person.In(id) < access.Viewer {
			return cannot
		}
		if to.Team == 0 {
			continue
		}
		project, err := rx.Project(id)
		if err != nil {
			return err
		}
		if project.TeamID != to.Team {
			return cannot
		}
	}
	return nil
}
