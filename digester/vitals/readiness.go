package vitals

import "time"

// Readiness is whether a process is ready, and what is wrong: the answer of
// /health/ready.
type Readiness struct {
	Status         string  `json:"status"` // "ok", or why not
	ReadyForIntake bool    `json:"ready_for_intake"`
	ReadyForDigest bool    `json:"ready_for_digest"`
	Intake         string  `json:"intake"`
	Digester       string  `json:"digester"`
	Advice         string  `json:"advice,omitempty"`      // what to do about it
	LastBatch      string  `json:"last_batch,omitempty"`  // RFC 3339
	QueueAge       float64 `json:"queue_age_seconds"`     // of the oldest message that waits
	InFlight       int64   `json:"in_flight"`             // messages in the queue
	QueueBytes     int64   `json:"queue_bytes"`           //
	DeadLetters    int64   `json:"dead_letters"`          //
	Lost           int64   `json:"lost_messages"`         // accepted, and gone; waiting does not help, so it is no reason to be not ready
	DatabaseAnswer string  `json:"database"`              // "ok" or the error
	DatabaseBytes  int64   `json:"database_bytes"`        //
	WALBytes       int64   `json:"wal_bytes"`             //
	DiskFree       int64   `json:"disk_free_bytes"`       // where SUNDEW_DATA is
	DiskTotal      int64   `json:"disk_total_bytes"`      //
	Backup         string  `json:"backup,omitempty"`      // "ok" or why it does not work, which is no reason to be not ready
	Lag            float64 `json:"digester_idle_seconds"` // since the queue last answered the digester

	Problems []Problem       `json:"problems"`         // the worst first
	Copies   []CopyReadiness `json:"copies,omitempty"` // one that is away does not make this process unready
}

// CopyReadiness is what is said of a dashboard elsewhere.
type CopyReadiness struct {
	Name   string  `json:"name"`
	Status string  `json:"status"` // "ok", or why it does not answer or keep up
	Lag    float64 `json:"lag_seconds"`
}

// NewReadiness puts a reading, and what Judge says of it, into the answer.
func NewReadiness(v Vitals) Readiness {
	verdict := Judge(v)
	answer := Readiness{
		Status: verdict.Status(), Advice: verdict.Advice(), Problems: verdict.Problems,
		ReadyForIntake: v.Intake.Here && verdict.IntakeReady(), ReadyForDigest: verdict.DigestReady(),
		Intake: okOr(v.Intake.Refusing), Digester: okOr(v.Digester.Held), DatabaseAnswer: okOr(v.Database.Broken),
		QueueAge: v.Queue.Oldest.Seconds(), InFlight: v.Queue.InFlight, QueueBytes: v.Queue.Bytes,
		DeadLetters: v.Queue.DeadLetters, Lost: v.Queue.Lost,
		DatabaseBytes: v.Database.Bytes, WALBytes: v.Database.WAL, DiskFree: v.Disk.Free, DiskTotal: v.Disk.Total,
	}
	if answer.Problems == nil {
		answer.Problems = []Problem{}
	}
	for _, p := range verdict.Problems {
		if p.Part == "digester" && answer.Digester == "ok" {
			answer.Digester = p.Detail
		}
	}
	if v.Backup.On {
		answer.Backup = okOr(v.Backup.Failing)
	}
	if !v.Digester.LastBatch.IsZero() {
		answer.LastBatch = v.Digester.LastBatch.UTC().Format(time.RFC3339)
	}
	if !v.Digester.LastReceive.IsZero() {
		answer.Lag = v.At.Sub(v.Digester.LastReceive).Seconds()
	}
	for _, c := range v.Copies {
		answer.Copies = append(answer.Copies, CopyReadiness{Name: c.Name, Status: okOr(c.Failing), Lag: c.Age.Seconds()})
	}
	return answer
}

func okOr(t Trouble) string {
	if t == (Trouble{}) {
		return "ok"
	}
	return t.What
}
