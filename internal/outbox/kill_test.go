package outbox_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/outbox"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/store"
	"github.com/inferdx/inferdx/notifiers"
)

// The environment of a child: where its store is, where it delivers to, and whether it only finishes
// what others left.
const (
	childStore  = "INFERDX_TEST_STORE"
	childURL    = "INFERDX_TEST_URL"
	childFinish = "INFERDX_TEST_FINISH"
)

const killKeys = 40

// TestMain makes the test binary the service that is killed, when its parent asks for it.
func TestMain(m *testing.M) {
	if os.Getenv(childStore) == "" {
		os.Exit(m.Run())
	}
	if err := child(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child ticks and delivers as the service does, until it is killed or, to finish, until nothing waits.
func child() error {
	ctx := context.Background()
	s, err := store.Open(ctx, os.Getenv(childStore), store.Options{})
	if err != nil {
		return err
	}
	b, err := outbox.New(outbox.Options{
		Queue: s, Receivers: []outbox.Receiver{to("r", poster(os.Getenv(childURL)))}, Parallel: 8,
		Timeout: 3 * time.Second, Lease: 3300 * time.Millisecond, Poll: 50 * time.Millisecond,
	})
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	fmt.Println("ready")
	if os.Getenv(childFinish) == "" {
		return errors.Join(ticks(ctx, s, b), <-ended)
	}
	for {
		open, err := s.Notifications(ctx, store.NotificationQuery{State: store.Waiting, Limit: 1})
		if err != nil {
			return err
		}
		if len(open) == 0 {
			return errors.Join(b.Drain(ctx), <-ended, s.Close())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// ticks takes every key through incident after incident, from where the sent state says that it is.
func ticks(ctx context.Context, s *store.Store, b *outbox.Outbox) error {
	_, sent := s.Load()
	for i := 0; ; i++ {
		key := fmt.Sprint("k", i%killKeys)
		at := store.SentKey{Receiver: "r", Key: key}
		n, _ := strconv.Atoi(string(sent[at]))
		n++
		sent = maps.Clone(sent)
		sent[at] = json.RawMessage(strconv.Itoa(n))
		reason := [...]plan.Reason{plan.First, plan.Worse, plan.Reminder, plan.CauseChanged, plan.Resolved}[(n-1)%5]
		if err := s.Tick(ctx, store.Tick{
			At: time.Now(), Sent: sent, Transitions: []store.Transition{{At: time.Now(), Entity: key, Symptom: strconv.Itoa(n)}},
			Messages: []plan.Message{message("r", key, n, reason)},
		}); err != nil {
			return err
		}
		b.Wake()
		time.Sleep(3 * time.Millisecond)
	}
}

// poster delivers over HTTP.
type poster string

func (p poster) Notify(ctx context.Context, m plan.Message, _ json.RawMessage) (json.RawMessage, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, string(p), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, refused(notifiers.ServerError, 0)
	}
	return nil, nil
}

// mailbox is the receiver that outlives the children.
type mailbox struct {
	mu    sync.Mutex
	world *world
	seen  map[string]string // by message, the life that sent it last: what a dead one sent may be read after the next one began
	twice []string          // sent twice in one life
}

func (b *mailbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var m plan.Message
	if err != nil || json.Unmarshal(body, &m) != nil {
		w.WriteHeader(http.StatusBadRequest) // cut off in the middle: not arrived
		return
	}
	b.mu.Lock()
	if rand.IntN(20) == 0 {
		b.mu.Unlock()
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	if b.seen[m.ID] == r.URL.Path {
		b.twice = append(b.twice, m.ID)
	}
	b.seen[m.ID] = r.URL.Path
	b.world.arrived = append(b.world.arrived, m)
	b.mu.Unlock()
	time.Sleep(time.Duration(rand.IntN(5)) * time.Millisecond) // so that some die before they know
}

func TestFault41KillNineLosesNothingAndRepeatsAtMostOne(t *testing.T) {
	runs := 10
	if n, err := strconv.Atoi(os.Getenv("INFERDX_SOAK_RUNS")); err == nil {
		runs = n
	}
	path := filepath.Join(t.TempDir(), "inferdx.db")
	box := &mailbox{world: &world{unsure: map[string]int{}}, seen: map[string]string{}}
	srv := httptest.NewServer(box)
	defer srv.Close()
	for i := range runs {
		cmd := run(t, path, fmt.Sprintf("%s/life/%d", srv.URL, i), "")
		time.Sleep(time.Duration(rand.IntN(250)) * time.Millisecond)
		must(t, cmd.Process.Kill())
		_ = cmd.Wait() // killed
	}
	must(t, run(t, path, srv.URL+"/life/last", "1").Wait())

	sent := allOrNothing(t, path)
	if err := judge(path, box.world, sent, runs); err != nil {
		t.Error(err)
	}
	if len(box.twice) > 0 {
		t.Errorf("arrived twice without a crash in between: %v", box.twice)
	}
	repeats := len(box.world.arrived) - len(box.seen)
	t.Logf("%d kills: %d messages, %d arrivals, %d of them repeats", runs, len(sent), len(box.world.arrived), repeats)
	if len(box.seen) < runs {
		t.Errorf("only %d messages arrived: the children did no work", len(box.seen))
	}
}

// run starts a child and waits until it has opened its store.
func run(t *testing.T, path, url, finish string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), childStore+"="+path, childURL+"="+url, childFinish+"="+finish)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("the child said %q: %v", line, err)
	}
	return cmd
}

// allOrNothing checks that the sent state, the transitions and the messages of every tick are there
// together, and gives the messages.
func allOrNothing(t *testing.T, path string) []plan.Message {
	t.Helper()
	rows, err := allRows(path)
	must(t, err)
	s := open(t, path)
	defer s.Close()
	if w := s.Warnings(); len(w) > 0 {
		t.Errorf("the file was harmed: %v", w)
	}
	_, sent := s.Load()
	var out []plan.Message
	for k, v := range sent {
		n, err := strconv.Atoi(string(v))
		must(t, err)
		for i := 1; i <= n; i++ {
			x, ok := rows[message("r", k.Key, i, "").ID]
			if !ok {
				t.Errorf("%s was counted as sent up to %d, and %d is not there", k.Key, n, i)
			}
			out = append(out, x.Message)
		}
		ts, err := s.Transitions(t.Context(), store.Range{Entity: k.Key, Limit: 1000})
		must(t, err)
		if len(ts) != n {
			t.Errorf("%s has %d transitions and %d messages", k.Key, len(ts), n)
		}
	}
	if len(out) != len(rows) {
		t.Errorf("%d messages are there, %d were counted as sent", len(rows), len(out))
	}
	return out
}
