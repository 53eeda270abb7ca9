package local

import (
	"context"
	"fmt"

	"sundew/schema/event"
	"sundew/schema/wire"
)

// Send stores msgs, all or none, and returns nil only when they are on disk. It
// then has set Instance and Seq of each; msgs are in order in the queue and in
// their lanes. When it returns ErrStopped, or ctx's error, the messages may have
// been stored all the same: whoever sends again must expect to be delivered
// twice. After any other error they were not.
func (q *Queue) Send(ctx context.Context, msgs []*wire.Message) error {
	if len(msgs) == 0 {
		return nil
	}
	parcels := make([]parcel, len(msgs))
	o := newOp(len(msgs), func(b *batch) error { return b.send(parcels) })
	o.sends = true
	for i, m := range msgs {
		parcels[i] = q.pack(m)
		o.bytes += len(parcels[i].encoded)
	}
	if err := q.do(ctx, o, false); err != nil {
		return fmt.Errorf("sending: %w", err)
	}
	for i, m := range msgs {
		m.Instance, m.Seq = q.cfg.Instance, uint64(parcels[i].seq)
	}
	return nil
}

// parcel is a message ready to be stored. The committer has to own what it
// stores, since Send may return before it is done, so the message is encoded
// early, on the sender's goroutine, and its number put in later.
type parcel struct {
	project  event.ProjectID
	received int64 // Unix milliseconds; zero: when it is stored
	encoded  []byte
	seq      int64 // set by the committer
}

func (q *Queue) pack(m *wire.Message) parcel {
	numbered := *m
	numbered.Instance, numbered.Seq = q.cfg.Instance, 0
	p := parcel{project: m.Project, encoded: numbered.Encode(make([]byte, 0, m.EncodedLen()))}
	if !m.ReceivedAt.IsZero() {
		p.received = m.ReceivedAt.UnixMilli()
	}
	return p
}

// send stores parcels and numbers them.
func (b *batch) send(parcels []parcel) error {
	stmt := &b.q.stmt
	for i := range parcels {
		p := &parcels[i]
		l := b.lane(p.project)
		l.high++
		l.lastID = b.nextID
		b.nextID++
		b.lanes[p.project] = l
		p.seq = l.high
		wire.PutSeq(p.encoded, uint64(p.seq))
		if p.received == 0 {
			p.received = b.now
		}
		if err := b.exec(stmt.insertMessage, l.lastID, l.id, p.seq, visibleNow, p.received); err != nil {
			return fmt.Errorf("storing a message: %w", err)
		}
		if err := b.exec(stmt.insertBody, l.lastID, p.encoded); err != nil {
			return fmt.Errorf("storing a body: %w", err)
		}
	}
	b.appeared = true
	return nil
}
