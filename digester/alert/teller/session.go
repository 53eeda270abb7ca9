package teller

import (
	"sundew/digester/alert"
	"sundew/digester/notify"
	"sundew/digester/store"
	"sundew/schema/event"
)

// named is how many issues a summary names; it counts all.
const named = 5

// project is what has to be known of a project to decide.
type project struct {
	store.Project // zero: it is gone
	rules         []store.AlertRule
	plain         []alert.Rule
	channels      []int64 // that take messages
}

// session is one transaction's decisions.
type session struct {
	tx       *store.Tx
	cfg      Config
	projects map[event.ProjectID]*project
	issues   map[int64]store.Issue
	paces    map[int64]*store.AlertPace
	budget   alert.Budget
	settled  store.SettledAlerts
	queued   int
	full     bool // there may be more
}

func newSession(tx *store.Tx, cfg Config) *session {
	return &session{
		tx: tx, cfg: cfg, projects: make(map[event.ProjectID]*project), issues: make(map[int64]store.Issue),
		paces: make(map[int64]*store.AlertPace), settled: store.SettledAlerts{Fired: make(map[int64]int64)},
	}
}

func (s *session) run() error {
	var err error
	if s.budget, err = s.tx.AlertBudget(); err != nil {
		return err
	}
	pending, err := s.tx.PendingAlerts(chunk)
	if err != nil {
		return err
	}
	s.full = len(pending) == chunk
	if err := s.loadIssues(pending); err != nil {
		return err
	}
	for _, a := range pending {
		if err := s.judge(a); err != nil {
			return err
		}
	}
	if err := s.tx.SettleAlerts(s.settled); err != nil {
		return err
	}
	if err := s.summarize(); err != nil {
		return err
	}
	for _, p := range s.paces {
		if err := s.tx.SetAlertPace(*p); err != nil {
			return err
		}
	}
	return s.tx.SetAlertBudget(s.budget)
}

// judge decides about one occurrence.
func (s *session) judge(a store.Alert) error {
	p, err := s.project(a.Project)
	if err != nil {
		return err
	}
	issue, there := s.issues[a.Issue]
	if !there || p.ID == 0 || issue.State != store.StateOpen { // somebody has seen to it already
		s.settled.Unwanted = append(s.settled.Unwanted, a.ID)
		return nil
	}
	o := alert.Occurrence{Kind: a.Kind, Rule: a.Rule, Level: a.Level, Environment: a.Environment, Title: issue.Title, Tags: a.Tags}
	var verdict alert.Verdict
	if a.Kind == notify.KindNew || o.Counted() { // it happens once; or the counter has seen to it
		verdict = alert.Judge(o, p.plain, p.channels, nil, s.tx.Now())
	} else {
		last, err := s.tx.LastAlerts(issue.ID, a.Kind)
		if err != nil {
			return err
		}
		verdict = alert.Judge(o, p.plain, p.channels, last, s.tx.Now())
	}
	switch {
	case len(verdict.Sends) > 0:
		s.settled.Told = append(s.settled.Told, a.ID)
	case verdict.Quiet:
		s.settled.TooSoon = append(s.settled.TooSoon, a.ID)
	default:
		s.settled.Unwanted = append(s.settled.Unwanted, a.ID)
	}
	fired := make(map[int64]bool)
	for _, send := range verdict.Sends {
		if !fired[send.Rule] {
			fired[send.Rule] = true
			s.settled.Fired[send.Rule]++
		}
		if err := s.send(a, send, p, issue); err != nil {
			return err
		}
	}
	return nil
}

// send tells a channel of an occurrence, at once or in its next summary.
func (s *session) send(a store.Alert, to alert.Send, p *project, issue store.Issue) error {
	pace, err := s.pace(to.Channel)
	if err != nil {
		return err
	}
	var atOnce bool
	if pace.Pace, s.budget, atOnce = pace.Admit(s.budget, s.tx.Now()); atOnce {
		s.queued++
		return s.tx.TellAlert(a.ID, to, s.message(a, p.rule(to.Rule), p, issue))
	}
	s.settled.Collected = append(s.settled.Collected, store.CollectedAlert{Alert: a.ID, Channel: to.Channel, Rule: to.Rule})
	pace.Collected = pace.Collected.Add(a.Kind, s.tx.Now())
	return nil
}

// summarize tells channels of what was collected, where that is due.
func (s *session) summarize() error {
	due, err := s.tx.DueSummaries(s.tx.Now())
	if err != nil {
		return err
	}
	for _, d := range due {
		pace, err := s.pace(d.Channel) // as it is by now
		if err != nil {
			return err
		}
		n, putOff := pace.Collected.Total(), false
		if n > 0 {
			if putOff, err = s.tellAll(pace); notThere(err) != nil {
				return err
			}
		}
		if putOff {
			pace.Pace = pace.PutOff(s.tx.Now())
			continue
		}
		pace.Pace = pace.Summed(n, s.tx.Now())
		if *pace, err = s.tx.Summed(*pace); err != nil {
			return err
		}
	}
	return nil
}

// tellAll writes a channel's summary, unless somebody has seen to all of it. It reports
// whether that has to be put off.
func (s *session) tellAll(pace *store.AlertPace) (putOff bool, err error) {
	owner, err := s.tx.ChannelProject(pace.Channel)
	if err != nil {
		return false, err
	}
	p, err := s.project(owner)
	if err != nil || p.ID == 0 {
		return false, err
	}
	issues, err := s.tx.CollectedIssues(*pace, named)
	if err != nil || len(issues) == 0 {
		return false, err
	}
	putOff, err = s.tx.QueueSummary(pace.Channel, s.summary(p, issues, pace.Collected))
	if err == nil && !putOff {
		s.queued++
	}
	return putOff, err
}

func (s *session) pace(channel int64) (*store.AlertPace, error) {
	if s.paces[channel] == nil {
		p, err := s.tx.AlertPace(channel)
		if err != nil {
			return nil, err
		}
		s.paces[channel] = &p
	}
	return s.paces[channel], nil
}

func (s *session) project(id event.ProjectID) (*project, error) {
	if p := s.projects[id]; p != nil {
		return p, nil
	}
	p := &project{}
	s.projects[id] = p
	var err error
	if p.Project, err = s.tx.Project(id); err != nil {
		return p, notThere(err)
	}
	if p.rules, err = s.tx.AlertRules(id); err != nil {
		return nil, err
	}
	for _, r := range p.rules {
		p.plain = append(p.plain, r.Rule)
	}
	p.channels, err = s.tx.OpenChannels(id)
	return p, err
}

func (p *project) rule(id int64) alert.Rule {
	for _, r := range p.plain {
		if r.ID == id {
			return r
		}
	}
	return alert.Rule{}
}

// loadIssues reads what the occurrences are about: of an issue that became a member of
// another meanwhile, that one.
func (s *session) loadIssues(pending []store.Alert) error {
	ids := make([]int64, 0, len(pending))
	for _, a := range pending {
		ids = append(ids, a.Issue)
	}
	issues, err := s.tx.IssuesByID(ids)
	if err != nil {
		return err
	}
	heads := make(map[int64][]int64)
	ids = ids[:0]
	for _, i := range issues {
		if s.issues[i.ID] = i; i.MergedInto != 0 {
			heads[i.MergedInto] = append(heads[i.MergedInto], i.ID)
			ids = append(ids, i.MergedInto)
		}
	}
	merged, err := s.tx.IssuesByID(ids)
	for _, h := range merged {
		for _, member := range heads[h.ID] {
			s.issues[member] = h
		}
	}
	return err
}
