package mcp

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"sundew/digester/access"
	"sundew/digester/api"
	"sundew/digester/deed"
	"sundew/digester/store"
	"sundew/digester/words"
	"sundew/schema/event"
)

const (
	maxIssues  = 50   // of a search
	usual      = 20   // of a list, if nobody says
	maxEvents  = 100  // of a list
	maxTitle   = 200  // bytes of a title in a list
	tagValues  = 5    // of each tag of an issue
	maxTags    = 30   // of an issue
	maxTagText = 120  // bytes of a tag's value
	maxComment = 2000 // bytes of a comment
	maxSaid    = 10   // comments of an issue
)

// readTools are the tools that change nothing.
func (s *Server) readTools() {
	add(s, "list_projects", "List projects", "The projects that the token sees, with their slugs.", reads, s.listProjects)
	add(s, "search_issues", "Search issues", `Finds issues, the last seen first. The query is as in the dashboard, for example:
is:unresolved level:error release:shop@1.2 environment:production assigned:me is:new times_seen:>100 lastSeen:-24h "connection reset" checkout`, reads, s.searchIssues)
	add(s, "get_issue", "Get an issue", "All that matters of an issue: its state, numbers, tags, comments, and the newest event with its stack and breadcrumbs.", reads, s.getIssue)
	add(s, "get_event", "Get an event", "One event with its stack, breadcrumbs and tags.", reads, s.getEvent)
	add(s, "list_issue_events", "List an issue's events", "The events of an issue, the newest first.", reads, s.listEvents)
}

type listProjectsIn struct{}

func (s *Server) listProjects(ctx context.Context, c *api.Caller, _ listProjectsIn) (text said, err error) {
	var b strings.Builder
	err = c.Read(ctx, api.ToRead, func(rx *store.Rx) error {
		b.Reset()
		projects, err := c.Projects(rx)
		for _, p := range projects {
			fmt.Fprintf(&b, "- `%s` (%s)", p.Slug, code(p.Name, maxTitle))
			if p.Platform != "" {
				fmt.Fprintf(&b, ", %s", p.Platform)
			}
			fmt.Fprintf(&b, ": %s ever", words.Counted(p.Events, "event"))
			if !p.LastEventAt.IsZero() {
				fmt.Fprintf(&b, ", the last %s", s.ago(p.LastEventAt))
			}
			b.WriteByte('\n')
		}
		if len(projects) == 0 {
			b.WriteString("The token sees no project.\n")
		}
		return err
	})
	return b.String(), err
}

type searchIn struct {
	Query   string `json:"query,omitempty" jsonschema:"what to look for; is:unresolved if it is left out"`
	Project string `json:"project,omitempty" jsonschema:"slug of a project; all if it is left out"`
	Sort    string `json:"sort,omitempty" jsonschema:"date (last seen), new (first seen), freq (events), user (users) or trends"`
	Limit   int    `json:"limit,omitempty" jsonschema:"how many issues, 1 to 50; 20 if it is left out"`
	Page    int    `json:"page,omitempty" jsonschema:"1 for the first page, and so on"`
}

func (s *Server) searchIssues(ctx context.Context, c *api.Caller, in searchIn) (text said, err error) {
	limit := bounded(in.Limit, maxIssues)
	q := url.Values{"limit": {strconv.Itoa(limit)}, "cursor": {fmt.Sprintf("0:%d:0", (max(in.Page, 1)-1)*limit)}}
	for name, value := range map[string]string{"query": in.Query, "project": in.Project, "sort": in.Sort} {
		if value != "" {
			q.Set(name, value)
		}
	}
	var b strings.Builder
	err = c.Read(ctx, api.ToRead, func(rx *store.Rx) error {
		b.Reset()
		found, err := c.Search(rx, q)
		if err != nil {
			return err
		}
		for _, issue := range found.Issues {
			fmt.Fprintf(&b, "- **%s** %s\n  %s, %s, %s; first seen %s, last seen %s\n", issue.ShortID(), code(issue.Title, maxTitle),
				state(issue), words.Counted(issue.Events, "event"), words.Counted(issue.Users, "user"), s.ago(issue.FirstSeen), s.ago(issue.LastSeen))
			if issue.Culprit != "" {
				fmt.Fprintf(&b, "  in %s\n", code(issue.Culprit, maxTitle))
			}
		}
		switch {
		case len(found.Issues) == 0:
			b.WriteString("No issue fits.\n")
		case found.More:
			fmt.Fprintf(&b, "\nThere are more: page %d.\n", max(in.Page, 1)+1)
		}
		if found.Looked > 0 {
			fmt.Fprintf(&b, "\nOnly the first %s were looked at: narrow the query.\n", words.Counted(found.Looked, "issue"))
		}
		return nil
	})
	return b.String(), err
}

