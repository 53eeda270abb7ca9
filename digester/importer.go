package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"sundew/digester/access"
	"sundew/digester/digest"
	"sundew/digester/sentryapi"
	"sundew/digester/store"
	"sundew/digester/triage"
	"sundew/functions/ingest/edge"
	"sundew/schema/event"
	"sundew/schema/wire"
)

// importer brings projects and issues over from another server.
//
// The newest event of each issue goes the way of every event, so that the issue is
// grouped as those that come later will be, and every counter counts what is stored
// here and nothing else. What the other server counted is a line in the history.
type importer struct {
	client   *sentryapi.Client
	opts     importOptions
	db       *store.DB // nil in a dry run
	replica  *store.Replica
	rules    *ruleBook
	codec    *wire.Codec
	source   string
	instance wire.InstanceID
	seq      map[event.ProjectID]uint64 // the last number used
	dsn      func(store.Project) string
	out      io.Writer
}

// importTally counts what became of a project's issues.
type importTally struct{ made, known, failed int }

// run brings everything over that was asked for.
func (i *importer) run(ctx context.Context) error {
	var projects []sentryapi.Project
	err := i.client.Projects(ctx, func(p sentryapi.Project) error {
		if len(i.opts.projects) == 0 || slices.Contains(i.opts.projects, string(p.Slug)) {
			projects = append(projects, p)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("listing the projects of %s: %w", i.opts.api.Org, err)
	}
	for _, slug := range i.opts.projects {
		if !slices.ContainsFunc(projects, func(p sentryapi.Project) bool { return string(p.Slug) == slug }) {
			return fmt.Errorf("there is no project %q in %s", slug, i.opts.api.Org)
		}
	}
	failed := 0
	for _, p := range projects {
		tally, err := i.project(ctx, p)
		failed += tally.failed
		if err != nil {
			return fmt.Errorf("project %s: %w; run it again to go on", p.Slug, err)
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d issues could not be brought over; run it again to try these", failed)
	}
	return nil
}

// project brings one project over, and says so.
func (i *importer) project(ctx context.Context, remote sentryapi.Project) (tally importTally, err error) {
	local, err := i.localProject(ctx, remote)
	if err != nil {
		return tally, err
	}
	err = i.client.Issues(ctx, remote, func(issue sentryapi.Issue) error {
		return i.issue(ctx, local, remote, issue, &tally)
	})
	said := "new"
	if i.opts.dryRun {
		said = "to be brought over"
	}
	fmt.Fprintf(i.out, "%s: %d issues %s, %d here already, %d failed\n", remote.Slug, tally.made, said, tally.known, tally.failed)
	return tally, err
}

// localProject returns the project that a remote one goes into, and makes it if it is
// missing. In a dry run one that is missing is the zero project.
func (i *importer) localProject(ctx context.Context, remote sentryapi.Project) (p store.Project, err error) {
	from := store.Imported{Source: i.source, Remote: string(remote.ID)}
	err = i.replica.Read(ctx, func(rx *store.Rx) (err error) {
		if i.opts.into != 0 {
			p, err = rx.Project(i.opts.into)
			return err
		}
		p, err = rx.ImportedProject(from)
		return err
	})
	if err == nil || !errors.Is(err, store.ErrNotFound) {
		return p, err
	}
	if i.opts.into != 0 {
		return p, fmt.Errorf("there is no project %d here", i.opts.into)
	}
	if i.opts.dryRun {
		return store.Project{}, nil
	}
	// Applications then change the host and the number in their DSN, and keep the key.
	key, err := i.client.Key(ctx, string(remote.Slug))
	if err != nil && !errors.Is(err, sentryapi.ErrNotFound) && !errors.Is(err, sentryapi.ErrRefused) {
		return p, err
	}
	err = i.db.Write(ctx, "import project", func(tx *store.Tx) (err error) {
		if p, err = createImported(tx, remote, key); err != nil {
			return err
		}
		if err := tx.NoteImportedProject(p.ID, from); err != nil {
			return err
		}
		return tx.Audit(access.Person{}, store.AuditEntry{Action: "project.create", Project: p.ID, Subject: p.Name, Detail: "imported from " + i.source})
	})
	if err == nil {
		fmt.Fprintf(i.out, "%s is now project %d, DSN %s\n", remote.Slug, p.ID, i.dsn(p))
	}
	return p, err
}

// publicKeyOK is a key that can be kept.
var publicKeyOK = regexp.MustCompile(`^[0-9a-fA-F]{32}$`)

// createImported makes a project, with the key, the platform and the team that it has
// there, as far as these will do here.
func createImported(tx *store.Tx, remote sentryapi.Project, key string) (p store.Project, err error) {
	if !publicKeyOK.MatchString(key) {
		key = ""
	}
	for _, name := range []string{string(remote.Name), string(remote.Slug), "Imported project"} {
		if p, err = tx.CreateProjectWithKey(name, key); !errors.Is(err, store.ErrInvalid) {
			break
		}
	}
	if err != nil {
		return p, err
	}
	if _, err := tx.ChangeProject(p.ID, store.ProjectChange{Name: p.Name, Slug: p.Slug, Platform: string(remote.Platform)}); err != nil && !errors.Is(err, store.ErrInvalid) {
		return p, err
	}
	there := remote.FirstTeam()
	if there.Slug == "" {
		return p, nil
	}
	teams, err := tx.Teams()
	if err != nil {
		return p, err
	}
	for _, team := range teams {
		if team.Slug == string(there.Slug) {
			return p, tx.SetProjectTeam(p.ID, team.ID)
		}
	}
	team, err := tx.CreateTeam(string(there.Slug)) // whose slug is then the same
	if errors.Is(err, store.ErrInvalid) {
		return p, nil
	}
	if err != nil {
		return p, err
	}
	if err := tx.RenameTeam(team.ID, string(there.Name)); err != nil && !errors.Is(err, store.ErrInvalid) {
		return p, err
	}
	return p, tx.SetProjectTeam(p.ID, team.ID)
}

// issue brings one issue over, unless it is here. Its error ends everything; a failure
// that is about this issue is noted.
func (i *importer) issue(ctx context.Context, local store.Project, remote sentryapi.Project, issue sentryapi.Issue, tally *importTally) error {
	from := store.Imported{Source: i.source, Remote: string(issue.ID)}
	var known bool
	err := i.replica.Read(ctx, func(rx *store.Rx) (err error) {
		known, err = rx.ImportedIssue(local.ID, from)
		return err
	})
	switch {
	case err != nil:
		return err
	case known:
		tally.known++
		return nil
	case i.opts.dryRun:
		tally.made++
		return nil
	}
	if issue.Platform == "" {
		issue.Platform = remote.Platform
	}
	err = i.bring(ctx, local.ID, issue, from)
	switch {
	case err == nil:
		tally.made++
	case ctx.Err() != nil, errors.Is(err, sentryapi.ErrRefused), store.KindOf(err).Holds(), store.KindOf(err) == store.KindUnknown:
		return err
	default:
		tally.failed++
		fmt.Fprintf(i.out, "%s: %v\n", cleanShortID(issue), err)
	}
	return nil
}

// bring stores an issue's newest event, then what is known of the issue.
func (i *importer) bring(ctx context.Context, project event.ProjectID, issue sentryapi.Issue, from store.Imported) error {
	ev, err := i.client.LatestEvent(ctx, issue)
	gone := errors.Is(err, sentryapi.ErrNotFound) || err == nil && len(ev.Payload) > edge.DefaultLimits().Event
	if gone {
		ev, err = issue.Placeholder()
	}
	if err != nil {
		return err
	}
	id, err := event.ParseID(ev.ID)
	if err != nil {
		return err
	}
	if err := i.digest(ctx, project, id, ev); err != nil {
		return err
	}
	return i.db.Write(ctx, "import issue", func(tx *store.Tx) error {
		stored, err := tx.EventOf(project, id)
		if err != nil {
			return err
		}
		if err := tx.NoteImportedIssue(project, from); err != nil {
			return err
		}
		if _, err := tx.Comment(stored.IssueID, importComment(i.opts.api.URL.Host, issue, gone), 0); err != nil {
			return err
		}
		if stored.Number > 1 { // others were there before it, and have a state
			return nil
		}
		return importState(tx, stored.IssueID, issue)
	})
}

// digest stores an event like one from a queue.
func (i *importer) digest(ctx context.Context, project event.ProjectID, id event.ID, ev sentryapi.Event) error {
	received := ev.Received
	if now := time.Now(); received.IsZero() || received.After(now) {
		received = now
	}
	m := wire.Message{Kind: wire.KindEvent, Project: project, Instance: i.instance, Seq: i.seq[project] + 1,
		EventID: id, ReceivedAt: received, Region: store.ImportRegion, Client: "import"}
	m.Body, m.Encoding = i.codec.Compress(ev.Payload)
	in, err := digest.Prepare(ctx, m.Encode(nil), digest.Config{Rules: i.rules.of, Scrubber: i.rules.scrubber})
	if err != nil {
		return err
	}
	in.Quiet = true // it happened there, and people there were told
	result, err := i.db.Digest(ctx, in)
	if err != nil {
		return err
	}
	i.seq[project]++ // numbers without a decision would be gaps in the books
	if result == store.Dropped {
		return fmt.Errorf("its newest event is dropped as %s: %s", in.Drop, in.Detail)
	}
	return nil
}

// importState resolves or mutes an issue that is so there.
func importState(tx *store.Tx, issue int64, remote sentryapi.Issue) (err error) {
	ids := []int64{issue}
	switch remote.Status {
	case "resolved":
		how := triage.Resolution{Kind: triage.ResolvedNow}
		if release := string(remote.StatusDetails.InRelease); release != "" {
			how = triage.Resolution{Kind: triage.ResolvedIn, Release: release}
		}
		_, err = tx.Resolve(ids, how, 0)
	case "ignored", "muted":
		how := triage.Mute{Kind: triage.MuteForever}
		switch until := remote.StatusDetails.IgnoreUntil.Time; {
		case until.After(tx.Now()):
			how = triage.Mute{Kind: triage.MuteUntil, Until: until}
		case strings.HasPrefix(string(remote.Substatus), "archived_until"):
			how = triage.Mute{Kind: triage.MuteWorse}
		}
		_, err = tx.Mute(ids, how, 0)
	}
	return err
}

// importComment says where an issue comes from and what was counted there. Nothing of
// it is the text of an event.
func importComment(host string, issue sentryapi.Issue, gone bool) string {
	where := host
	if link := cleanLink(string(issue.Permalink)); link != "" {
		where = "[" + host + "](" + link + ")"
	}
	text := fmt.Sprintf("Imported from %s, where it is %s: %s of %s", where, cleanShortID(issue),
		counted(int64(issue.Count), "event"), counted(int64(issue.UserCount), "user"))
	for _, seen := range []struct {
		what string
		at   sentryapi.Time
	}{{"first", issue.FirstSeen}, {"last", issue.LastSeen}} {
		if !seen.at.IsZero() {
			text += ", " + seen.what + " seen " + seen.at.UTC().Format("2006-01-02 15:04") + " UTC"
		}
	}
	if gone {
		return text + ". Its events are gone there, or too large; what is here stands for them."
	}
	return text + ". The newest event came along; the others are there."
}

func counted(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

var shortIDOK = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// cleanShortID names an issue by what stands in a line of text for itself.
func cleanShortID(issue sentryapi.Issue) string {
	for _, id := range []sentryapi.Text{issue.ShortID, issue.ID} {
		if shortIDOK.MatchString(string(id)) {
			return string(id)
		}
	}
	return "an issue without a name"
}

// cleanLink returns an address that may stand in Markdown, or nothing.
func cleanLink(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || len(text) > 500 || strings.ContainsAny(u.String(), "()<>[]\\ \"") {
		return ""
	}
	return u.String()
}
