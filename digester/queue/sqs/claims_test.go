package sqs_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"sundew/digester/queue"
	"sundew/digester/queue/sqs/sqstest"
)

// deadLetters is what people's tools want of a queue, and then some.
type deadLetters interface {
	DeadLetters(ctx context.Context, limit int) ([]queue.DeadLetter, error)
	Redrive(ctx context.Context, ids []string) (int, error)
	RedriveAll(ctx context.Context) error
}

// A large message is digested like any other, and its object is gone when it is.
func TestClaims(t *testing.T) {
	withProduct(t, func(t *testing.T, c *cloud, p *product) {
		e := c.edge(north)
		keys := []string{"claims/2026/11/21/a", "claims/2026/11/21/ü /b\n?c", "claims/2026/11/21/d"}
		for _, key := range keys {
			e.claim(key, e.message(p.project), nil)
		}
		e.sendEvents(p.project, 3)
		c.regions[north].Duplicate(2) // what comes again without its object is left
		_, stop := p.digest(c.open(north))
		synctest.Wait()
		p.want(6)
		for _, key := range keys {
			if c.hasObject(key) {
				t.Errorf("%q is still there", key)
			}
		}
		stop()
	})
}

// An object that is not there or not the one that was claimed makes a dead letter
// in the end; what can still be had is shown.
func TestPoisonClaims(t *testing.T) {
	for name, tamper := range map[string]func([]byte) []byte{
		"gone":    func([]byte) []byte { return nil },
		"damaged": func(b []byte) []byte { b[40]++; return b },
		"longer":  func(b []byte) []byte { return append(b, 0) },
		"shorter": func(b []byte) []byte { return b[1:] },
	} {
		t.Run(name, func(t *testing.T) {
			withProduct(t, func(t *testing.T, c *cloud, p *product) {
				e, q := c.edge(north), c.open(north)
				large := e.message(p.project)
				e.seq-- // the number goes to the next one: this one will not be decided
				e.claim("claims/x", large, tamper)
				claim := c.regions[north].Bodies("sundew")
				e.sendEvents(p.project, 3)
				d, stop := p.digest(q)
				untilDead(t, c.regions[north])
				stop()
				p.want(3)
				if d.Health().Left != 8 {
					t.Errorf("left %d times", d.Health().Left)
				}
				dead, err := q.DeadLetters(t.Context(), 10)
				if err != nil || len(dead) != 1 || c.regions[north].Bodies("dead")[0] != claim[0] {
					t.Errorf("dead letters %v, %v", dead, err)
				}
			})
		})
	}
}

// While S3 is away claims wait, for longer and longer; everything else goes on.
// Nothing is deleted that was not digested.
func TestClaimsWait(t *testing.T) {
	withProduct(t, func(t *testing.T, c *cloud, p *product) {
		e := c.edge(north)
		c.s3Down.Store(true)
		e.claim("claims/a", e.message(p.project), nil)
		d, stop := p.digest(c.open(north))
		after(5 * time.Minute)
		if calls := c.regions[north].Calls("ChangeMessageVisibilityBatch"); calls < 3 || calls > 4 {
			t.Errorf("put off %d times in five minutes", calls)
		}
		if h := d.Health(); h.Problem != nil || h.Left != 0 || !c.hasObject("claims/a") {
			t.Errorf("health %+v", h)
		}
		c.s3Down.Store(false)
		settle(t, c.regions[north])
		stop()
		p.want(1)
		if c.hasObject("claims/a") {
			t.Error("the object is still there")
		}
	})
}

// A claim whose message could not be deleted keeps its object for the next time,
// whether the call failed or its entry.
func TestClaimKeptUntilDeleted(t *testing.T) {
	for name, fail := range map[string]func(*sqstest.Server){
		"call":  func(s *sqstest.Server) { s.Fail("DeleteMessageBatch", 3, false) },
		"entry": func(s *sqstest.Server) { s.FailEntries("DeleteMessageBatch", 3) },
	} {
		t.Run(name, func(t *testing.T) {
			withProduct(t, func(t *testing.T, c *cloud, p *product) {
				e := c.edge(north)
				e.claim("claims/a", e.message(p.project), nil)
				fail(c.regions[north])
				_, stop := p.digest(c.open(north))
				after(30 * time.Second)
				p.want(1)
				if !c.hasObject("claims/a") {
					t.Error("the object went before the message")
				}
				settle(t, c.regions[north])
				stop()
				p.want(1)
				if c.hasObject("claims/a") {
					t.Error("the object is still there")
				}
			})
		})
	}
}
