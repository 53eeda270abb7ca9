// Package vitals says whether an installation is well, and what to do if not.
//
// It exists so that /health/ready, the metrics and the dashboard's page of the
// system cannot disagree: all of them show one reading, and Judge is the only place
// that says what of it is too much. Rules: the package is pure; a problem always says
// what is wrong in a sentence for people, and what to do if anything helps. Only two
// questions make a process unready, whether it takes events and whether they become
// visible in time; everything else is a warning.
package vitals

import "time"

// Vitals are one reading of everything that can be wrong.
type Vitals struct {
	At       time.Time
	Started  time.Time // when the process began
	Version  string
	Role     string // of the process: "everything" or "digest"
	Intake   Intake
	Digester Digester
	Queue    Queue
	Database Database
	Disk     Disk
	Backup   Backup
	Files    BackupFiles
	Mail     Mail
	Channels Channels
	Queues   []Remote // of regions
	Copies   []Copy
	Limits   Limits
}

// Limits say from where on something is a problem.
type Limits struct {
	QueueAge time.Duration // of the oldest message that waits
	Idle     time.Duration // since the queue last answered the digester
	DiskFree int64         // bytes; 0: any will do
	CopyLag  time.Duration // how old a copy elsewhere may be
	MailAge  time.Duration // of the oldest mail that waits, and of the oldest message to a channel

	BackupAge time.Duration // of the newest backup file
}

// Trouble is why something does not work. The zero value: it does.
type Trouble struct {
	What string // the error
	Do   string // about it; empty: nothing can be said that the error does not
}

// Intake is the process's own.
type Intake struct {
	Here     bool    // this process takes events
	Refusing Trouble // why they are answered with 503
}

// Digester is what makes messages visible.
type Digester struct {
	Held        Trouble
	LastReceive time.Time // when the local queue last answered it; zero: not yet
	LastBatch   time.Time // zero: not since the process began
	Batches     int64     // since the process began
	PerMinute   float64   // messages decided a minute, lately
	Lately      time.Duration
}

// Queue is the local one.
type Queue struct {
	InFlight    int64         // messages accepted and not decided
	Oldest      time.Duration // how long the oldest has waited
	Bytes       int64         // of its file
	DeadLetters int64
	Lost        int64 // accepted, and neither decided nor in the queue
}

// Database is where events are.
type Database struct {
	Broken    Trouble // why it cannot be read
	Server    bool    // it is a libSQL server, not a file
	Bytes     int64   // without the WAL
	WAL       int64   // bytes of the WAL's file
	Events    int64
	Issues    int64
	Projects  int64
	ThisHour  int64 // messages accepted in the hour that is not over
	Yesterday int64 // in the 24 hours before it
}

// Disk is the file system of the data directory.
type Disk struct {
	Unknown Trouble // why nothing is known
	Free    int64   // bytes that the process may use
	Total   int64
}

// Backup is the continuous one.
type Backup struct {
	On       bool
	Failing  Trouble
	LastCopy time.Time // when everything written by then was there; zero: not yet
}

// BackupFiles are the backups that are made by the clock.
type BackupFiles struct {
	On      bool
	Failing Trouble   // of the last attempt
	Last    time.Time // when the newest began; zero: there is none
}

// Mail is the outbox.
type Mail struct {
	On      bool          // there is a server that takes mail
	Waiting int64         // for an attempt
	Oldest  time.Duration // how long the oldest of these has waited
	GivenUp int64         // of the last month
}

// Channels are those of all projects, where messages about issues go.
type Channels struct {
	Failing int64         // whose last attempt failed
	Waiting int64         // messages, by recipient
	Oldest  time.Duration // how long the oldest of these has waited
	GivenUp int64         // messages of the last day
}

// Remote is the queue of a region.
type Remote struct {
	Name        string
	Failing     Trouble
	Waiting     int64
	InFlight    int64
	DeadLetters int64
	Oldest      time.Duration
}

// Copy is a dashboard elsewhere that reads a copy of the database.
type Copy struct {
	Name    string
	Failing Trouble       // why it does not answer, or does not keep up
	Age     time.Duration // since the primary wrote the last that it has
	Asked   time.Time     // when it last answered; zero: not yet
}
