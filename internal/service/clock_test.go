package service

import (
	"testing"
	"time"
)

// fakeClock is a wall clock that can be set beside the time that passes.
type fakeClock struct {
	wall time.Time
	mono time.Duration
}

func (f *fakeClock) clock() *clock {
	return &clock{now: func() time.Time { return f.wall }, elapsed: func() time.Duration { return f.mono }}
}

func (f *fakeClock) pass(d time.Duration) { f.wall, f.mono = f.wall.Add(d), f.mono+d }

var t0 = time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC)

func TestOnlyAClockThatWasSetHasJumped(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(*fakeClock)
		want time.Duration
	}{
		{"an interval", func(f *fakeClock) { f.pass(15 * time.Second) }, 0},
		{"a process that was stopped for ten minutes", func(f *fakeClock) { f.pass(10 * time.Minute) }, 0},
		{"a time server that slews", func(f *fakeClock) { f.pass(15 * time.Second); f.wall = f.wall.Add(8 * time.Millisecond) }, 0},
		{"an hour back", func(f *fakeClock) { f.pass(15 * time.Second); f.wall = f.wall.Add(-time.Hour) }, -time.Hour},
		{"an hour forward", func(f *fakeClock) { f.pass(15 * time.Second); f.wall = f.wall.Add(time.Hour) }, time.Hour},
	} {
		f := &fakeClock{wall: t0}
		k := f.clock()
		if _, jump := k.look(); jump != 0 {
			t.Errorf("%s: the first look has nothing to compare with, got %v", c.name, jump)
		}
		c.do(f)
		at, jump := k.look()
		if jump != c.want || !at.Equal(f.wall) {
			t.Errorf("%s: jump %v at %v, want %v at %v", c.name, jump, at, c.want, f.wall)
		}
		f.pass(time.Second)
		if _, again := k.look(); again != 0 {
			t.Errorf("%s: told twice: %v", c.name, again)
		}
	}
}

func TestLooksKeepTheirTimesAndNeverPileUp(t *testing.T) {
	s := schedule{begin: time.Minute, interval: 15 * time.Second}
	for _, step := range []struct{ now, due, missed int }{
		{60, 75, 0},    // the first
		{75, 90, 0},    // done at once
		{92, 105, 0},   // late, still in its interval
		{110, 120, 0},  // one that took longer
		{727, 720, 39}, // stopped for ten minutes: one look makes up for all
		{728, 735, 0},
	} {
		due, missed := s.next(time.Duration(step.now) * time.Second)
		if due != time.Duration(step.due)*time.Second || missed != step.missed {
			t.Errorf("at %d s: due %v, missed %d, want %d s, %d", step.now, due, missed, step.due, step.missed)
		}
	}
}
