package refresh_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/inferdx/inferdx/internal/source/refresh"
)

// running starts a keeper in the bubble of a test and ends it with the test.
func running(t *testing.T, o refresh.Options[string, string]) *refresh.Keeper[string, string] {
	t.Helper()
	k := refresh.New(o)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); k.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
	return k
}

func TestWhatIsNewIsAskedForAtOnceAndRenewedNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int32
		k := running(t, refresh.Options[string, string]{Every: time.Hour, Ask: func(_ context.Context, of string) (string, error) {
			return fmt.Sprint(of, n.Add(1)), nil
		}})
		if _, known, _ := k.Get("a"); known {
			t.Error("known before it was asked for")
		}
		k.Keep([]string{"a"})
		synctest.Wait()
		if v, known, err := k.Get("a"); v != "a1" || !known || err != nil {
			t.Error(v, known, err)
		}
		time.Sleep(59 * time.Minute)
		synctest.Wait()
		if n.Load() != 1 {
			t.Errorf("asked %d times within the hour", n.Load())
		}
		time.Sleep(17 * time.Minute)
		if v, _, _ := k.Get("a"); v != "a2" {
			t.Errorf("not renewed: %s", v)
		}
		k.Keep(nil)
		if _, known, _ := k.Get("a"); known {
			t.Error("known though it is gone")
		}
	})
}

func TestAfterAChangeTheOldAnswerIsNotGiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		k := running(t, refresh.Options[string, string]{Ask: func(context.Context, string) (string, error) {
			n++
			v := fmt.Sprint(n)
			time.Sleep(time.Second)
			return v, nil
		}})
		k.Keep([]string{"a"})
		time.Sleep(2 * time.Second)
		k.Again("a")
		if _, known, _ := k.Get("a"); known {
			t.Error("the answer from before the change is still given")
		}
		time.Sleep(500 * time.Millisecond)
		k.Again("a") // while it is asked: that answer may be of the time before, too
		time.Sleep(600 * time.Millisecond)
		if v, known, _ := k.Get("a"); known {
			t.Errorf("the answer %s was asked for before the change", v)
		}
		time.Sleep(time.Second)
		if v, known, _ := k.Get("a"); v != "3" || !known {
			t.Error(v, known)
		}
	})
}

func TestWhatFailsIsAskedEverMoreSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var asked []time.Duration
		begin := time.Now()
		sick := false
		now := func(ill bool) {
			mu.Lock()
			defer mu.Unlock()
			sick, asked, begin = ill, nil, time.Now()
		}
		k := running(t, refresh.Options[string, string]{First: 10 * time.Second, Most: time.Minute, Every: 10 * time.Minute, Ask: func(context.Context, string) (string, error) {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, time.Since(begin))
			if sick {
				return "ill", errors.New("sick")
			}
			return "well", nil
		}})
		k.Keep([]string{"a"})
		time.Sleep(11 * time.Minute)
		now(true)
		k.Again("a")
		time.Sleep(4 * time.Minute)
		want := []time.Duration{0, 10 * time.Second, 30 * time.Second, 70 * time.Second, 130 * time.Second, 190 * time.Second}
		mu.Lock()
		if fmt.Sprint(asked) != fmt.Sprint(want) {
			t.Errorf("asked at %v, want %v", asked, want)
		}
		mu.Unlock()
		if v, known, err := k.Get("a"); v != "ill" || known || err == nil {
			t.Errorf("a failure is no answer, but for the part that came: %q %t %v", v, known, err)
		}
		now(false)
		time.Sleep(time.Minute)
		if v, _, err := k.Get("a"); v != "well" || err != nil {
			t.Error(v, err)
		}
		now(true)
		time.Sleep(14 * time.Minute)
		if v, known, err := k.Get("a"); v != "well" || !known || err == nil {
			t.Errorf("a renewal that fails keeps the answer and says so: %q %t %v", v, known, err)
		}
	})
}

func TestNotMoreThanSomeAreAskedAtOnceAndNoneForLongerThanTheTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int32
		k := running(t, refresh.Options[string, string]{AtOnce: 3, Timeout: time.Second, Ask: func(ctx context.Context, _ string) (string, error) {
			n := now.Add(1)
			defer now.Add(-1)
			most.Store(max(most.Load(), n))
			<-ctx.Done() // hangs
			return "", ctx.Err()
		}})
		var all []string
		for i := range 12 {
			all = append(all, fmt.Sprint(i))
		}
		k.Keep(all)
		time.Sleep(4*time.Second + time.Millisecond) // 12 by 3 at a time, a second each
		for _, of := range all {
			if _, _, err := k.Get(of); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %v", of, err)
			}
		}
		if most.Load() != 3 {
			t.Errorf("%d at once", most.Load())
		}
	})
}
