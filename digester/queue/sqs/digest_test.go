package sqs_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"sundew/digester/digest"
	"sundew/digester/queue/sqs/sqstest"
)

// settle lets the digester work until a queue is empty, at most for a day.
func settle(t *testing.T, server *sqstest.Server) {
	t.Helper()
	for range 24 * 60 {
		if len(server.Bodies("sundew")) == 0 {
			return
		}
		after(time.Minute)
	}
	t.Fatalf("%d messages are left", len(server.Bodies("sundew")))
}

// untilDead waits for a dead letter, at most for a day.
func untilDead(t *testing.T, server *sqstest.Server) {
	t.Helper()
	for range 24 * 60 {
		if len(server.Bodies("dead")) > 0 {
			return
		}
		after(time.Minute)
	}
	t.Fatal("there is no dead letter")
}

// Each call fails for a client that tries three times, before and after it did
// what it was asked: no event is lost, none is stored twice.
func TestFailures(t *testing.T) {
	for _, action := range []string{"ReceiveMessage", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"} {
		for _, applied := range []bool{false, true} {
			for _, calls := range []int{1, 3, 20} {
				t.Run(fmt.Sprintf("%s %d times applied=%v", action, calls, applied), func(t *testing.T) {
					withProduct(t, func(t *testing.T, c *cloud, p *product) {
						server := c.regions[north]
						server.Fail(action, calls, applied)
						c.edge(north).sendEvents(p.project, 25)
						_, stop := p.digest(c.open(north))
						settle(t, server)
						stop()
						p.want(25)
					})
				})
			}
		}
	}
}

// What SQS delivers twice, also after it was deleted, is stored once.
func TestDuplicates(t *testing.T) {
	withProduct(t, func(t *testing.T, c *cloud, p *product) {
		server := c.regions[north]
		server.Duplicate(15)
		c.edge(north).sendEvents(p.project, 25)
		d, stop := p.digest(c.open(north))
		settle(t, server)
		stop()
		p.want(25)
		if h := d.Health(); h.Redelivered != 15 {
			t.Errorf("%d deliveries repeated, want 15", h.Redelivered)
		}
	})
}

// A digester that dies with messages in its hands leaves them to the next one.
func TestRedelivery(t *testing.T) {
	withProduct(t, func(t *testing.T, c *cloud, p *product) {
		c.edge(north).sendEvents(p.project, 25)
		if got, err := c.open(north).Receive(t.Context(), 20, 0); err != nil || len(got) != 20 {
			t.Fatalf("received %d, %v", len(got), err)
		}
		d, stop := p.digest(c.open(north))
		synctest.Wait()
		if h := d.Health(); h.Stored != 5 {
			t.Errorf("%d events are stored, want those that nobody had", h.Stored)
		}
		after(time.Minute)
		settle(t, c.regions[north])
		stop()
		p.want(25)
	})
}

// A region that does not answer is asked again and again, without haste; when it
// is back, everything is there. Another region is not disturbed.
func TestOutage(t *testing.T) {
	withProduct(t, func(t *testing.T, c *cloud, p *product) {
		far, near := c.edge(north), c.edge(south)
		dFar, stopFar := p.digest(c.open(north))
		dNear, stopNear := p.digest(c.open(south))
		far.sendEvents(p.project, 5)
		settle(t, c.regions[north])

		c.regions[north].SetUnreachable(true)
		before := c.regions[north].Calls("ReceiveMessage")
		synctest.Wait()
		for range 60 {
			near.sendEvents(p.project, 1)
			synctest.Wait()
			if n := len(c.regions[south].Bodies("sundew")); n != 0 {
				t.Fatalf("%d messages of the region that works are not digested", n)
			}
			after(time.Minute)
		}
		if h := dNear.Health(); h.Problem != nil {
			t.Errorf("the region that works has a problem: %v", h.Problem)
		}
		h := dFar.Health()
		if h.Problem == nil || time.Since(h.LastReceive) < time.Hour {
			t.Errorf("the health does not tell: %+v", h)
		}
		if calls := c.regions[north].Calls("ReceiveMessage") - before; calls < 60 || calls > 1200 {
			t.Errorf("%d calls in an hour without answers", calls)
		}

		far.sendEvents(p.project, 30)
		c.regions[north].SetUnreachable(false)
		after(time.Minute)
		settle(t, c.regions[north])
		if h := dFar.Health(); h.Problem != nil {
			t.Errorf("a problem after the outage: %v", h.Problem)
		}
		stopFar()
		stopNear()
		p.want(95)
	})
}

// An hour in which nothing happens is 180 receives, and nothing else.
func TestIdle(t *testing.T) {
	withProduct(t, func(t *testing.T, c *cloud, p *product) {
		_, stop := p.digest(c.open(north))
		after(time.Hour - time.Second)
		stop()
		if calls := c.regions[north].Calls("ReceiveMessage"); calls != 180 {
			t.Errorf("%d receives", calls)
		}
	})
}

