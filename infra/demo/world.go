package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"time"

	"sundew/digester/access"
	"sundew/digester/artifact/shelf"
	"sundew/digester/dashboard"
	"sundew/digester/digest"
	"sundew/digester/password"
	"sundew/digester/store"
	"sundew/digester/symbolicate/scripts"
	"sundew/functions/ingest/edge"
	"sundew/schema/event"
	"sundew/schema/keyring"
	"sundew/schema/wire"
)

// world is an installation at a moment that is set.
type world struct {
	began    time.Time // the end of the story
	now      time.Time
	density  float64 // of events; 1 is as the script says
	random   *mathrand.Rand
	db       *store.DB
	replica  *store.Replica
	shelf    *shelf.Shelf   // takes uploads apart
	scripts  *scripts.Cache // finds the source maps of events
	edge     *edge.Handler
	instance wire.InstanceID
	seq      map[event.ProjectID]uint64
	recorded map[string]fields
	projects map[string]store.Project // by name
	users    map[string]int64         // by mail address
	issues   map[string]int64         // by the recorded event
	events   int
}

// openWorld makes a database with people, teams and projects.
func openWorld(ctx context.Context, path, secret string, began time.Time) (*world, error) {
	w := &world{
		began: began, now: at(began, -30), density: 1, random: mathrand.New(mathrand.NewPCG(1, 2)), seq: map[event.ProjectID]uint64{},
		projects: map[string]store.Project{}, users: map[string]int64{}, issues: map[string]int64{},
	}
	if _, err := rand.Read(w.instance[:]); err != nil {
		return nil, err
	}
	var names []string
	for _, s := range stages() {
		for _, p := range s.plots {
			names = append(names, p.recorded)
		}
	}
	var err error
	if w.recorded, err = recordedEvents(names); err != nil {
		return nil, err
	}
	clock := func() time.Time { return w.now }
	if w.edge, err = edge.New(edge.Config{Keys: everybody{}, Sender: w, Now: clock}); err != nil {
		return nil, err
	}
	hash, err := password.NewHasher(1, password.Recommended()).Hash(ctx, secret)
	if err != nil {
		return nil, err
	}
	if w.db, err = store.Open(ctx, store.Config{Path: path, Now: clock}); err != nil {
		return nil, err
	}
	err = w.openMaps(ctx, path)
	if err == nil {
		err = w.db.Write(ctx, "demo", func(tx *store.Tx) error { return w.populate(tx, hash) })
	}
	if err != nil {
		return nil, errors.Join(err, w.close(ctx))
	}
	return w, nil
}

func (w *world) close(ctx context.Context) error {
	var err error
	if w.replica != nil {
		err = w.replica.Close()
	}
	return errors.Join(err, w.db.Close(context.WithoutCancel(ctx)))
}

// populate makes people, teams and projects.
func (w *world) populate(tx *store.Tx, hash string) error {
	owner, err := dashboard.MakeOwner(tx, ownerEmail, "Owner", hash)
	if err != nil {
		return err
	}
	w.users[ownerEmail] = owner.ID
	teams := make(map[string]int64)
	for _, s := range stages() {
		if teams[s.team] == 0 {
			team, err := tx.CreateTeam(s.team)
			if err != nil {
				return err
			}
			teams[s.team] = team.ID
			if err := tx.SetTeamMember(team.ID, owner.ID, access.Owner); err != nil {
				return err
			}
		}
		p, err := tx.CreateProject(s.name)
		if err != nil {
			return err
		}
		if p, err = tx.ChangeProject(p.ID, store.ProjectChange{Name: p.Name, Slug: p.Slug, Platform: s.platform}); err != nil {
			return err
		}
		w.projects[s.name] = p
		if err := tx.SetProjectTeam(p.ID, teams[s.team]); err != nil {
			return err
		}
	}
	for _, c := range cast() {
		user, err := tx.CreateUser(c.email, c.name, hash, c.role)
		if err != nil {
			return err
		}
		w.users[c.email] = user.ID
		if err := tx.SetTeamMember(teams[c.team], user.ID, access.Member); err != nil {
			return err
		}
	}
	return nil
}

// moment is something that happens.
type moment struct {
	at time.Time
	do func(ctx context.Context) error
}

// live lets everything happen, in the order of time.
func (w *world) live(ctx context.Context) error {
	var all []moment
	for _, s := range stages() {
		for i, release := range s.releases {
			all = append(all, w.deploy(s, release, float64(i)*days/float64(len(s.releases))))
		}
		for _, p := range s.plots {
			all = append(all, w.play(s, p)...)
		}
	}
	for _, s := range scenes() {
		all = append(all, w.act(s))
	}
	slices.SortStableFunc(all, func(a, b moment) int { return a.at.Compare(b.at) })
	for _, m := range all {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !m.at.Truncate(time.Hour).Equal(w.now.Truncate(time.Hour)) {
			if err := w.countReleases(ctx); err != nil {
				return err
			}
		}
		w.now = m.at
		if err := m.do(ctx); err != nil {
			return err
		}
	}
	if err := w.countReleases(ctx); err != nil {
		return err
	}
	w.now = w.began
	return w.db.Barrier(ctx)
}

