package main

import "math"

// List prices of us-east-1 in dollars, as of November 2026, without free tiers.
// Source: the price pages of AWS Lambda, SQS, S3, CloudWatch, API Gateway, EC2, EBS
// and VPC; the surcharge of fair queues is from a third party's page. Other regions
// differ by up to a third.
const (
	lambdaRequest = 0.20 / 1e6           // a request
	lambdaGBs     = 0.0000133334         // a GB-second on arm64
	sqsRequest    = 0.40 / 1e6           // a request of up to 64 KiB, standard queue
	sqsFair       = 0.10 / 1e6           // on top, for a send with a message group
	s3Put         = 5.00 / 1e6           // an object written
	s3Get         = 0.40 / 1e6           // an object read
	logByte       = 0.50 / gib           // ingested by CloudWatch Logs
	transferByte  = 0.02 / gib           // between regions
	httpRequest   = 1.00 / 1e6           // by an HTTP API
	ec2Hour       = 0.0168               // t4g.small
	ipv4Hour      = 0.005                // a public address
	diskGB        = 0.08                 // gp3, a month
	snapshotGB    = 0.05                 // a month
	metric        = 0.30                 // of one's own, a month
	alarm         = 0.10                 // a month
	pollMonth     = 0.131e6 * sqsRequest // one receiver of an empty queue, 20 s a request
)

const (
	gib          = 1 << 30
	hours        = 730      // of a month
	chunk        = 64 << 10 // what SQS counts as one request
	batch        = 10       // messages of a receive or delete
	envelopeSize = 300      // what a message adds to its body
)

// Load is what reports to Sundew and how it is set up.
type Load struct {
	Events       float64 // a month
	WireBytes    float64 // one event as queued, compressed, before base64
	MemoryMB     float64 // of the function
	Milliseconds float64 // billed for one event, mostly waiting for SQS
	ColdShare    float64 // of requests that start an instance
	ColdMs       float64 // what such a start is billed for
	HTTPAPI      bool    // an HTTP API in front, for a domain of one's own
	Fair         bool    // message groups, so that one project cannot hold up the others
	LogBytes     float64 // logged by the function for one event
	RemoteShare  float64 // of events that cross to the digester from another region
	ClaimShare   float64 // of events too large for the queue
	Regions      float64 // with an edge
	Alarms       float64 // in all stacks
	Metrics      float64 // that the host's agent sends
	VolumeGB     float64 // of the data volume, before events
	SnapshotGB   float64 // that differs between snapshots
	StoredBytes  float64 // one event in the database
	KeptDays     float64 // retention
}

// Bill is what a month costs in dollars.
type Bill struct {
	Lambda, Queue, Front, Logs, Transfer, Objects float64 // by events
	Host, Disk, Polling, Watching                 float64 // fixed but for what events take of the disk
}

// Cost returns the bill of a month. It knows one t4g.small; from some tens of
// millions of events a month on, a larger host is needed.
func Cost(l Load) Bill {
	size := math.Ceil(l.WireBytes*4/3) + envelopeSize
	chunks := math.Ceil(size / chunk)
	perEvent := sqsRequest * (chunks + math.Ceil(batch*size/chunk)/batch + 1.0/batch)
	if l.Fair {
		perEvent += sqsFair * chunks
	}
	b := Bill{
		Lambda:   l.Events * (lambdaRequest + l.MemoryMB/1024*(l.Milliseconds+l.ColdShare*l.ColdMs)/1000*lambdaGBs),
		Queue:    l.Events * perEvent,
		Logs:     l.Events * l.LogBytes * logByte,
		Transfer: l.Events * l.RemoteShare * size * transferByte,
		Objects:  l.Events * l.ClaimShare * (s3Put + s3Get),
		Host:     hours * (ec2Hour + ipv4Hour),
		Disk:     (l.VolumeGB+l.Events*l.KeptDays/30*l.StoredBytes/1e9)*diskGB + l.SnapshotGB*snapshotGB,
		Polling:  l.Regions * pollMonth,
		Watching: l.Alarms*alarm + l.Metrics*metric,
	}
	if l.HTTPAPI {
		b.Front = l.Events * httpRequest
	}
	return b
}

// ByEvents is the part that grows with every event, but for the disk.
func (b Bill) ByEvents() float64 {
	return b.Lambda + b.Queue + b.Front + b.Logs + b.Transfer + b.Objects
}

// Total is everything.
func (b Bill) Total() float64 {
	return b.ByEvents() + b.Host + b.Disk + b.Polling + b.Watching
}
