package alert

import "time"

// How fast a channel, and the whole installation, are told one by one: a handful at
// once, then not more than one in the time that it takes to regain one of them.
const (
	handful     = 5
	regainAfter = time.Minute

	allAtOnce      = 60
	allRegainAfter = time.Second
)

// summaryPauses lie in front of the summaries of what is collected.
func summaryPauses() []time.Duration {
	return []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour}
}

// Pace is how a channel is told of what happens: at once, or, from the sixth message
// of a minute on, in summaries that get rarer until it is quiet again.
type Pace struct {
	Filled  time.Time // when all of the handful is there again
	Step    int       // how many summaries there were or are due since it became too much; 0: it is not
	Summary time.Time // when the next one is due, if Step is not 0
}

// Admit reports whether a message may go out at once, and returns the pace after it.
// If it may not it is collected. all is the budget of the installation.
func (p Pace) Admit(all Budget, now time.Time) (Pace, Budget, bool) {
	if p.Step > 0 {
		return p, all, false
	}
	filled, mine := take(p.Filled, now, handful, regainAfter)
	left, ours := take(all.Filled, now, allAtOnce, allRegainAfter)
	if mine && ours {
		p.Filled, all.Filled = filled, left
		return p, all, true
	}
	p.Step, p.Summary = 1, now.Add(summaryPauses()[0])
	return p, all, false
}

// Budget is what the channels of an installation share.
type Budget struct {
	Filled time.Time // as in Pace
}

// Due reports whether it is time for a summary.
func (p Pace) Due(now time.Time) bool { return p.Step > 0 && !now.Before(p.Summary) }

// Summed returns the pace after a summary of n messages, or after none was needed. If
// they were as few as would have gone out one by one in the pause before it, it is quiet
// again.
func (p Pace) Summed(n int64, now time.Time) Pace {
	if n <= handful+int64(p.pause()/regainAfter) {
		return Pace{Filled: p.Filled}
	}
	p.Step++
	p.Summary = now.Add(p.pause())
	return p
}

// PutOff returns the pace if a summary that is due cannot be told: it is tried again
// after another pause, and nothing is told by itself until then.
func (p Pace) PutOff(now time.Time) Pace {
	p.Summary = now.Add(p.pause())
	return p
}

// pause is what lies in front of the next summary.
func (p Pace) pause() time.Duration {
	pauses := summaryPauses()
	return pauses[min(max(p.Step, 1), len(pauses))-1]
}

// take takes one of a handful of which one comes back after each pause. It is told
// when the handful would be whole again, and returns when it will be.
func take(filled, now time.Time, handful int, pause time.Duration) (time.Time, bool) {
	if filled.Before(now) {
		filled = now
	}
	filled = filled.Add(pause)
	return filled, filled.Sub(now) <= time.Duration(handful)*pause
}
