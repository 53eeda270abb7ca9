package alert

import (
	"testing"
	"time"

	"sundew/digester/notify"
)

func kindOf(s string) notify.Kind { return notify.Kind(s) }

// channelOf plays a channel for which something happens at times.
type channelOf struct {
	pace      Pace
	all       Budget
	waiting   int64
	direct    int
	summaries []time.Duration // when, from noon on
	summed    int64
}

func (c *channelOf) happens(now time.Time) {
	var at bool
	if c.pace, c.all, at = c.pace.Admit(c.all, now); at {
		c.direct++
	} else {
		c.waiting++
	}
}

func (c *channelOf) tick(now time.Time) {
	if !c.pace.Due(now) {
		return
	}
	if c.waiting > 0 {
		c.summaries = append(c.summaries, now.Sub(noon))
	}
	c.summed += c.waiting
	c.pace = c.pace.Summed(c.waiting, now)
	c.waiting = 0
}

func TestQuietProject(t *testing.T) {
	var c channelOf
	for i := range 5 {
		c.happens(noon.Add(time.Duration(i) * time.Second))
	}
	if c.direct != 5 || c.pace.Step != 0 {
		t.Errorf("of five in a minute %d went out at once: %+v", c.direct, c.pace)
	}
	for i := range 60 { // one every minute
		c.happens(noon.Add(time.Duration(i+5) * time.Minute))
	}
	if c.direct != 65 {
		t.Errorf("of one a minute %d of 65 went out at once", c.direct)
	}
}

func TestStormGetsRarer(t *testing.T) {
	var c channelOf
	happened := int64(0)
	for now := noon; now.Before(noon.Add(150 * time.Minute)); now = now.Add(time.Second) {
		c.tick(now)
		c.happens(now)
		happened++
	}
	if c.direct != 5 {
		t.Errorf("%d went out at once", c.direct)
	}
	want := []time.Duration{65 * time.Second, 6*time.Minute + 5*time.Second, 21*time.Minute + 5*time.Second, 81*time.Minute + 5*time.Second, 141*time.Minute + 5*time.Second}
	if len(c.summaries) != len(want) {
		t.Fatalf("summaries at %v", c.summaries)
	}
	for i, at := range c.summaries {
		if at != want[i] {
			t.Errorf("summary %d at %v, not %v", i+1, at, want[i])
		}
	}
	if got := int64(c.direct) + c.summed + c.waiting; got != happened {
		t.Errorf("%d of %d are told or collected", got, happened)
	}
}

func TestStormEnds(t *testing.T) {
	var c channelOf
	for range 100 {
		c.happens(noon)
	}
	now := noon.Add(time.Minute)
	c.tick(now) // 95
	if c.pace.Step != 2 || c.pace.Due(now.Add(5*time.Minute-1)) {
		t.Errorf("after a full summary the next is due in five minutes: %+v", c.pace)
	}
	for range 5 {
		c.happens(now)
	}
	now = now.Add(5 * time.Minute)
	c.tick(now)
	if len(c.summaries) != 2 || c.summed != 100 || c.pace.Step != 0 {
		t.Errorf("five are quiet again: %+v", c)
	}
	c.happens(now)
	if c.direct != 6 {
		t.Error("after a storm nothing goes out at once")
	}
}

func TestInstallationBudget(t *testing.T) {
	var all Budget
	direct := 0
	for range 100 { // channels, one message each
		var at bool
		var p Pace
		if p, all, at = p.Admit(all, noon); at {
			direct++
		} else if p.Step != 1 || p.Summary != noon.Add(time.Minute) || !p.Filled.IsZero() {
			t.Fatalf("a message over the installation's budget is not collected: %+v", p)
		}
	}
	if direct != allAtOnce {
		t.Errorf("%d went out at once, not %d", direct, allAtOnce)
	}
}

// A channel that gets a little more in a while than goes out at once is told one by
// one again after every pause, also the longest.
func TestSummariesEnd(t *testing.T) {
	for step, pause := range map[int]time.Duration{2: 5 * time.Minute, 3: 15 * time.Minute, 4: time.Hour, 7: time.Hour} {
		c := channelOf{pace: Pace{Step: step, Summary: noon.Add(pause)}}
		now := noon
		for ; c.pace.Step > 0 && now.Before(noon.Add(2*time.Hour)); now = now.Add(time.Minute) {
			c.tick(now)
			if now.Sub(noon)%(10*time.Minute) == 0 {
				c.happens(now)
			}
		}
		if since := now.Sub(noon); since > pause+2*time.Minute {
			t.Errorf("step %d: with six an hour there are summaries for %v", step, since)
		}
		summed := Pace{Step: step}.Summed(handful+int64(pause/regainAfter), now)
		if more := (Pace{Step: step}).Summed(handful+int64(pause/regainAfter)+1, now); summed.Step != 0 || more.Step != step+1 {
			t.Errorf("step %d: after as many as go out at once in %v it is %+v, after one more %+v", step, pause, summed, more)
		}
	}
}

func TestManyInAMinute(t *testing.T) {
	const many = 5000
	var c channelOf
	for i := range many {
		now := noon.Add(time.Duration(i) * time.Minute / many)
		c.tick(now)
		c.happens(now)
	}
	for now := noon.Add(time.Minute); now.Before(noon.Add(3 * time.Hour)); now = now.Add(time.Second) {
		c.tick(now)
	}
	if told := int64(c.direct) + c.summed; told != many || c.waiting != 0 || c.direct+len(c.summaries) > 7 {
		t.Errorf("%d at once and %d summaries tell of %d", c.direct, len(c.summaries), told)
	}
}
