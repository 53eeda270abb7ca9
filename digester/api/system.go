package api

import (
	"net/http"

	"sundew/digester/access"
	"sundew/digester/ledger"
	"sundew/digester/vitals"
	"sundew/schema/event"
)

// systemRoutes are about whether the installation is well, and where everything went.
func (a *API) systemRoutes() {
	const tag = "Installation"
	const own = "Sundew's own, for admins of the installation."
	look, admin := access.ReadOrg|writeOrg, ofInstallation(access.Admin)
	raw[None, System](a, "GET", "/organizations/{org}/system/", look, admin, Doc{Tag: tag, Summary: "Whether the installation is well, and what to do if not",
		Text: own + " What /health/ready says, with the numbers of the page of the system. The status is 200 also where something is wrong."}, a.system)
	raw[None, ledger.Books](a, "GET", "/organizations/{org}/ledger/", look, admin, Doc{Tag: tag, Summary: "Where everything went that was accepted",
		Text: own + " The same as /ledger.json: accepted = digested + duplicate + dropped + in flight."}, a.ledger)
	raw[None, ProjectLedger](a, "GET", "/projects/{org}/{project}/ledger/", readProjects, ofProject(access.Viewer), Doc{Tag: tag, Summary: "Where everything of a project went that was accepted",
		Text: "Sundew's own: what the ledger has of the project, with its last 48 hours and its gaps."}, a.projectLedger)
}

// System is one reading of everything that can be wrong.
type System struct {
	vitals.Readiness
	Version          string        `json:"version"`
	Role             string        `json:"role"` // of the process: everything or digest
	Started          Time          `json:"started"`
	AcceptedThisHour int64         `json:"accepted_this_hour"`
	AcceptedBefore   int64         `json:"accepted_24_hours_before"`
	PerMinute        float64       `json:"digested_per_minute"`
	Batches          int64         `json:"batches"` // since the start
	Events           int64         `json:"events"`
	Issues           int64         `json:"issues"`
	Projects         int64         `json:"projects"`
	BackupCopied     Time          `json:"backup_copied"` // by the continuous backup; null: it is off, or there is none yet
	BackupFile       Time          `json:"backup_file"`   // when the newest began; null: there is none
	Mail             SystemWaits   `json:"mail"`
	MailServer       bool          `json:"mail_server"` // there is one that takes mail
	Channels         SystemWaits   `json:"channels"`
	Failing          int64         `json:"channels_failing"` // whose last attempt failed
	Queues           List[QueueIs] `json:"queues"`           // of regions
}

// SystemWaits is what waits to be sent.
type SystemWaits struct {
	Waiting int64   `json:"waiting"`
	Oldest  float64 `json:"oldest_seconds"`
	GivenUp int64   `json:"given_up"` // mail of the last month, messages of the last day
}

// QueueIs is how the queue of a region is.
type QueueIs struct {
	Name        string  `json:"name"`
	Status      string  `json:"status"` // ok, or why it does not work
	Waiting     int64   `json:"waiting"`
	InFlight    int64   `json:"in_flight"`
	DeadLetters int64   `json:"dead_letters"`
	Oldest      float64 `json:"oldest_seconds"`
}

func (a *API) system(w http.ResponseWriter, r *request) error {
	if a.cfg.Vitals == nil {
		return errReadOnly
	}
	v := a.cfg.Vitals(r.Context())
	system := System{
		Readiness: vitals.NewReadiness(v), Version: v.Version, Role: v.Role, Started: Time{v.Started},
		AcceptedThisHour: v.Database.ThisHour, AcceptedBefore: v.Database.Yesterday, PerMinute: v.Digester.PerMinute, Batches: v.Digester.Batches,
		Events: v.Database.Events, Issues: v.Database.Issues, Projects: v.Database.Projects, BackupCopied: Time{v.Backup.LastCopy}, BackupFile: Time{v.Files.Last},
		Mail: SystemWaits{v.Mail.Waiting, v.Mail.Oldest.Seconds(), v.Mail.GivenUp}, MailServer: v.Mail.On,
		Channels: SystemWaits{v.Channels.Waiting, v.Channels.Oldest.Seconds(), v.Channels.GivenUp}, Failing: v.Channels.Failing,
	}
	for _, q := range v.Queues {
		status := "ok"
		if q.Failing != (vitals.Trouble{}) {
			status = q.Failing.What
		}
		system.Queues = append(system.Queues, QueueIs{q.Name, status, q.Waiting, q.InFlight, q.DeadLetters, q.Oldest.Seconds()})
	}
	r.send(w, system)
	return nil
}

func (a *API) ledger(w http.ResponseWriter, r *request) error {
	if a.cfg.Ledger == nil {
		return errReadOnly
	}
	books, err := a.cfg.Ledger(r.Context())
	if err == nil {
		r.send(w, books)
	}
	return err
}

// ProjectLedger is the books of a project.
type ProjectLedger struct {
	ledger.Project
	Hours List[ledger.Hour] `json:"hours"` // the newest first; those in which nothing happened are left out
	Gaps  List[ledger.Gap]  `json:"gaps"`  // lost ones first
}

func (a *API) projectLedger(w http.ResponseWriter, r *request) error {
	if a.cfg.Ledger == nil {
		return errReadOnly
	}
	books, err := a.cfg.Ledger(r.Context())
	if err != nil {
		return err
	}
	r.send(w, newProjectLedger(books, r.project.ID))
	return nil
}

func newProjectLedger(books *ledger.Books, id event.ProjectID) ProjectLedger {
	var view ProjectLedger
	if p := books.ByProject[id]; p != nil {
		view.Project = *p
	}
	if view.Dropped == nil {
		view.Dropped = make(map[string]int64)
	}
	for _, h := range books.Hours {
		if h.Project == id {
			view.Hours = append(view.Hours, h)
		}
	}
	for _, g := range books.Gaps {
		if g.Project == id {
			view.Gaps = append(view.Gaps, g)
		}
	}
	return view
}
