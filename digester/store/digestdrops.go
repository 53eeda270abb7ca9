package store

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"sundew/schema/event"
	"sundew/schema/quota"
	"sundew/schema/wire"
)

// A flood that got past the edges must not get the better of the one writer by being
// dropped: what is over a quota is decided before, from memory, and all of a batch is
// noted in one transaction. In the books each message counts as any other.

// overQuota reports whether a message is dropped because of a quota.
func (in *Incoming) overQuota() bool {
	return in.Drop == quota.ReasonProject || in.Drop == quota.ReasonInstallation
}

// sift takes the messages that are over a quota from the others; places are where the
// messages of either stand in ins.
func sift(ins []*Incoming) (places, over []int) {
	for i, in := range ins {
		if in.overQuota() {
			over = append(over, i)
		} else {
			places = append(places, i)
		}
	}
	return places, over
}

// digestSifted is DigestBatch where some messages are over a quota. They come last, so
// that the numbers of those that are stored make no gaps.
func (d *DB) digestSifted(ctx context.Context, ins []*Incoming, places, over []int) []Outcome {
	outcomes := make([]Outcome, len(ins))
	pick := func(places []int) []*Incoming {
		picked := make([]*Incoming, len(places))
		for n, i := range places {
			picked[n] = ins[i]
		}
		return picked
	}
	var stopped error
	for n, o := range d.DigestBatch(ctx, pick(places)) {
		if outcomes[places[n]] = o; Stops(o.Err) {
			stopped = o.Err
		}
	}
	dropped := make([]Result, len(over))
	if stopped == nil {
		dropped, stopped = d.dropTogether(ctx, pick(over))
	}
	for n, i := range over {
		outcomes[i] = Outcome{Err: stopped}
		if stopped == nil {
			outcomes[i].Result = dropped[n]
		}
	}
	return outcomes
}

// dropTogether notes in one transaction that messages are dropped.
func (d *DB) dropTogether(ctx context.Context, ins []*Incoming) (results []Result, err error) {
	err = d.exclusively(ctx, "drop over quota", func() error {
		var err error
		for range 2 { // again where something was not as remembered
			results, err = d.tryDrops(ctx, ins)
			if err == nil {
				return nil
			}
			for _, in := range ins {
				d.cache.forget(in)
			}
			if !errors.Is(err, errStale) {
				return err
			}
		}
		return fmt.Errorf("dropping what is over a quota: the database contradicts itself; run check: %v", err) // see digest
	})
	return results, err
}

func (d *DB) tryDrops(ctx context.Context, ins []*Incoming) ([]Result, error) {
	var drops dropping
	err := d.writeLocked(ctx, func(tx *Tx) error {
		d.cache.begin(len(ins))
		if err := d.cache.lookUp(tx.Now, false, ins, tx.ask); err != nil {
			return err
		}
		drops = dropping{cache: d.cache, to: immediate{tx}, now: ms(tx.now), ins: ins, results: make([]Result, len(ins)), lines: make(map[dropLine]int64)}
		return drops.run()
	})
	return drops.results, err
}

// dropping is the plan for messages that are dropped together. What it lets the cache
// know has to be forgotten should the transaction fail.
type dropping struct {
	cache   *digestCache
	to      executor
	now     int64
	ins     []*Incoming
	results []Result
	lines   map[dropLine]int64
	last    map[event.ProjectID]*Incoming // the newest one of each project, for the list of what was dropped
}

// dropLine is a line of the books.
type dropLine struct {
	project          event.ProjectID
	hour             time.Time
	category, reason string
}

func (d *dropping) run() error {
	d.last = make(map[event.ProjectID]*Incoming)
	order := make([]int, len(d.ins))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		a, b := d.ins[i], d.ins[j]
		return cmp.Or(bytes.Compare(a.Instance[:], b.Instance[:]), cmp.Compare(a.Project, b.Project), cmp.Compare(a.Seq, b.Seq))
	})
	for len(order) > 0 {
		n := d.following(order)
		if err := d.drop(order[:n]); err != nil {
			return err
		}
		order = order[n:]
	}
	return d.note()
}

// following returns how many of the first messages have numbers that follow each
// other and are new to their lane, so that they can enter the ledger as one; 1 if none.
func (d *dropping) following(order []int) int {
	first := d.ins[order[0]]
	if lane := d.cache.lanes[laneKey{first.Instance, first.Project}]; lane != nil && int64(first.Seq) <= lane.high {
		return 1
	}
	for n := 1; n < len(order); n++ {
		if in := d.ins[order[n]]; in.Instance != first.Instance || in.Project != first.Project || in.Seq != first.Seq+uint64(n) {
			return n
		}
	}
	return len(order)
}

// drop enters messages with numbers that follow each other.
func (d *dropping) drop(places []int) error {
	p := plan{to: d.to, cache: d.cache, in: d.ins[places[0]], now: d.now, ids: d.cache.ids, behind: int64(len(places) - 1)}
	fresh, err := p.enterLedger()
	if err != nil {
		return err
	}
	p.apply()
	for _, i := range places {
		if d.results[i] = Redelivered; !fresh {
			continue
		}
		in := d.ins[i]
		d.results[i] = Dropped
		d.lines[dropLine{in.Project, in.ReceivedAt.Truncate(time.Hour), in.Category, in.Drop}]++
		if last := d.last[in.Project]; last == nil || !in.ReceivedAt.Before(last.ReceivedAt) {
			d.last[in.Project] = in
		}
	}
	return nil
}

// note adds to the books, and to the list of what was dropped one message of each
// project: a flood is to push nothing else out of it.
func (d *dropping) note() error {
	total := make(map[event.ProjectID]int64)
	for line, n := range d.lines {
		p := plan{to: d.to}
		if err := p.add(wire.Count{
			Project: line.project, Hour: line.hour, Category: line.category, Outcome: outcomeDropped, Reason: line.reason, Quantity: n,
		}); err != nil {
			return err
		}
		total[line.project] += n
	}
	for project, in := range d.last {
		p := plan{to: d.to, in: in, now: d.now}
		detail := in.Detail
		if n := total[project]; n > 1 {
			detail = fmt.Sprintf("%s; it stands for %d that were dropped together", detail, n)
		}
		if err := p.recordReject(in.Drop, detail); err != nil {
			return err
		}
	}
	return nil
}
