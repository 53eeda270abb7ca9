package vitals

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Problem is one thing that is wrong.
type Problem struct {
	Part   string `json:"part"`   // one of Parts
	What   string `json:"what"`   // in a sentence
	Detail string `json:"detail"` // the error behind it, if there is one
	Do     string `json:"do"`     // about it, if anything helps

	// Which question it answers with no. Neither: it is a warning.
	StopsIntake bool `json:"stops_intake"`
	StopsDigest bool `json:"stops_digest"`

	rank int
}

// Parts are what can have a problem.
func Parts() []string {
	return []string{"intake", "digester", "queue", "database", "disk", "ledger", "backup", "copies", "mail", "channels"}
}

// Warning reports whether the process is ready in spite of it.
func (p Problem) Warning() bool { return !p.StopsIntake && !p.StopsDigest }

// Verdict is everything that is wrong, the worst first.
type Verdict struct {
	Problems []Problem
}

// IntakeReady reports whether events are taken.
func (v Verdict) IntakeReady() bool {
	return !slices.ContainsFunc(v.Problems, func(p Problem) bool { return p.StopsIntake })
}

// DigestReady reports whether what is taken becomes visible in time.
func (v Verdict) DigestReady() bool {
	return !slices.ContainsFunc(v.Problems, func(p Problem) bool { return p.StopsDigest })
}

// Ready reports whether both are so.
func (v Verdict) Ready() bool { return v.IntakeReady() && v.DigestReady() }

// Status is "ok", or the worst problem that makes the process unready.
func (v Verdict) Status() string {
	for _, p := range v.Problems {
		if !p.Warning() {
			return p.What
		}
	}
	return "ok"
}

// Advice is what to do about the worst problem about which something can be done.
func (v Verdict) Advice() string {
	for _, p := range v.Problems {
		if p.Do != "" {
			return p.Do
		}
	}
	return ""
}

// Judge says what is wrong.
func Judge(v Vitals) Verdict {
	var all []Problem
	for _, look := range []func(Vitals) []Problem{intake, digester, queue, database, disk, ledger, regions, backup, copies, mail, channels} {
		all = append(all, look(v)...)
	}
	for i := range all {
		all[i].rank = rank(all[i])
	}
	slices.SortStableFunc(all, func(a, b Problem) int { return cmp.Compare(a.rank, b.rank) })
	return Verdict{Problems: all}
}

func rank(p Problem) int {
	switch {
	case p.StopsIntake:
		return 0
	case p.StopsDigest:
		return 1
	}
	return 2
}

func intake(v Vitals) []Problem {
	if v.Intake.Refusing == (Trouble{}) {
		return nil
	}
	return []Problem{{Part: "intake", What: "the queue takes no messages; intake answers 503",
		Detail: v.Intake.Refusing.What, Do: v.Intake.Refusing.Do, StopsIntake: true}}
}

func digester(v Vitals) (all []Problem) {
	d := v.Digester
	if d.Held != (Trouble{}) {
		return []Problem{{Part: "digester", What: "digesting is held; intake goes on", Detail: d.Held.What, Do: d.Held.Do, StopsDigest: true}}
	}
	if !d.LastReceive.IsZero() && v.At.Sub(d.LastReceive) > v.Limits.Idle && v.Queue.InFlight > 0 {
		all = append(all, Problem{Part: "digester", What: "the digester is not receiving", Detail: "no answer from the queue for " + span(v.At.Sub(d.LastReceive)),
			Do: "Look at the process's log and at its disk; if nothing explains it, restart it. Nothing accepted is lost by that.", StopsDigest: true})
	}
	return all
}

func queue(v Vitals) []Problem {
	if v.Queue.Oldest <= v.Limits.QueueAge || v.Database.Broken != (Trouble{}) {
		return nil
	}
	return []Problem{{Part: "queue", What: "the digester lags behind",
		Detail: fmt.Sprintf("the oldest of %d messages has waited for %s, more than %s", v.Queue.InFlight, span(v.Queue.Oldest), span(v.Limits.QueueAge)),
		Do:     "More arrives than one digester stores, or its disk is slow: look at sundew_write_seconds and at the processor. The queue keeps everything, and what waits becomes visible later.", StopsDigest: true}}
}

func database(v Vitals) []Problem {
	if v.Database.Broken == (Trouble{}) {
		return nil
	}
	return []Problem{{Part: "database", What: "the books cannot be read", Detail: v.Database.Broken.What, Do: v.Database.Broken.Do, StopsDigest: true}}
}

func disk(v Vitals) []Problem {
	switch {
	case v.Disk.Unknown != (Trouble{}):
		return []Problem{{Part: "disk", What: "the disk cannot be asked how much room it has", Detail: v.Disk.Unknown.What, Do: v.Disk.Unknown.Do}}
	case v.Limits.DiskFree == 0 || v.Disk.Free >= v.Limits.DiskFree:
		return nil
	}
	return []Problem{{Part: "disk", What: "the disk is almost full; events are taken while there is room",
		Detail: fmt.Sprintf("%d MiB of %d MiB are free, less than %d MiB", v.Disk.Free>>20, v.Disk.Total>>20, v.Limits.DiskFree>>20),
		Do:     "Make room where SUNDEW_DATA is, or give it a larger disk. SUNDEW_DISK_FREE says how much has to be free.", StopsDigest: true}}
}

