package store

import (
	"context"
	"fmt"
	"slices"

	"sundew/digester/store/hrana"
)

const (
	// groupMessages is how many transactions go to a server in one request. Beyond
	// it a round trip of 20 ms matters no more (infra/libsql.md).
	groupMessages = 50

	// groupBytes bounds the bodies of a request; one message may have more.
	groupBytes = 2 << 20
)

// digestRemote decides messages on a libSQL server, a group of transactions in one
// request, each planned as if the ones before it were committed. What failed of a
// group is planned again, the first of it in a transaction that reads.
//
// Where nobody knows what became of a request, or it did not get there, nothing is
// decided of it: everything remembered is forgotten, and who calls tries again. What
// was committed nevertheless is then recognised by its number in the ledger, and
// what is only just being committed by the assertions of every plan.
func (d *DB) digestRemote(ctx context.Context, ins []*Incoming, outcomes []Outcome) {
	todo := make([]int, len(ins)) // places
	for i := range todo {
		todo[i] = i
	}
	stop := func(err error) {
		for _, i := range todo {
			outcomes[i].Err = err
		}
	}
	for len(todo) > 0 {
		n := groupSize(ins, todo)
		var failed []int
		err := d.exclusively(ctx, "digest", func() (err error) {
			failed, err = d.commitGroup(ctx, ins, todo[:n], outcomes)
			return err
		})
		if err != nil {
			stop(err)
			return
		}
		todo = append(failed, todo[n:]...)
		if len(failed) == 0 {
			continue
		}
		first := &outcomes[failed[0]]
		if *first = d.digest(ctx, ins[failed[0]]); KindOf(first.Err) == KindUnknown {
			first.Err = fromServer(fmt.Errorf("trying again what may be committed: %v", first.Err))
		}
		if stops(first.Err) {
			d.forgetAll()
			stop(first.Err)
			return
		}
		todo = todo[1:]
	}
}

// forgetAll empties the cache.
func (d *DB) forgetAll() {
	<-d.turn
	d.cache.reset()
	d.turn <- struct{}{}
}

// groupSize returns how many of the next messages go into one request.
func groupSize(ins []*Incoming, todo []int) int {
	bytes := 0
	for n, i := range todo {
		bytes += len(ins[i].Body)
		if n == groupMessages || n > 0 && bytes > groupBytes {
			return n
		}
	}
	return len(todo)
}

// commitGroup sends the plans of a group and returns the places of those that
// failed or that cannot be planned without reading. The caller has the turn.
func (d *DB) commitGroup(ctx context.Context, ins []*Incoming, group []int, outcomes []Outcome) (failed []int, err error) {
	r := d.remote
	defer func() {
		if err != nil {
			d.cache.reset()
			r.renew(ctx)
		}
	}()
	if err := d.lookUp(ctx, ins, group); err != nil {
		return nil, err
	}
	var transactions [][]hrana.Statement
	var planned []int
	for _, i := range group {
		if ins[i].Key != "" { // judged in a transaction that reads; rare
			failed = append(failed, i)
			continue
		}
		var list statements
		p := plan{to: &list, cache: d.cache, in: ins[i], now: ms(d.now())}
		if err := p.run(); err != nil {
			return nil, err
		}
		p.apply() // as if it were committed
		transactions, planned = append(transactions, list), append(planned, i)
		outcomes[i].Result = p.result
	}
	if len(planned) == 0 {
		return failed, nil
	}
	results, err := r.stream.Commit(ctx, transactions)
	if err != nil {
		return nil, fromServer(err)
	}
	for n, i := range planned {
		if results[n].Err != nil {
			d.cache.forget(ins[i])
			failed = append(failed, i)
		}
	}
	slices.Sort(failed)
	return failed, nil
}

// lookUp asks the server for what the plans of a group need to know, in one
// request.
func (d *DB) lookUp(ctx context.Context, ins []*Incoming, group []int) error {
	d.cache.begin(len(group))
	all := make([]*Incoming, len(group))
	for n, i := range group {
		all[n] = ins[i]
	}
	questions := d.cache.questions(all...)
	if len(questions) == 0 {
		return nil
	}
	asked := make([]hrana.Statement, len(questions))
	for i, q := range questions {
		asked[i] = hrana.Statement{SQL: q.query, Args: q.args}
	}
	answers, err := d.remote.stream.Run(ctx, asked...)
	if err != nil {
		return fromServer(err)
	}
	for i, q := range questions {
		if err := q.take(memoryRow{answers[i]}); err != nil {
			return fromServer(err)
		}
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
