package api

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"sundew/digester/deed"
	"sundew/digester/store"
	"sundew/digester/triage"
	"sundew/schema/event"
)

// bulkParams say which issues are meant.
func bulkParams() []Param {
	return append([]Param{{Name: "id", Text: "number or short id of an issue", Many: true}}, listParams()[:1]...)
}

// IssueChange is what is to become of issues. What is not there stays as it is; what
// Sundew does not keep of issues (hasSeen, isBookmarked, isSubscribed, priority) is
// passed over.
type IssueChange struct {
	Status        string          `json:"status"` // resolved, resolvedInNextRelease, unresolved, ignored
	StatusDetails *ChangeDetails  `json:"statusDetails"`
	Substatus     string          `json:"substatus"`  // with ignored: archived_until_escalating, archived_forever
	AssignedTo    Maybe[string]   `json:"assignedTo"` // user:1, team:1, #team, a mail address; null or empty: nobody
	Merge         json.RawMessage `json:"merge"`      // 1 or true: make one of those that are named
	Discard       bool            `json:"discard"`    // not something Sundew has
}

// ChangeDetails is how issues are resolved or muted.
type ChangeDetails struct {
	InRelease        string          `json:"inRelease"` // its name, or "latest"
	InNextRelease    bool            `json:"inNextRelease"`
	InCommit         json.RawMessage `json:"inCommit"`
	IgnoreDuration   int64           `json:"ignoreDuration"` // minutes
	IgnoreUntil      string          `json:"ignoreUntil"`    // ISO 8601
	IgnoreCount      int64           `json:"ignoreCount"`
	IgnoreWindow     int64           `json:"ignoreWindow"` // minutes
	IgnoreUserCount  int64           `json:"ignoreUserCount"`
	IgnoreUserWindow int64           `json:"ignoreUserWindow"`
}

// Maybe is a value that may be null, or not there at all.
type Maybe[T any] struct {
	Set   bool
	Value T // zero if it is null
}

// UnmarshalJSON implements json.Unmarshaler.
func (m *Maybe[T]) UnmarshalJSON(text []byte) error {
	m.Set = true
	return json.Unmarshal(text, &m.Value)
}

// Changed is what became of several issues.
type Changed struct {
	Status        string         `json:"status,omitempty"`
	StatusDetails *StatusDetails `json:"statusDetails,omitempty"`
	Substatus     string         `json:"substatus,omitempty"`
	AssignedTo    *Actor         `json:"assignedTo,omitempty"`
	Merge         *Merged        `json:"merge,omitempty"`
}

// Merged says which issues are one now.
type Merged struct {
	Parent   string       `json:"parent"`
	Children List[string] `json:"children"`
}

