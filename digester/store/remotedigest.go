package store

import (
	"context"
	"fmt"
	"slices"

	"sundew/digester/store/hrana"
)

const (
	// firstGroup is how many transactions the first request of a batch has: the
	// server is to have something to do soon. Each one has twice as many as the one
	// before, up to groupMessages: beyond it a round trip of 20 ms matters no more
	// (infra/libsql.md).
	firstGroup    = 32
	groupMessages = 128

	// groupBytes bounds the bodies of a request; one message may have more.
	groupBytes = 2 << 20
)

// remoteBatch is a batch of messages on their way to a libSQL server.
//
// A group of transactions goes in one request, each planned as if the ones before
// it were committed. While the server is busy with a request, the next one is
// planned and written down, as if all of the first were committed, so that it
// follows without a pause; its answer is read while the server is busy with the
// one behind it. What failed is planned again, the first of it in a transaction
// that reads.
//
// Where nobody knows what became of a request, or it did not get there, nothing is
// decided of it: everything remembered is forgotten, and who calls tries again. What
// was committed nevertheless is then recognised by its number in the ledger, and
// what is only just being committed by the assertions of every plan.
type remoteBatch struct {
	d        *DB
	ins      []*Incoming
	outcomes []Outcome
	todo     []int // places in ins that are not under way
	failed   []int // places that have to be planned again
	asked    bool  // all that the batch needs to know was looked up once
	group    int   // how many messages the next request has
}

// digestRemote decides messages on a libSQL server.
func (d *DB) digestRemote(ctx context.Context, ins []*Incoming, outcomes []Outcome) {
	b := &remoteBatch{d: d, ins: ins, outcomes: outcomes, todo: make([]int, len(ins)), group: firstGroup}
	for i := range b.todo {
		b.todo[i] = i
	}
	for len(b.todo) > 0 {
		err := d.exclusively(ctx, "digest", func() error { return b.send(ctx) })
		if err == nil {
			err = b.retryFirst(ctx)
		}
		if err != nil {
			for _, i := range b.todo {
				outcomes[i].Err = err
			}
			return
		}
	}
}

// retryFirst decides the first message that failed in a transaction that reads;
// what failed behind it is planned again with what it has left. Whoever sends many
// messages that fail, all of them twice say, gets smaller groups: they fail in vain.
func (b *remoteBatch) retryFirst(ctx context.Context) error {
	if len(b.failed) == 0 {
		return nil
	}
	b.group = max(1, b.group/8)
	slices.Sort(b.failed)
	b.todo, b.failed = append(b.failed, b.todo...), nil
	first := &b.outcomes[b.todo[0]]
	if *first = b.d.digest(ctx, b.ins[b.todo[0]]); KindOf(first.Err) == KindUnknown {
		first.Err = fromServer(fmt.Errorf("trying again what may be committed: %v", first.Err))
	}
	if Stops(first.Err) {
		b.d.forgetAll()
		return first.Err
	}
	b.todo = b.todo[1:]
	return nil
}

// forgetAll empties the cache.
func (d *DB) forgetAll() {
	<-d.turn
	d.cache.reset()
	d.turn <- struct{}{}
}

// send sends groups until something fails, somebody else waits for the turn or
// nothing is left. The caller has the turn.
func (b *remoteBatch) send(ctx context.Context) error {
	var under *group
	for {
		next, err := b.plan(ctx, under != nil)
		if under != nil {
			if <-under.answered; under.err != nil {
				err = under.err
			}
		}
		if err == nil && next != nil {
			next.send(ctx, b.d.remote.stream)
		}
		if err == nil && under != nil {
			err = b.settle(under)
		}
		if err != nil {
			return b.giveUp(ctx, err, under, next)
		}
		if next == nil {
			return nil
		}
		under = next
	}
}

// giveUp takes back what is under way, because nobody knows what became of it.
func (b *remoteBatch) giveUp(ctx context.Context, err error, groups ...*group) error {
	b.todo = append(b.failed, b.todo...)
	b.failed = nil
	for _, g := range groups {
		if g == nil {
			continue
		}
		if g.answered != nil {
			<-g.answered
		}
		b.todo = append(b.todo, g.places...)
	}
	slices.Sort(b.todo)
	b.asked = false
	b.todo = slices.Compact(b.todo) // what a plan failed for is in two places
	b.d.cache.reset()
	b.d.remote.renew(ctx)
	return err
}