type issueIn struct {
	Issue string `json:"issue" jsonschema:"short id, such as SHOP-42, or number of the issue"`
}

func (s *Server) getIssue(ctx context.Context, c *api.Caller, in issueIn) (text said, err error) {
	var b strings.Builder
	err = c.Read(ctx, api.ToRead, func(rx *store.Rx) error {
		b.Reset()
		issue, err := c.Issue(rx, in.Issue, access.Viewer)
		if err != nil {
			return err
		}
		if err := s.writeIssue(rx, c, &b, issue); err != nil {
			return err
		}
		latest, err := api.EventNamed(rx, issue, "latest")
		if errors.Is(err, store.ErrNotFound) {
			b.WriteString("\nNone of its events is stored any more.\n")
			return nil
		}
		if err != nil {
			return err
		}
		b.WriteString("\n---\nThe newest event:\n\n")
		return s.writeEvent(rx, &b, issue, latest)
	})
	return b.String(), err
}

// writeIssue writes what there is to say of an issue itself.
func (s *Server) writeIssue(rx *store.Rx, c *api.Caller, b *strings.Builder, issue store.Issue) error {
	fmt.Fprintf(b, "# %s: %s\n\n", issue.ShortID(), code(issue.Title, maxTitle))
	name, err := deed.AssigneeName(rx, issue.Assignee)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	releases, err := rx.IssueReleases(issue.ID)
	if err != nil {
		return err
	}
	for _, fact := range [][2]string{
		{"State", state(issue)}, {"Assigned to", name}, {"Level", issue.Level.String()}, {"Platform", issue.Platform},
		{"Events", words.Count(issue.Events)}, {"Users", words.Count(issue.Users)},
		{"First seen", s.moment(issue.FirstSeen)}, {"Last seen", s.moment(issue.LastSeen)},
		{"First release", releases.First}, {"Last release", releases.Last}, {"Page", c.Link("/issues/" + strconv.FormatInt(issue.ID, 10))},
	} {
		if fact[1] != "" {
			fmt.Fprintf(b, "- %s: %s\n", fact[0], code(fact[1], maxTitle))
		}
	}
	tags, err := rx.IssueTags(issue.ID, tagValues)
	if err != nil {
		return err
	}
	writeTags(b, tags)
	return s.writeComments(rx, b, issue)
}

// writeTags writes the most frequent values; who was affected stays here.
func writeTags(b *strings.Builder, tags []store.TagCount) {
	last, keys := "", 0
	for _, t := range tags {
		if t.Key == "user" || strings.HasPrefix(t.Key, "user.") {
			continue
		}
		if t.Key != last {
			if keys++; keys > maxTags {
				return
			}
			if keys == 1 {
				b.WriteString("\n## Tags of all its events\n")
			}
			fmt.Fprintf(b, "\n- %s:", code(t.Key, maxTagText))
		}
		last = t.Key
		fmt.Fprintf(b, " %s (%s)", code(t.Value, maxTagText), words.Count(t.Count))
	}
	b.WriteByte('\n')
}

func (s *Server) writeComments(rx *store.Rx, b *strings.Builder, issue store.Issue) error {
	history, err := rx.History(issue.ID)
	n := 0
	for i := len(history) - 1; i >= 0 && n < maxSaid; i-- {
		e := history[i]
		if e.Kind != store.HistoryComment {
			continue
		}
		if n++; n == 1 {
			b.WriteString("\n## Comments, the newest first\n\n")
		}
		fmt.Fprintf(b, "- %s, %s: %s\n", code(e.Name, maxTagText), s.ago(e.At), code(e.Detail.Text, maxComment))
	}
	return err
}