// actions are the deeds that a change stands for, in their order.
func (c IssueChange) actions(rx *store.Rx, r *request) ([]deed.Action, error) {
	var all []deed.Action
	if c.Discard {
		return nil, &Problem{404, "Discarding issues is not something Sundew has"}
	}
	if c.Status != "" {
		a, err := c.status(rx, r)
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	if c.AssignedTo.Set {
		to, err := assigneeNamed(rx, r, strings.TrimSpace(c.AssignedTo.Value))
		if err != nil {
			return nil, err
		}
		all = append(all, deed.Action{Verb: deed.Assign, Assign: to})
	}
	if merge := string(c.Merge); merge == "1" || merge == "true" {
		all = append(all, deed.Action{Verb: deed.Merge})
	}
	return all, nil
}

// status is the deed that a status stands for.
func (c IssueChange) status(rx *store.Rx, r *request) (deed.Action, error) {
	details := ChangeDetails{}
	if c.StatusDetails != nil {
		details = *c.StatusDetails
	}
	switch c.Status {
	case "unresolved", "reprocessing":
		return deed.Action{Verb: deed.Reopen}, nil
	case "resolvedInNextRelease":
		details.InNextRelease = true
		fallthrough
	case "resolved":
		how, err := details.resolution(rx, r)
		return deed.Action{Verb: deed.Resolve, Resolve: how}, err
	case "ignored", "muted", "archived":
		how, err := details.mute(c.Substatus, r.api.cfg.Now())
		return deed.Action{Verb: deed.Mute, Mute: how}, err
	}
	return deed.Action{}, bad(fmt.Sprintf("There is no status %.40q: it is resolved, resolvedInNextRelease, unresolved or ignored.", c.Status))
}

func (d ChangeDetails) resolution(rx *store.Rx, r *request) (triage.Resolution, error) {
	switch {
	case len(d.InCommit) > 0 && string(d.InCommit) != "null":
		return triage.Resolution{}, &Problem{404, "Resolving in a commit is not something Sundew has: name a release"}
	case d.InNextRelease:
		return triage.Resolution{Kind: triage.ResolvedNext}, nil
	case d.InRelease == "":
		return triage.Resolution{}, nil
	case d.InRelease != "latest":
		return triage.Resolution{Kind: triage.ResolvedIn, Release: d.InRelease}, nil
	case r.project.ID == 0:
		return triage.Resolution{}, bad("The latest release is one of a project: name the release.")
	}
	names, err := rx.ReleaseNames(r.project.ID, 1)
	if err != nil || len(names) == 0 {
		return triage.Resolution{}, cmp.Or(err, bad("The project has no release."))
	}
	return triage.Resolution{Kind: triage.ResolvedIn, Release: names[0]}, nil
}

func (d ChangeDetails) mute(substatus string, now time.Time) (triage.Mute, error) {
	m := triage.Mute{Kind: triage.MuteForever}
	switch {
	case d.IgnoreUserCount != 0 || d.IgnoreUserWindow != 0:
		return m, &Problem{404, "Muting by a number of users is not something Sundew has: by one of events is"}
	case d.IgnoreDuration != 0:
		length, err := deed.Minutes("ignoreDuration", d.IgnoreDuration, triage.MaxMuteTime)
		return triage.Mute{Kind: triage.MuteUntil, Until: now.Add(length)}, err
	case d.IgnoreUntil != "":
		until, ok := parseMoment(d.IgnoreUntil)
		if !ok {
			return m, bad("ignoreUntil has to be a time in ISO 8601.")
		}
		m = triage.Mute{Kind: triage.MuteUntil, Until: until}
	case d.IgnoreCount != 0 && d.IgnoreWindow != 0:
		period, err := deed.Minutes("ignoreWindow", d.IgnoreWindow, triage.MaxMutePeriod)
		return triage.Mute{Kind: triage.MuteRate, Events: d.IgnoreCount, Period: period}, err
	case d.IgnoreCount != 0:
		m = triage.Mute{Kind: triage.MuteMore, Events: d.IgnoreCount}
	case substatus == "archived_until_escalating":
		m.Kind = triage.MuteWorse
	}
	return m, nil
}

// assigneeNamed is who is meant by what tools call people and teams.
func assigneeNamed(rx *store.Rx, r *request, name string) (store.Assignee, error) {
	nobody := bad(fmt.Sprintf("There is nobody called %.100q: want user:1, team:1, #team, me or a mail address.", name))
	kind, text, _ := strings.Cut(name, ":")
	id, err := strconv.ParseInt(text, 10, 64)
	switch {
	case name == "":
		return store.Assignee{}, nil
	case name == "me" && r.person.ID != 0:
		return store.Assignee{User: r.person.ID}, nil
	case kind == "user" && err == nil:
		return store.Assignee{User: id}, nil
	case kind == "team" && err == nil:
		return store.Assignee{Team: id}, nil
	case name[0] == '#' || kind == "team":
		slug := strings.TrimPrefix(strings.TrimPrefix(name, "team:"), "#")
		teams, err := rx.Teams()
		at := slices.IndexFunc(teams, func(t store.Team) bool { return t.Slug == slug })
		if err != nil || at < 0 {
			return store.Assignee{}, cmp.Or(err, nobody)
		}
		return store.Assignee{Team: teams[at].ID}, nil
	}
	user, err := rx.UserByEmail(strings.TrimPrefix(name, "user:"))
	if errors.Is(err, store.ErrNotFound) {
		return store.Assignee{}, nobody
	}
	return store.Assignee{User: user.ID}, err
}

// by is who does what a request asks for.
func (r *request) by() deed.By {
	return deed.By{Person: r.person, Address: r.api.cfg.Address(r.Request)}
}

// do does what a change asks for to issues that the token may do it to. Of what it
// may not, it is an error only if nothing is left.
func (c IssueChange) do(tx *store.Tx, r *request, ids []int64) (*Merged, error) {
	actions, err := c.actions(&tx.Rx, r)
	if err != nil {
		return nil, err
	}
	var merged *Merged
	for _, a := range actions {
		done, err := doAll(tx, r, a, ids)
		if err != nil {
			return nil, err
		}
		if a.Verb == deed.Merge {
			merged = &Merged{Parent: number(done.Head)}
			for _, id := range done.Changed {
				merged.Children = append(merged.Children, number(id))
			}
		}
	}
	return merged, nil
}

// doAll does one thing to those of some issues that the token may do it to.
func doAll(tx *store.Tx, r *request, a deed.Action, chosen []int64) (deed.Done, error) {
	if len(chosen) > store.MaxActed {
		return deed.Done{}, deed.TooMany()
	}
	ids, denied, err := deed.Allowed(&tx.Rx, r.person, a, chosen)
	switch {
	case err != nil:
		return deed.Done{}, err
	case len(ids) == 0 && denied > 0:
		return deed.Done{}, errForbidden
	case len(ids) == 0:
		return deed.Done{}, store.ErrNotFound
	}
	if a.Verb == deed.Merge {
		if a.Head, ids, err = deed.HeadOf(&tx.Rx, ids); err != nil {
			return deed.Done{}, err
		}
	}
	return deed.Do(tx, r.by(), a, ids)
}

// changeIssue is PUT of an issue.
func (a *API) changeIssue(tx *store.Tx, r *request, c IssueChange) (IssueDetails, error) {
	if _, err := c.do(tx, r, []int64{r.issue.ID}); err != nil {
		return IssueDetails{}, err
	}
	var err error
	if r.issue, err = tx.Issue(r.issue.ID); err != nil {
		return IssueDetails{}, err
	}
	return a.issue(&tx.Rx, r)
}

// deleteIssue is DELETE of an issue.
func (a *API) deleteIssue(tx *store.Tx, r *request, _ None) (None, error) {
	_, err := doAll(tx, r, deed.Action{Verb: deed.Delete}, []int64{r.issue.ID})
	return None{}, err
}

// about lets in whom a guard lets in, and looks which issues a list's request is about: in
// the read in which it is let in, since nobody who writes waits for a search.
func (a *API) about(may guard) guard {
	return func(rx *store.Rx, r *request) error {
		if err := may(rx, r); err != nil || r.chosen != nil {
			return err
		}
		projects := []event.ProjectID{r.project.ID}
		if r.project.ID == 0 {
			var err error
			if projects, err = chosenProjects(rx, r); err != nil {
				return err
			}
		}
		ids, err := a.namedIssues(rx, r, projects)
		r.chosen = append([]int64{}, ids...)
		return err
	}
}

// namedIssues are those of the parameter id, of some projects; without any, those that
// the query finds, but no more than can be changed at a time. What is to be deleted has
// to be named: a query that finds more than was meant would be a pity. A change without
// either is about everything, as at Sentry.
func (a *API) namedIssues(rx *store.Rx, r *request, projects []event.ProjectID) ([]int64, error) {
	var ids []int64
	names := r.queries()["id"]
	if len(names) > store.MaxActed {
		return nil, deed.TooMany()
	}
	for _, name := range names {
		if !namesIssue(name) {
			return nil, bad(fmt.Sprintf("id %.40q is neither the number of an issue nor a short id such as SHOP-42.", name))
		}
		issue, err := issueNamed(rx, name)
		if errors.Is(err, store.ErrNotFound) || err == nil && !slices.Contains(projects, issue.ProjectID) {
			continue // as at Sentry: what is not there is not changed
		}
		if err != nil {
			return nil, err
		}
		if !slices.Contains(ids, issue.ID) {
			ids = append(ids, issue.ID)
		}
	}
	switch {
	case r.queries().Has("id"):
		return ids, nil
	case r.Method == http.MethodDelete:
		return nil, bad("Name the issues to delete: id=1&id=2.")
	}
	if err := onlyChooses(r); err != nil {
		return nil, err
	}
	s, err := a.newSearch(r, projects, "")
	if err != nil {
		return nil, err
	}
	s.Limit, s.Offset = store.MaxActed, 0
	found, err := rx.Find(s)
	if err != nil {
		return nil, searchProblem(err)
	}
	if found.More {
		return nil, deed.TooMany()
	}
	for _, issue := range found.Issues {
		ids = append(ids, issue.ID)
	}
	return ids, nil
}

// onlyChooses refuses a change of issues with a parameter that chooses none: a misspelled
// one would be about all issues, which are meant where there is no parameter (sentry-cli
// issues resolve --all).
func onlyChooses(r *request) error {
	for _, name := range slices.Sorted(maps.Keys(r.queries())) {
		if name != "status" && !slices.ContainsFunc(listParams(), func(p Param) bool { return p.Name == name }) {
			return bad(fmt.Sprintf("%.40q chooses no issues: name them with id=1&id=2, or say which with query.", name))
		}
	}
	return nil
}

// changeIssues is PUT of a list. Without any issue it answers 204.
func (a *API) changeIssues(tx *store.Tx, r *request, c IssueChange) (*Changed, error) {
	ids := r.chosen
	if len(ids) == 0 {
		r.status = 204
		_, err := c.actions(&tx.Rx, r) // what is not understood is wrong, whatever it is asked for
		return nil, err
	}
	merged, err := c.do(tx, r, ids)
	if err != nil {
		return nil, err
	}
	issue, err := tx.Issue(ids[0])
	if err != nil {
		return nil, err
	}
	changed := &Changed{Merge: merged}
	if c.Status != "" {
		status, details, substatus := statusOf(issue, store.IssueMarks{}, a.cfg.Now())
		changed.Status, changed.StatusDetails, changed.Substatus = status, &details, substatus
	}
	if c.AssignedTo.Set {
		name, err := deed.AssigneeName(&tx.Rx, issue.Assignee)
		if err != nil {
			return nil, err
		}
		changed.AssignedTo, err = actorOf(&tx.Rx, issue.Assignee, name)
		return changed, err
	}
	return changed, nil
}

// deleteIssues is DELETE of a list.
func (a *API) deleteIssues(tx *store.Tx, r *request, _ None) (None, error) {
	if len(r.chosen) == 0 {
		return None{}, nil
	}
	_, err := doAll(tx, r, deed.Action{Verb: deed.Delete}, r.chosen)
	return None{}, err
}