// A digester that is told to stop while it waits for messages stops at once; one
// that works finishes what it has.
func TestStop(t *testing.T) {
	withProduct(t, func(t *testing.T, c *cloud, p *product) {
		q := c.open(north)
		_, stop := p.digest(q)
		synctest.Wait() // it waits for messages
		began := time.Now()
		stop()
		if took := time.Since(began); took != 0 {
			t.Errorf("stopping took %v", took)
		}
		c.edge(north).sendEvents(p.project, 50)
		c.regions[north].Delay(func(action string) time.Duration { return time.Second })
		d, stop := p.digest(q)
		for d.Health().Batches == 0 {
			after(100 * time.Millisecond)
		}
		stop()
		c.regions[north].Delay(nil)
		_, stop = p.digest(q)
		after(2 * time.Minute)
		settle(t, c.regions[north])
		stop()
		p.want(50)
	})
}

// A poison message is left alone for longer and longer, then it is a dead letter;
// put back by hand it is tried again. Its neighbours do not suffer.
func TestPoison(t *testing.T) {
	withProduct(t, func(t *testing.T, c *cloud, p *product) {
		server, q, e := c.regions[north], c.open(north), c.edge(north)
		e.sendEvents(p.project, 2)
		poison := e.message(p.project)
		poison.Kind = 77
		e.seq-- // the number goes to the next one: this one will never be decided
		e.send(poison.Encode(nil))
		e.sendEvents(p.project, 2)
		began := time.Now()
		d, stop := p.digest(q)
		untilDead(t, server)
		if took, left := time.Since(began), d.Health().Left; took < time.Hour || took > 3*time.Hour || left != 8 {
			t.Errorf("a dead letter after %v and %d deliveries", took, left)
		}
		p.want(4)
		wantDead(t, q, poison.Encode(nil))
		stop()
	})
}

// wantDead looks at the dead letters, twice, and puts them back in both ways.
func wantDead(t *testing.T, q interface {
	digest.Queue
	deadLetters
}, want []byte) {
	t.Helper()
	var id string
	for range 2 { // looking leaves them there
		dead, err := q.DeadLetters(t.Context(), 10)
		if err != nil || len(dead) != 1 || string(dead[0].Body) != string(want) || dead[0].Receives < 8 || dead[0].SentAt.IsZero() {
			t.Fatalf("dead letters %+v, %v", dead, err)
		}
		id = dead[0].ID
	}
	if n, err := q.Redrive(t.Context(), []string{"another", id}); err != nil || n != 1 {
		t.Errorf("put %d back, %v", n, err)
	}
	if dead, err := q.DeadLetters(t.Context(), 10); err != nil || len(dead) != 0 {
		t.Errorf("dead letters after they were put back: %v, %v", dead, err)
	}
	for range 24 * 60 {
		if dead, err := q.DeadLetters(t.Context(), 10); err != nil || len(dead) == 1 {
			break // it is as bad as before
		}
		after(time.Minute)
	}
	if err := q.RedriveAll(t.Context()); err != nil {
		t.Error(err)
	}
	if dead, err := q.DeadLetters(t.Context(), 10); err != nil || len(dead) != 0 {
		t.Errorf("dead letters after all were put back: %v, %v", dead, err)
	}
}

// Dead letters are looked at up to a limit, and put back one by one, whatever
// fails on the way.
func TestManyDeadLetters(t *testing.T) {
	for _, action := range []string{"", "SendMessage", "DeleteMessage", "ReceiveMessage"} {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, north)
			server, q := c.regions[north], c.open(north)
			for n := range 35 {
				if err := server.Send("dead", "1", fmt.Sprint("dead ", n)); err != nil {
					t.Fatal(err)
				}
			}
			if some, err := q.DeadLetters(t.Context(), 12); err != nil || len(some) != 12 {
				t.Fatalf("%d dead letters, %v", len(some), err)
			}
			all, err := q.DeadLetters(t.Context(), 100)
			if err != nil || len(all) != 35 {
				t.Fatalf("%d dead letters, %v", len(all), err)
			}
			var ids []string
			for _, d := range all[:30] {
				ids = append(ids, d.ID)
			}
			server.Fail(action, 3, true)
			for moved := 0; moved < 30; {
				n, err := q.Redrive(t.Context(), ids)
				if moved += n; err == nil && moved < 29 { // one may have been moved without an answer
					t.Errorf("%s fails: %d were moved without an error", action, moved)
				}
				if err == nil {
					break
				}
				after(time.Minute) // those that nobody has any more are seen again
			}
			back := server.Bodies("sundew")
			slices.Sort(back)
			if n := len(slices.Compact(back)); n != 30 || len(server.Bodies("dead")) != 5 {
				t.Errorf("%s fails: %d are back, %d dead letters left", action, n, len(server.Bodies("dead")))
			}
		})
	}
}
