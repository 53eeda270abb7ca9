package digest

import (
	"time"

	"sundew/schema/event"
)

// Report is the life of one batch.
type Report struct {
	Received time.Time // from the queue
	Prepared time.Time
	Begun    time.Time // when the batch before it was finished, and its own commits began
	Decided  time.Time // when all were committed, dropped or left
	Durable  time.Time // when that was on disk; zero: nothing was decided
	Done     time.Time // when the queue had deleted them
	Tally    Tally
	Messages []Reported
}

// Reported is what became of one message.
type Reported struct {
	Project event.ProjectID // zero: it could not be told
	EventID event.ID
	Outcome string
}

// tell reports a batch that is over.
func (d *Digester) tell(b *batch) {
	if d.cfg.Report == nil {
		return
	}
	b.report.Done = time.Now()
	b.report.Messages = make([]Reported, len(b.items))
	for i := range b.items {
		it := &b.items[i]
		b.report.Messages[i].Outcome = it.outcome
		if it.ready != nil {
			b.report.Messages[i].Project, b.report.Messages[i].EventID = it.ready.in.Project, it.ready.in.EventID
		}
	}
	d.cfg.Report(b.report)
}
