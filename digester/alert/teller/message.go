package teller

import (
	"sundew/digester/alert"
	"sundew/digester/notify"
	"sundew/digester/store"
)

// message says what happened to one issue.
func (s *session) message(a store.Alert, r alert.Rule, p *project, issue store.Issue) notify.Message {
	m := s.frame(p)
	m.Kind, m.Rule, m.Issue = a.Kind, r.Name, s.issue(issue)
	m.Environment, m.Release = a.Environment, a.Release
	m.Reason, m.At = r.ReasonOf(a.Kind, a.Number), a.At
	return m
}

// summary says what was collected, and names the first of it.
func (s *session) summary(p *project, issues []store.Issue, sum alert.Sum) notify.Message {
	m := s.frame(p)
	m.Kind, m.Reason, m.At, m.OthersCount = notify.KindStorm, sum.Reason(s.tx.Now()), s.tx.Now(), sum.Total()
	for _, i := range issues {
		m.Others = append(m.Others, s.issue(i))
	}
	return m
}

func (s *session) frame(p *project) notify.Message {
	return notify.Message{
		Project:     notify.Project{ID: p.ID, Name: p.Name, URL: s.cfg.Project(p.ID)},
		SettingsURL: s.cfg.Settings(p.ID),
	}
}

func (s *session) issue(i store.Issue) notify.Issue {
	return notify.Issue{
		ID: i.ID, ShortID: i.ShortID(), Title: i.Title, Culprit: i.Culprit,
		Level: i.Level.String(), URL: s.cfg.Issue(i.ID), Events: i.Events, Users: i.Users, FirstSeen: i.FirstSeen, LastSeen: i.LastSeen,
	}
}
