package dashboard

import (
	"net/http"
	"slices"
	"time"

	"sundew/digester/access"
	"sundew/digester/store"
	"sundew/digester/vitals"
)

// systemPage shows whether the installation is well.
type systemPage struct {
	shell
	Head     string
	Fine     bool
	Intake   bool // events are taken
	Problems []vitals.Problem
	Parts    []systemPart
	Regions  []systemRow
	Copies   []systemRow
	Owns     bool // the reader owns the installation
}

// systemPart is a card with numbers.
type systemPart struct {
	Title string
	Facts []systemFact
	Link  string // where there is more
	More  string // what the link says
}

// systemFact is one number of a card.
type systemFact struct {
	Name, Value, Note string
	Bad               bool
}

// systemRow is a region's queue or a dashboard elsewhere.
type systemRow struct {
	Name, State string
	Fine        bool
	Facts       []systemFact
}

// serveSystem is GET /system. It is read before the page's own transaction begins,
// like the ledger: transactions do not nest.
func (d *Dashboard) serveSystem(w http.ResponseWriter, r *http.Request) {
	v := d.cfg.Vitals(r.Context())
	d.read(w, r, ofInstallation(access.Admin), func(_ *store.Rx, r *http.Request) (reply, error) {
		page := d.systemPageOf(v)
		page.Owns = who(r).Owns()
		return show("system", page), nil
	})
}

func (d *Dashboard) systemPageOf(v vitals.Vitals) systemPage {
	verdict := vitals.Judge(v)
	page := systemPage{
		shell: shell{Title: "System", Trail: d.trail()}, Problems: verdict.Problems,
		Fine: verdict.Ready(), Intake: verdict.IntakeReady(), Head: "Everything works.",
		Parts: []systemPart{d.systemQueue(v), systemDigester(v), systemStorage(v), d.systemMail(v), systemChannels(v), systemProcess(v)},
	}
	switch n := int64(len(verdict.Problems)); {
	case !verdict.IntakeReady():
		page.Head = "Events are not accepted."
	case !verdict.DigestReady() && !slices.ContainsFunc(verdict.Problems, func(p vitals.Problem) bool { return p.StopsDigest && p.Part != "disk" }):
		page.Head = "It works now, but the disk is almost full."
	case !verdict.DigestReady():
		page.Head = "Events are accepted, and do not become visible in time."
	case n > 0:
		page.Head = "It works, but " + formatCounted(n, "thing") + " should be looked at."
		if n == 1 {
			page.Head = "It works, but one thing should be looked at."
		}
	}
	for _, q := range v.Queues {
		page.Regions = append(page.Regions, systemRow{Name: q.Name, Fine: q.Failing == (vitals.Trouble{}), State: systemState(q.Failing), Facts: []systemFact{
			{Name: "Waiting", Value: formatCount(q.Waiting)}, {Name: "In flight", Value: formatCount(q.InFlight)},
			{Name: "Oldest", Value: formatSpan(q.Oldest)}, {Name: "Dead letters", Value: formatCount(q.DeadLetters), Bad: q.DeadLetters > 0},
		}})
	}
	for _, c := range v.Copies {
		asked := "never"
		if !c.Asked.IsZero() {
			asked = formatAgo(v.At.Sub(c.Asked))
		}
		page.Copies = append(page.Copies, systemRow{Name: c.Name, Fine: c.Failing == (vitals.Trouble{}), State: systemState(c.Failing), Facts: []systemFact{
			{Name: "Behind by", Value: formatSpan(c.Age), Bad: c.Age > v.Limits.CopyLag}, {Name: "Answered", Value: asked},
		}})
	}
	return page
}

func systemState(t vitals.Trouble) string {
	if t == (vitals.Trouble{}) {
		return "works"
	}
	return t.What
}

func (d *Dashboard) systemQueue(v vitals.Vitals) systemPart {
	oldest := "nothing waits"
	if v.Queue.Oldest > 0 {
		oldest = formatSpan(v.Queue.Oldest)
	}
	part := systemPart{Title: "Queue", Facts: []systemFact{
		{Name: "Messages in it", Value: formatCount(v.Queue.InFlight)},
		{Name: "The oldest waits for", Value: oldest, Bad: v.Queue.Oldest > v.Limits.QueueAge},
		{Name: "Accepted this hour", Value: formatCount(v.Database.ThisHour)},
		{Name: "Accepted in the 24 hours before", Value: formatCount(v.Database.Yesterday)},
		{Name: "Dead letters", Value: formatCount(v.Queue.DeadLetters), Bad: v.Queue.DeadLetters > 0},
		{Name: "Lost", Value: formatCount(v.Queue.Lost), Bad: v.Queue.Lost > 0},
		{Name: "File", Value: formatSize(v.Queue.Bytes)},
	}}
	if d.cfg.hasDeadLetters() {
		part.Link, part.More = d.links.deadLetters(), "Dead letters"
	}
	if !v.Intake.Here {
		part.Facts = append([]systemFact{{Name: "Intake", Value: "elsewhere"}}, part.Facts...)
	}
	return part
}