// countReleases counts the events of releases in the hour that ends, which the program
// does as time goes by.
func (w *world) countReleases(ctx context.Context) error {
	return w.db.Write(ctx, "demo", func(tx *store.Tx) error {
		deltas, err := tx.ReleaseDeltas()
		if err != nil {
			return err
		}
		return tx.CountReleaseHours(deltas)
	})
}

// deploy records that a release went out, with its source maps if it is minified.
func (w *world) deploy(s stage, release string, day float64) moment {
	return moment{at(w.began, day), func(ctx context.Context) error {
		if s.name == minified {
			if err := w.upload(ctx, w.projects[s.name], release); err != nil {
				return err
			}
		}
		return w.db.Write(ctx, "deploy", func(tx *store.Tx) error {
			_, err := tx.AddDeploy(w.projects[s.name].ID, store.Deploy{Release: release, Environment: "production"})
			return err
		})
	}}
}

// play spreads a plot's events over the days: as many in each quarter of an hour as its
// shape says, by chance.
func (w *world) play(s stage, p plot) (all []moment) {
	const step = 1.0 / 96
	for day := step; day < days; day += step {
		expected := w.density * p.aDay * step * p.shape(day)
		n := int(expected)
		if w.random.Float64() < expected-math.Trunc(expected) {
			n++
		}
		for range n {
			when := day + w.random.Float64()*step
			if when < days {
				all = append(all, moment{at(w.began, when), func(ctx context.Context) error { return w.report(ctx, s, p, when) }})
			}
		}
	}
	return all
}

// act lets somebody do something.
func (w *world) act(s scene) moment {
	return moment{at(w.began, s.day), func(ctx context.Context) error {
		issue, ok := w.issues[s.recorded]
		if !ok {
			return fmt.Errorf("on day %v there is no issue of %s yet", s.day, s.recorded)
		}
		return w.db.Write(ctx, "demo", func(tx *store.Tx) error { return s.act(tx, issue, w.users[s.who], w) })
	}}
}

// report sends an event as an SDK would.
func (w *world) report(ctx context.Context, s stage, p plot, day float64) error {
	project := w.projects[s.name]
	id := fmt.Sprintf("%016x%016x", w.random.Uint64(), w.random.Uint64())
	payload, err := json.Marshal(w.dress(w.recorded[p.recorded], s, id, day))
	if err != nil {
		return err
	}
	var body bytes.Buffer
	fmt.Fprintf(&body, "{\"event_id\":%q,\"sent_at\":%q}\n{\"type\":\"event\"}\n", id, w.now.UTC().Format(time.RFC3339Nano))
	body.Write(payload)
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("/api/%d/envelope/?sentry_key=%s", project.ID, project.Keys[0]), &body)
	answer := httptest.NewRecorder()
	w.edge.ServeHTTP(answer, r)
	if answer.Code != http.StatusOK {
		return fmt.Errorf("%s: intake answered %d: %s", p.recorded, answer.Code, answer.Body)
	}
	w.events++
	if w.issues[p.recorded] != 0 {
		return nil
	}
	return w.db.Write(ctx, "demo", func(tx *store.Tx) error { // which issue it is
		parsed, err := event.ParseID(id)
		if err != nil {
			return err
		}
		ev, err := tx.EventOf(project.ID, parsed)
		w.issues[p.recorded] = ev.IssueID
		return err
	})
}

// dress gives a recorded event an id, a time, a release and a user of this world.
func (w *world) dress(recorded fields, s stage, id string, day float64) fields {
	dressed := make(fields, len(recorded)+6)
	for k, v := range recorded {
		dressed[k] = v
	}
	newest := int(day * float64(len(s.releases)) / days)
	if newest > 0 && w.random.IntN(6) == 0 { // somebody is always late
		newest--
	}
	environment := "production"
	if w.random.IntN(8) == 0 {
		environment = "staging"
	}
	// Few have most of the trouble.
	user := int(math.Pow(w.random.Float64(), 2) * 400)
	for k, v := range map[string]any{
		"event_id": id, "timestamp": w.now.UTC().Format(time.RFC3339Nano), "release": s.releases[newest], "environment": environment,
		"user": map[string]string{"id": fmt.Sprint(user), "email": fmt.Sprintf("customer-%d@example.com", user)},
	} {
		text, err := json.Marshal(v)
		if err != nil {
			panic(err) // texts only
		}
		dressed[k] = text
	}
	return dressed
}

// Send is the queue of this world: what the intake accepted is digested at once.
func (w *world) Send(ctx context.Context, messages []*wire.Message) error {
	for _, m := range messages {
		if m.Kind == wire.KindCounts {
			continue
		}
		m.Instance, m.Seq = w.instance, w.seq[m.Project]+1
		in, err := digest.Prepare(ctx, m.Encode(nil), digest.Config{Scripts: w.scripts})
		if err != nil {
			return err
		}
		if _, err := w.db.Digest(ctx, in); err != nil {
			return err
		}
		w.seq[m.Project]++
	}
	return nil
}

// everybody may report.
type everybody struct{}

func (everybody) Lookup(context.Context, event.ProjectID, string) edge.KeyStatus {
	return edge.KeyActive
}
func (everybody) Limited(event.ProjectID, string, time.Time) (keyring.Limit, bool) {
	return keyring.Limit{}, false
}
func (everybody) Allows(event.ProjectID, string) bool { return true }