// writeEvent writes an event as the dashboard does.
func (s *Server) writeEvent(rx *store.Rx, b *strings.Builder, issue store.Issue, ev store.Event) error {
	fmt.Fprintf(b, "Event id `%s`\n\n", ev.EventID)
	text, err := s.cfg.Event(rx, issue, ev)
	b.Write(text)
	return err
}

type eventIn struct {
	Event string `json:"event" jsonschema:"id of the event, 32 hexadecimal digits; with an issue also latest or oldest"`
	Issue string `json:"issue,omitempty" jsonschema:"short id or number of its issue, if it is known"`
}

func (s *Server) getEvent(ctx context.Context, c *api.Caller, in eventIn) (text said, err error) {
	var b strings.Builder
	err = c.Read(ctx, api.ToRead, func(rx *store.Rx) error {
		b.Reset()
		if in.Issue != "" {
			issue, err := c.Issue(rx, in.Issue, access.Viewer)
			if err != nil {
				return err
			}
			ev, err := api.EventNamed(rx, issue, in.Event)
			if err != nil {
				return err
			}
			return s.writeEvent(rx, &b, issue, ev)
		}
		id, err := event.ParseID(in.Event)
		if err != nil {
			return store.ErrNotFound
		}
		all, err := rx.EventsByID(id)
		if err != nil {
			return err
		}
		for _, ev := range all {
			if c.In(ev) == access.None {
				continue
			}
			issue, err := rx.Issue(ev.IssueID)
			if err != nil {
				return err
			}
			return s.writeEvent(rx, &b, issue, ev)
		}
		return store.ErrNotFound
	})
	return b.String(), err
}

type eventsIn struct {
	Issue string `json:"issue" jsonschema:"short id or number of the issue"`
	Limit int    `json:"limit,omitempty" jsonschema:"how many events, 1 to 100; 20 if it is left out"`
	After int64  `json:"after,omitempty" jsonschema:"where the list goes on, as the end of another one said"`
}

func (s *Server) listEvents(ctx context.Context, c *api.Caller, in eventsIn) (text said, err error) {
	var b strings.Builder
	err = c.Read(ctx, api.ToRead, func(rx *store.Rx) error {
		b.Reset()
		issue, err := c.Issue(rx, in.Issue, access.Viewer)
		if err != nil {
			return err
		}
		events, more, err := rx.Events(issue.ID, in.After, bounded(in.Limit, maxEvents))
		for _, ev := range events {
			fmt.Fprintf(&b, "- `%s` %s %s %s", ev.EventID, s.moment(ev.OccurredAt), ev.Level, code(ev.Title, maxTitle))
			for _, part := range []string{ev.Release, ev.Environment} {
				if part != "" {
					fmt.Fprintf(&b, " %s", code(part, maxTagText))
				}
			}
			b.WriteByte('\n')
		}
		if len(events) == 0 {
			b.WriteString("None of its events is stored any more.\n")
		} else if more {
			fmt.Fprintf(&b, "\nThere are older ones: after %d.\n", events[len(events)-1].ID)
		}
		return err
	})
	return b.String(), err
}

// bounded is how many entries a list has.
func bounded(asked, most int) int {
	if asked < 1 {
		return usual
	}
	return min(asked, most)
}

// state says what was decided about an issue.
func state(issue store.Issue) string {
	switch issue.State {
	case store.StateResolved:
		return strings.TrimSpace("resolved " + deed.ResolutionWords(issue.Resolution))
	case store.StateMuted:
		return "muted " + deed.MuteWords(issue.Mute, max(1, issue.Mute.Events-issue.Events))
	}
	return "unresolved"
}

func (s *Server) ago(t time.Time) string { return words.Span(max(0, s.cfg.Now().Sub(t))) + " ago" }

func (s *Server) moment(t time.Time) string {
	return t.UTC().Format("2006-01-02 15:04:05 UTC") + " (" + s.ago(t) + ")"
}

// code writes a text of somebody else on one line, where Markdown has no meaning, cut
// to some bytes.
func code(text string, most int) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	fence := "`"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	if text == "" || text[0] == '`' || text[len(text)-1] == '`' {
		text = " " + text + " "
	}
	return fence + text + fence
}
