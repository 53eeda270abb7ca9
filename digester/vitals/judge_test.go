package vitals

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func well() Vitals {
	now := time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)
	return Vitals{
		At: now, Started: now.Add(-time.Hour),
		Intake:   Intake{Here: true},
		Digester: Digester{LastReceive: now.Add(-time.Second)},
		Queue:    Queue{InFlight: 3, Oldest: time.Second},
		Disk:     Disk{Free: 10 << 30, Total: 20 << 30},
		Backup:   Backup{On: true, LastCopy: now.Add(-time.Second)},
		Mail:     Mail{On: true, Waiting: 1, Oldest: time.Minute},
		Channels: Channels{Waiting: 1, Oldest: time.Minute},
		Queues:   []Remote{{Name: "eu-central-1"}},
		Copies:   []Copy{{Name: "tokyo", Age: time.Second, Asked: now}},
		Limits:   Limits{QueueAge: time.Minute, Idle: time.Minute, DiskFree: 1 << 30, CopyLag: 30 * time.Second, MailAge: time.Hour, BackupAge: 48 * time.Hour},
	}
}

// Every state that can fail, alone: which question it answers with no, which words
// say what it is and what to do.
func TestJudge(t *testing.T) {
	broken := Trouble{What: "it broke", Do: "Mend it."}
	tests := map[string]struct {
		edit           func(*Vitals)
		part           string
		intake, digest bool // still ready?
		says           string
	}{
		"intake refuses":        {func(v *Vitals) { v.Intake.Refusing = broken }, "intake", false, true, "intake answers 503"},
		"digesting is held":     {func(v *Vitals) { v.Digester.Held = broken }, "digester", true, false, "digesting is held"},
		"nothing is received":   {func(v *Vitals) { v.Digester.LastReceive = v.At.Add(-time.Hour) }, "digester", true, false, "not receiving"},
		"the queue lags":        {func(v *Vitals) { v.Queue.Oldest = 61 * time.Second }, "queue", true, false, "lags behind"},
		"the database is away":  {func(v *Vitals) { v.Database.Broken, v.Queue = broken, Queue{} }, "database", true, false, "cannot be read"},
		"the disk fills":        {func(v *Vitals) { v.Disk.Free = 1<<30 - 1 }, "disk", true, false, "almost full"},
		"the disk is unknown":   {func(v *Vitals) { v.Disk = Disk{Unknown: broken} }, "disk", true, true, "cannot be asked"},
		"dead letters":          {func(v *Vitals) { v.Queue.DeadLetters = 2 }, "ledger", true, true, "2 messages are set aside"},
		"lost messages":         {func(v *Vitals) { v.Queue.Lost = 1 }, "ledger", true, true, "1 accepted message is neither"},
		"the backup fails":      {func(v *Vitals) { v.Backup.Failing = broken }, "backup", true, true, "the last copy is 1s old"},
		"the first backup does": {func(v *Vitals) { v.Backup = Backup{On: true, Failing: broken} }, "backup", true, true, "never worked"},
		"no backup file":        {func(v *Vitals) { v.Files = BackupFiles{On: true, Failing: broken} }, "backup", true, true, "there is none"},
		"an old backup file":    {func(v *Vitals) { v.Files = BackupFiles{On: true, Last: v.At.Add(-50 * time.Hour)} }, "backup", true, true, "the newest is 50h old"},
		"a region is away":      {func(v *Vitals) { v.Queues[0].Failing = broken }, "queue", true, true, "eu-central-1 does not work"},
		"a region lags":         {func(v *Vitals) { v.Queues[0].Oldest = 3 * time.Minute }, "queue", true, true, "eu-central-1 lags"},
		"a region's letters":    {func(v *Vitals) { v.Queues[0].DeadLetters = 1 }, "ledger", true, true, "1 message of eu-central-1"},
		"a copy is away":        {func(v *Vitals) { v.Copies[0].Failing = broken }, "copies", true, true, "tokyo is not well"},
		"a copy is behind":      {func(v *Vitals) { v.Copies[0].Age = 3 * time.Minute }, "copies", true, true, "tokyo is 3m behind"},
		"mail waits":            {func(v *Vitals) { v.Mail.Oldest = 2 * time.Hour }, "mail", true, true, "1 mail waits, the oldest for 2h"},
		"a channel fails":       {func(v *Vitals) { v.Channels.Failing = 1 }, "channels", true, true, "1 channel did not take the last message"},
		"messages wait":         {func(v *Vitals) { v.Channels.Waiting, v.Channels.Oldest = 2, 2*time.Hour }, "channels", true, true, "2 messages to channels wait, the oldest for 2h"},
		"messages are given up": {func(v *Vitals) { v.Channels.GivenUp = 1 }, "channels", true, true, "1 message to channels was given up in the last day"},
		"mail is given up":      {func(v *Vitals) { v.Mail.GivenUp = 2 }, "mail", true, true, "2 mails were given up"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			v := well()
			tt.edit(&v)
			got := Judge(v)
			if len(got.Problems) != 1 {
				t.Fatalf("%d problems, want one: %+v", len(got.Problems), got.Problems)
			}
			p := got.Problems[0]
			if p.Part != tt.part || !strings.Contains(p.What, tt.says) || p.Do == "" && name != "a region lags" {
				t.Errorf("problem %+v", p)
			}
			if got.IntakeReady() != tt.intake || got.DigestReady() != tt.digest || got.Ready() != (tt.intake && tt.digest) {
				t.Errorf("ready for intake %v, for digesting %v; want %v, %v", got.IntakeReady(), got.DigestReady(), tt.intake, tt.digest)
			}
			if want := "ok"; p.Warning() && got.Status() != want {
				t.Errorf("status %q of a warning", got.Status())
			}
		})
	}
}

func TestWell(t *testing.T) {
	got := Judge(well())
	if diff := cmp.Diff([]Problem(nil), got.Problems, cmp.AllowUnexported(Problem{})); diff != "" || got.Status() != "ok" || got.Advice() != "" || !got.Ready() {
		t.Errorf("status %q, problems (-want +got):\n%s", got.Status(), diff)
	}
	limitless := well()
	limitless.Limits.DiskFree, limitless.Disk.Free = 0, 0
	if got := Judge(limitless); !got.Ready() {
		t.Errorf("without a limit: %q", got.Status())
	}
}

// The worst comes first, with its advice.
func TestOrder(t *testing.T) {
	v := well()
	v.Mail.GivenUp = 1
	v.Queue.Oldest = time.Hour
	v.Intake.Refusing = Trouble{What: "full", Do: "Make room."}
	got := Judge(v)
	var parts []string
	for _, p := range got.Problems {
		parts = append(parts, p.Part)
	}
	if diff := cmp.Diff([]string{"intake", "queue", "mail"}, parts); diff != "" || got.Advice() != "Make room." || !strings.Contains(got.Status(), "503") {
		t.Errorf("status %q, advice %q, order (-want +got):\n%s", got.Status(), got.Advice(), diff)
	}
}
