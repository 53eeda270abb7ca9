package mcp

import (
	"context"
	"errors"
	"strings"

	"sundew/digester/access"
	"sundew/digester/api"
	"sundew/digester/deed"
	"sundew/digester/store"
	"sundew/digester/triage"
)

// triageTools are the tools that decide about issues.
func (s *Server) triageTools() {
	add(s, "resolve_issue", "Resolve an issue", "Says that an issue is mended. It comes back by itself if it is seen again: at once, or, with a release, in that or a later one.", changes, s.resolve)
	add(s, "reopen_issue", "Reopen an issue", "Makes an issue unresolved that was resolved or muted.", changes, s.reopen)
	add(s, "mute_issue", "Mute an issue", "Keeps an issue out of the list of what is unresolved: for good, for some minutes, until so many more events, or until it gets worse.", changes, s.mute)
	add(s, "assign_issue", "Assign an issue", "Says who is to look at an issue.", changes, s.assign)
	add(s, "comment_on_issue", "Comment on an issue", "Adds a comment in Markdown that people see on the issue's page.", adds, s.comment)
}

// decide does something to an issue and says what it is now.
func (s *Server) decide(ctx context.Context, c *api.Caller, name string, action func(tx *store.Tx) (deed.Action, error)) (text said, err error) {
	err = c.Write(ctx, "triage by agent", api.ToWrite, func(tx *store.Tx) error {
		issue, err := c.Issue(&tx.Rx, name, access.Member)
		if err != nil {
			return err
		}
		a, err := action(tx)
		if err != nil {
			return err
		}
		done, err := c.Do(tx, a, issue)
		if err != nil {
			return err
		}
		if issue, err = tx.Issue(issue.ID); err != nil {
			return err
		}
		assigned, err := deed.AssigneeName(&tx.Rx, issue.Assignee)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if assigned == "" {
			assigned = "nobody"
		}
		text = issue.ShortID() + " is " + state(issue) + " now, and assigned to " + code(assigned, maxTagText) + "."
		if len(done.Changed) == 0 {
			text = "Nothing was to be changed: " + text
		}
		return nil
	})
	return text, err
}

type resolveIn struct {
	Issue       string `json:"issue" jsonschema:"short id or number of the issue"`
	Release     string `json:"release,omitempty" jsonschema:"name of the release in which it is mended"`
	NextRelease bool   `json:"next_release,omitempty" jsonschema:"it is mended in the next release"`
}

func (s *Server) resolve(ctx context.Context, c *api.Caller, in resolveIn) (said, error) {
	return s.decide(ctx, c, in.Issue, func(*store.Tx) (deed.Action, error) {
		a := deed.Action{Verb: deed.Resolve}
		switch {
		case in.NextRelease:
			a.Resolve.Kind = triage.ResolvedNext
		case in.Release != "":
			a.Resolve = triage.Resolution{Kind: triage.ResolvedIn, Release: in.Release}
		}
		return a, nil
	})
}

func (s *Server) reopen(ctx context.Context, c *api.Caller, in issueIn) (said, error) {
	return s.decide(ctx, c, in.Issue, func(*store.Tx) (deed.Action, error) { return deed.Action{Verb: deed.Reopen}, nil })
}

type muteIn struct {
	Issue      string `json:"issue" jsonschema:"short id or number of the issue"`
	Minutes    int64  `json:"minutes,omitempty" jsonschema:"for so long"`
	MoreEvents int64  `json:"more_events,omitempty" jsonschema:"until so many more events"`
	UntilWorse bool   `json:"until_worse,omitempty" jsonschema:"until it happens clearly more often"`
}

func (s *Server) mute(ctx context.Context, c *api.Caller, in muteIn) (said, error) {
	return s.decide(ctx, c, in.Issue, func(tx *store.Tx) (deed.Action, error) {
		m := triage.Mute{Kind: triage.MuteForever}
		switch {
		case in.Minutes != 0:
			length, err := deed.Minutes("minutes", in.Minutes, triage.MaxMuteTime)
			if err != nil {
				return deed.Action{}, err
			}
			m = triage.Mute{Kind: triage.MuteUntil, Until: tx.Now().Add(length)}
		case in.MoreEvents != 0:
			m = triage.Mute{Kind: triage.MuteMore, Events: in.MoreEvents}
		case in.UntilWorse:
			m.Kind = triage.MuteWorse
		}
		return deed.Action{Verb: deed.Mute, Mute: m}, nil
	})
}

type assignIn struct {
	Issue string `json:"issue" jsonschema:"short id or number of the issue"`
	To    string `json:"to" jsonschema:"a mail address, me, a team as in #backend, or nobody"`
}

func (s *Server) assign(ctx context.Context, c *api.Caller, in assignIn) (said, error) {
	return s.decide(ctx, c, in.Issue, func(tx *store.Tx) (deed.Action, error) {
		name := strings.TrimSpace(in.To)
		if name == "nobody" {
			name = ""
		}
		to, err := c.Assignee(&tx.Rx, name)
		return deed.Action{Verb: deed.Assign, Assign: to}, err
	})
}

type commentIn struct {
	Issue string `json:"issue" jsonschema:"short id or number of the issue"`
	Text  string `json:"text" jsonschema:"the comment, in Markdown, 1 to 10,000 characters"`
}

func (s *Server) comment(ctx context.Context, c *api.Caller, in commentIn) (text said, err error) {
	err = c.Write(ctx, "comment by agent", api.ToWrite, func(tx *store.Tx) error {
		issue, err := c.Issue(&tx.Rx, in.Issue, access.Member)
		if err != nil {
			return err
		}
		text = "The comment is on the page of " + issue.ShortID() + "."
		return c.Comment(tx, issue, in.Text)
	})
	return text, err
}