// group is one request.
type group struct {
	places   []int
	plans    []*plan // of these
	request  *hrana.Request
	answered chan struct{} // closed when there is a reply or an error; nil: it was not sent
	reply    *hrana.Reply
	err      error
}

// send sends the group; until it is answered the stream is its own.
func (g *group) send(ctx context.Context, stream *hrana.Stream) {
	g.answered = make(chan struct{})
	go func() {
		defer close(g.answered)
		g.reply, g.err = stream.Send(ctx, g.request)
		g.err = fromServer(g.err)
	}()
}

// plan makes the next group, nil if there is none to be sent now. While another
// one is under way nothing can be looked up, and who waits for the turn is not made
// to wait for more.
func (b *remoteBatch) plan(ctx context.Context, busy bool) (*group, error) {
	places := b.todo[:b.size()]
	if len(b.failed) > 0 || len(places) == 0 || busy && b.d.waiting.Load() > 0 {
		return nil, nil
	}
	if !busy {
		if err := b.lookUp(ctx, places); err != nil {
			return nil, err
		}
	} else if b.d.cache.asks(b.d.now, b.messages(places)) {
		return nil, nil
	}
	g := &group{}
	var transactions [][]hrana.Statement
	for _, i := range places {
		if b.ins[i].Key != "" { // judged in a transaction that reads; rare
			b.failed = append(b.failed, i)
			continue
		}
		var list statements
		p := &plan{to: &list, cache: b.d.cache, in: b.ins[i], now: ms(b.d.now())}
		if err := p.run(); err != nil {
			return nil, err
		}
		p.apply() // as if it were committed
		transactions, g.places = append(transactions, list), append(g.places, i)
		g.plans = append(g.plans, p)
		b.outcomes[i].Result = p.result
	}
	b.todo = b.todo[len(places):]
	if len(g.places) == 0 {
		return nil, nil
	}
	b.group = min(2*b.group, groupMessages)
	var err error
	g.request, err = hrana.NewRequest(transactions)
	return g, fromServer(err)
}

// size returns how many of the next messages go into one request.
func (b *remoteBatch) size() int {
	bytes := 0
	for n, i := range b.todo {
		bytes += len(b.ins[i].Body)
		if n == b.group || n > 0 && bytes > groupBytes {
			return n
		}
	}
	return len(b.todo)
}

// lookUp asks the server for what the plans of messages need to know, the first
// time for those of the whole batch.
func (b *remoteBatch) lookUp(ctx context.Context, places []int) error {
	if !b.asked {
		places, b.asked = b.todo, true
	}
	b.d.cache.begin(len(places))
	return b.d.cache.lookUp(b.d.now, false, b.messages(places), func(questions []question) error {
		asked := make([]hrana.Statement, len(questions))
		for i, q := range questions {
			asked[i] = hrana.Statement{SQL: q.query, Args: q.args}
		}
		answers, err := b.d.remote.stream.Run(ctx, asked...)
		if err != nil {
			return fromServer(err)
		}
		for i, q := range questions {
			if err := q.take(memoryRow{answers[i]}); err != nil {
				return fromServer(err)
			}
		}
		return nil
	})
}

func (b *remoteBatch) messages(places []int) []*Incoming {
	all := make([]*Incoming, len(places))
	for n, i := range places {
		all[n] = b.ins[i]
	}
	return all
}

// settle reads the answer to a group.
func (b *remoteBatch) settle(g *group) error {
	outcomes, err := g.reply.Outcomes()
	if err != nil {
		return fromServer(err)
	}
	for n, i := range g.places {
		if outcomes[n].Err != nil {
			b.d.cache.forget(b.ins[i])
			b.failed = append(b.failed, i)
			continue
		}
		g.plans[n].committed()
	}
	return nil
}

// statements is the executor that keeps what it is given, to be sent.
type statements []hrana.Statement

func (s *statements) exec(query string, args ...any) error {
	values, err := serverValues(args)
	*s = append(*s, hrana.Statement{SQL: query, Args: values})
	return err
}

// assert is exec: whatever fails of a request is planned again.
func (s *statements) assert(query string, args ...any) error { return s.exec(query, args...) }

func (s *statements) one(query string, args ...any) error {
	err := s.exec(query, args...)
	(*s)[len(*s)-1].OneRow = errStale
	return err
}