func systemDigester(v vitals.Vitals) systemPart {
	speed := "not known yet"
	if v.Digester.Lately > 0 {
		speed = formatCounted(int64(v.Digester.PerMinute+0.5), "message") + " a minute"
	}
	part := systemPart{Title: "Digesting", Facts: []systemFact{
		{Name: "State", Value: systemState(v.Digester.Held), Bad: v.Digester.Held != (vitals.Trouble{})},
		{Name: "Last batch", Value: systemAgo(v.At, v.Digester.LastBatch, "none since the start")},
		{Name: "Lately", Value: speed},
		{Name: "Batches since the start", Value: formatCount(v.Digester.Batches)},
		{Name: "The queue answered", Value: systemAgo(v.At, v.Digester.LastReceive, "not yet")},
	}}
	if v.Digester.Lately > 0 {
		part.Facts[2].Note = "over " + formatSpan(v.Digester.Lately)
	}
	return part
}

func systemStorage(v vitals.Vitals) systemPart {
	disk := systemFact{Name: "Disk", Value: "not known"}
	if v.Disk.Total > 0 {
		disk = systemFact{Name: "Disk", Value: formatSize(v.Disk.Free) + " free", Note: percent(v.Disk.Free, v.Disk.Total) + " of " + formatSize(v.Disk.Total), Bad: v.Disk.Free < v.Limits.DiskFree}
	}
	facts := []systemFact{disk, {Name: "Database", Value: formatSize(v.Database.Bytes)}}
	if v.Database.Server {
		facts[1].Note = "on a libSQL server"
	} else {
		facts = append(facts, systemFact{Name: "Write-ahead log", Value: formatSize(v.Database.WAL)})
	}
	facts = append(facts, systemFact{Name: "Events", Value: formatCount(v.Database.Events)},
		systemFact{Name: "Issues", Value: formatCount(v.Database.Issues)}, systemFact{Name: "Projects", Value: formatCount(v.Database.Projects)})
	backup := systemFact{Name: "Continuous backup", Value: "off"}
	if v.Backup.On {
		backup = systemFact{Name: "Continuous backup", Value: systemAgo(v.At, v.Backup.LastCopy, "not yet"), Bad: v.Backup.Failing != (vitals.Trouble{}), Note: v.Backup.Failing.What}
	}
	files := systemFact{Name: "Backup files", Value: "off"}
	if v.Files.On {
		files = systemFact{Name: "Backup files", Value: systemAgo(v.At, v.Files.Last, "none yet"), Bad: v.Files.Failing != (vitals.Trouble{}), Note: v.Files.Failing.What}
	}
	return systemPart{Title: "Storage", Facts: append(facts, backup, files)}
}

func (d *Dashboard) systemMail(v vitals.Vitals) systemPart {
	server := systemFact{Name: "Server", Value: "none", Note: "links are handed over"}
	if v.Mail.On {
		server = systemFact{Name: "Server", Value: "set up"}
	}
	waiting := systemFact{Name: "Waiting", Value: formatCount(v.Mail.Waiting), Bad: v.Mail.On && v.Mail.Oldest > v.Limits.MailAge}
	if v.Mail.Waiting > 0 {
		waiting.Note = "the oldest for " + formatSpan(v.Mail.Oldest)
	}
	return systemPart{Title: "Mail", Link: d.links.outbox(), More: "All mail", Facts: []systemFact{
		server, waiting,
		{Name: "Given up", Value: formatCount(v.Mail.GivenUp), Bad: v.Mail.GivenUp > 0},
	}}
}

func systemChannels(v vitals.Vitals) systemPart {
	c := v.Channels
	waiting := systemFact{Name: "Waiting", Value: formatCount(c.Waiting), Bad: c.Oldest > v.Limits.MailAge}
	if c.Waiting > 0 {
		waiting.Note = "the oldest for " + formatSpan(c.Oldest)
	}
	return systemPart{Title: "Channels", Facts: []systemFact{
		{Name: "Did not take the last message", Value: formatCount(c.Failing), Bad: c.Failing > 0},
		waiting,
		{Name: "Given up in the last day", Value: formatCount(c.GivenUp), Bad: c.GivenUp > 0},
	}}
}

func systemProcess(v vitals.Vitals) systemPart {
	runs := v.Role
	if runs == "digest" {
		runs = "everything but intake"
	}
	return systemPart{Title: "This process", Facts: []systemFact{
		{Name: "Version", Value: v.Version},
		{Name: "Runs", Value: runs},
		{Name: "Started", Value: systemAgo(v.At, v.Started, "unknown")},
	}}
}

// systemAgo says how long before now something was.
func systemAgo(now, then time.Time, never string) string {
	if then.IsZero() {
		return never
	}
	return formatAgo(now.Sub(then))
}
