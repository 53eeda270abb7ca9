package main

import (
	"sundew/digester/alert/teller"
	"sundew/digester/dashboard"
)

// newTeller returns what tells channels of what happens to issues.
func (s *service) newTeller() *teller.Teller {
	pages := dashboard.NewAddresses(s.url)
	return teller.New(teller.Config{
		Replica: s.replica, DB: s.db, Log: s.log,
		Issue: pages.Issue, Project: pages.Project, Settings: pages.AlertSettings, Sent: s.courier.Call,
	})
}