func ledger(v Vitals) (all []Problem) {
	if n := v.Queue.DeadLetters; n > 0 {
		all = append(all, Problem{Part: "ledger", What: count(n, "message is", "messages are") + " set aside as dead letters",
			Do: "What could not be digested is set aside. /dead-letters says why and puts it back."})
	}
	if n := v.Queue.Lost; n > 0 {
		all = append(all, Problem{Part: "ledger", What: count(n, "accepted message is", "accepted messages are") + " neither stored nor in the queue",
			Do: "Waiting does not help: a disk or a queue lost them. The ledger and `digester check` say which."})
	}
	return all
}

func regions(v Vitals) (all []Problem) {
	for _, q := range v.Queues {
		if q.Failing != (Trouble{}) {
			all = append(all, Problem{Part: "queue", What: "the queue of " + q.Name + " does not work", Detail: q.Failing.What, Do: q.Failing.Do})
		} else if q.Oldest > v.Limits.QueueAge {
			all = append(all, Problem{Part: "queue", What: "the queue of " + q.Name + " lags behind", Detail: "its oldest message is " + span(q.Oldest) + " old"})
		}
		if q.DeadLetters > 0 {
			all = append(all, Problem{Part: "ledger", What: count(q.DeadLetters, "message", "messages") + " of " + q.Name + " set aside as dead letters",
				Do: "/dead-letters says why and puts them back."})
		}
	}
	return all
}

func backup(v Vitals) (all []Problem) {
	if v.Backup.On && v.Backup.Failing != (Trouble{}) {
		since := "it never worked since the process began"
		if !v.Backup.LastCopy.IsZero() {
			since = "the last copy is " + span(v.At.Sub(v.Backup.LastCopy)) + " old"
		}
		all = append(all, Problem{Part: "backup", What: "the continuous backup does not go on; " + since, Detail: v.Backup.Failing.What,
			Do: "Look at the place that SUNDEW_BACKUP names and at the rights to write there. What is not copied waits on the disk."})
	}
	if v.Files.On && (v.Files.Failing != (Trouble{}) || !v.Files.Last.IsZero() && v.At.Sub(v.Files.Last) > v.Limits.BackupAge) {
		newest := "there is none"
		if !v.Files.Last.IsZero() {
			newest = "the newest is " + span(v.At.Sub(v.Files.Last)) + " old"
		}
		all = append(all, Problem{Part: "backup", What: "backup files are not made; " + newest, Detail: v.Files.Failing.What,
			Do: "Look at the directory that SUNDEW_BACKUP_DIR names, at the rights to write there and at its room. It is tried again by itself."})
	}
	return all
}

func copies(v Vitals) (all []Problem) {
	for _, c := range v.Copies {
		if c.Failing != (Trouble{}) {
			all = append(all, Problem{Part: "copies", What: "the copy " + c.Name + " is not well", Detail: c.Failing.What, Do: c.Failing.Do})
		} else if c.Age > v.Limits.CopyLag {
			all = append(all, Problem{Part: "copies", What: "the copy " + c.Name + " is " + span(c.Age) + " behind",
				Do: "Look at the network between it and the backup or the server that it follows."})
		}
	}
	return all
}

func mail(v Vitals) (all []Problem) {
	if v.Mail.On && v.Mail.Oldest > v.Limits.MailAge {
		all = append(all, Problem{Part: "mail", What: count(v.Mail.Waiting, "mail waits", "mails wait") + ", the oldest for " + span(v.Mail.Oldest),
			Do: "The mail page says why the last attempt failed."})
	}
	if v.Mail.GivenUp > 0 {
		all = append(all, Problem{Part: "mail", What: count(v.Mail.GivenUp, "mail was", "mails were") + " given up",
			Do: "The mail page says why, and tries again."})
	}
	return all
}

func channels(v Vitals) (all []Problem) {
	const do = "The settings of each project list its channels, with the last failure of each; a test message shows whether one works."
	if n := v.Channels.Failing; n > 0 {
		all = append(all, Problem{Part: "channels", What: count(n, "channel did", "channels did") + " not take the last message", Do: do})
	}
	if v.Channels.Oldest > v.Limits.MailAge {
		all = append(all, Problem{Part: "channels", What: count(v.Channels.Waiting, "message to channels waits", "messages to channels wait") + ", the oldest for " + span(v.Channels.Oldest), Do: do})
	}
	if n := v.Channels.GivenUp; n > 0 {
		all = append(all, Problem{Part: "channels", What: count(n, "message to channels was", "messages to channels were") + " given up in the last day",
			Do: "The page of each channel says why, and tries again."})
	}
	return all
}

func count(n int64, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// span is a duration as people say it: "40s", "3m", "2h5m".
func span(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return d.Round(time.Second).String()
	case d < 2*time.Hour:
		return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	}
	return strings.TrimSuffix(strings.TrimSuffix(d.Round(time.Hour).String(), "0s"), "0m")
}
