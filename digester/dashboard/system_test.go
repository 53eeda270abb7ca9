package dashboard

import (
	"net/http"
	"testing"
	"time"

	"sundew/digester/vitals"
)

// The page says in a sentence whether it works, what is wrong and what to do.
func TestSystem(t *testing.T) {
	s := newSite(t, nil)
	well := vitals.Vitals{
		At: testNow, Started: testNow.Add(-3 * time.Hour), Version: "1.2.3", Role: "everything",
		Intake:   vitals.Intake{Here: true},
		Digester: vitals.Digester{LastReceive: testNow.Add(-time.Second), LastBatch: testNow.Add(-2 * time.Minute), Batches: 1234, PerMinute: 12.4, Lately: 5 * time.Minute},
		Queue:    vitals.Queue{InFlight: 7, Oldest: 2 * time.Second, Bytes: 4 << 20},
		Database: vitals.Database{Bytes: 3 << 30, WAL: 5 << 20, Events: 5000},
		Disk:     vitals.Disk{Free: 10 << 30, Total: 40 << 30},
		Limits:   vitals.Limits{QueueAge: time.Minute, Idle: time.Minute, DiskFree: 1 << 30, CopyLag: 30 * time.Second, MailAge: time.Hour},
	}
	s.vitals = well
	page := s.mustGet("/system")
	mustContain(t, page, "Everything works.", "12 messages a minute", "10.0 GB free", "25% of 40.0 GB", "2 min ago", "3.0 GB", "5.0 MB", "1,234", "1.2.3", "3 h ago")
	mustLack(t, page, "verdict-bad", "Dashboards elsewhere")

	s.vitals.Queue.DeadLetters = 2
	s.vitals.Copies = []vitals.Copy{{Name: "tokyo", Age: 90 * time.Second, Asked: testNow}}
	page = s.mustGet("/system")
	mustContain(t, page, "It works, but 2 things should be looked at.", "2 messages are set aside", "Dashboards elsewhere", "tokyo is 1m30s behind", "1 min")
	mustLack(t, page, "verdict-bad")

	s.vitals = well
	s.vitals.Channels = vitals.Channels{Failing: 1, Waiting: 3, Oldest: 5 * time.Minute, GivenUp: 4}
	mustContain(t, s.mustGet("/system"), "1 channel did not take the last message", "the oldest for 5 min", "4 messages to channels were given up in the last day")

	s.vitals = well
	s.vitals.Disk.Free = 1 << 20
	mustContain(t, s.mustGet("/system"), "It works now, but the disk is almost full.", "verdict-bad", "Make room")

	s.vitals = well
	s.vitals.Digester.Held = vitals.Trouble{What: "database or disk is full", Do: "Make room."}
	mustContain(t, s.mustGet("/system"), "Events are accepted, and do not become visible in time.", "verdict-bad", "database or disk is full", "Make room.")

	s.vitals.Intake.Refusing = vitals.Trouble{What: "disk I/O error"}
	mustContain(t, s.mustGet("/system"), "Events are not accepted.", "disk I/O error")

	s.signInAs("viewer@example.com", 0)
	if resp := s.get("/system"); resp.StatusCode != http.StatusForbidden {
		t.Errorf("somebody without a role got %d", resp.StatusCode)
	}
}
