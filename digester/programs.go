package main

import (
	"net/http"
	"time"

	"sundew/digester/api"
	"sundew/digester/dashboard"
	"sundew/digester/mcp"
	"sundew/digester/release"
	"sundew/functions/ingest/edge"
)

// openPrograms opens what programs and agents ask.
func (s *service) openPrograms() (err error) {
	address := func(r *http.Request) string { return edge.ClientAddress(r, s.cfg.ProxyHops) }
	s.openShelf()
	s.api, err = api.New(api.Config{
		Replica: s.replica, DB: s.db, PublicURL: s.url, Now: time.Now, Log: s.log, Version: release.Version(),
		Address: address, Used: s.dashboard.NoteToken,
		EventJSON: dashboard.ReadableJSON, EventMarkdown: s.dashboard.EventMarkdown,
		Mail: s.callPostman(), Courier: s.courier.Call, CheckURL: s.outbound.Check,
		Ledger: s.books, Vitals: s.vitals, Dead: s.deadQueues(),

		ProxyHops: s.cfg.ProxyHops, UploadRequest: s.cfg.UploadRequest, ArtifactBytes: s.cfg.ArtifactBytes, Assemble: s.shelf.Wake, Retention: s.cfg.Retention,
	})
	if err != nil {
		return err
	}
	s.agents = mcp.New(mcp.Config{API: s.api, Version: release.Version(), Now: time.Now, Log: s.log, Address: address, Event: s.dashboard.EventMarkdown})
	return nil
}
