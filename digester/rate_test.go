package main

import (
	"testing"
	"time"
)

func TestRate(t *testing.T) {
	var r rate
	now := time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)
	if got, over := r.perMinute(); got != 0 || over != 0 {
		t.Errorf("nothing noted: %v over %v", got, over)
	}
	r.note(now, 1000)
	if got, over := r.perMinute(); got != 0 || over != 0 {
		t.Errorf("one sample: %v over %v", got, over)
	}
	for i := range 60 { // ten minutes of 60 a minute, then what came before is forgotten
		r.note(now.Add(time.Duration(i+1)*rateEvery), 1000+int64(i+1)*10)
	}
	if got, over := r.perMinute(); got != 60 || over != rateOver {
		t.Errorf("%v a minute over %v, want 60 over %v", got, over, rateOver)
	}
	if n := len(r.samples); n != 31 {
		t.Errorf("%d samples are kept, want 31", n)
	}
}
