package slack

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	slackgo "github.com/slack-go/slack"

	"github.com/inferdx/inferdx/notifiers"
)

const (
	// maxBody is the largest press that is read: it carries the whole message.
	maxBody = 1 << 20
	// window is how old a signed request may be.
	window = 5 * time.Minute
	// answerTime leaves Slack's 3 s some room.
	answerTime = 2500 * time.Millisecond
	// updateTime is how long the message's update may take after the answer.
	updateTime = 30 * time.Second
	silence    = time.Hour
)

// InteractionOptions say who may press buttons and who is told.
type InteractionOptions struct {
	// SigningSecret proves that a request over HTTP came from Slack; Socket Mode needs none.
	SigningSecret Secret
	// AppToken opens Socket Mode, see Run.
	AppToken Secret
	// Answer takes what a person said. While it fails, the person is told that it was not recorded.
	Answer func(context.Context, notifiers.Answer) error
	// APIURL replaces https://slack.com/api/.
	APIURL string
	// Client makes the requests that update messages; nil uses one that waits 30 s.
	Client *http.Client
	// Fault is told of what went wrong without a person noticing; it may be nil.
	Fault func(error)
	// Now gives the time; nil uses the clock.
	Now func() time.Time
}

// Interactions hears the buttons, over HTTP as a http.Handler or through Socket Mode by Run. It is
// safe for concurrent use.
type Interactions struct {
	o    InteractionOptions
	http *doer
	work sync.WaitGroup

	mu   sync.Mutex
	seen map[string]time.Time // signatures within the window
}

// NewInteractions needs an Answer.
func NewInteractions(o InteractionOptions) (*Interactions, error) {
	if o.Answer == nil {
		return nil, errors.New("slack: nobody takes the answers")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.APIURL = cmp.Or(o.APIURL, "https://slack.com/api/")
	return &Interactions{o: o, http: newDoer(o.Client), seen: map[string]time.Time{}}, nil
}

// Wait returns when the messages of all presses so far are updated.
func (i *Interactions) Wait() { i.work.Wait() }

// ServeHTTP takes a press from Slack. Whoever cannot prove to be Slack learns nothing.
func (i *Interactions) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "want POST", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "the request is too long or broke off", http.StatusRequestEntityTooLarge)
		return
	}
	if err := i.verify(r.Header, body); err != nil {
		i.fault(fmt.Errorf("slack: interaction refused: %w", err))
		http.Error(w, "the signature does not hold", http.StatusUnauthorized)
		return
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		http.Error(w, "the form does not parse", http.StatusBadRequest)
		return
	}
	var c slackgo.InteractionCallback
	if err := json.NewDecoder(strings.NewReader(form.Get("payload"))).Decode(&c); err != nil {
		http.Error(w, "the payload does not parse", http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), answerTime)
	defer cancel()
	i.hear(ctx, c)
	w.WriteHeader(http.StatusOK)
}

// verify holds a request against the signing secret; the comparison takes the same time for any
// signature. One that was heard before is refused, since anybody could have recorded it.
func (i *Interactions) verify(h http.Header, body []byte) error {
	if i.o.SigningSecret == nil {
		return errors.New("no signing secret is configured")
	}
	secret, err := i.o.SigningSecret()
	if err != nil {
		return fmt.Errorf("signing secret: %w", err)
	}
	v, err := slackgo.NewSecretsVerifier(h, secret)
	if err != nil {
		return hide(err, secret)
	}
	if _, err := io.Copy(&v, bytes.NewReader(body)); err != nil {
		return hide(err, secret)
	}
	if err := v.Ensure(); err != nil {
		return hide(err, secret)
	}
	if i.replayed(strings.ToLower(h.Get("X-Slack-Signature"))) {
		return errors.New("the request was heard before")
	}
	return nil
}

func (i *Interactions) replayed(signature string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	now := i.o.Now()
	for s, at := range i.seen {
		if now.Sub(at) > 2*window { // a stamp may lie ahead by as much as behind
			delete(i.seen, s)
		}
	}
	if _, ok := i.seen[signature]; ok {
		return true
	}
	i.seen[signature] = now
	return false
}

// hear passes each press on and shows what came of it, the latter in the background.
func (i *Interactions) hear(ctx context.Context, c slackgo.InteractionCallback) {
	if c.Type != slackgo.InteractionTypeBlockActions {
		return
	}
	for _, a := range c.ActionCallback.BlockActions {
		answer, ok := i.decode(c, a)
		if !ok {
			continue
		}
		err := i.tell(ctx, answer)
		i.fault(err)
		i.work.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), updateTime)
			defer cancel()
			i.fault(i.show(ctx, c, answer, err))
		})
	}
}

// tell does not outlive the context, whatever the receiver does: Slack is waiting.
func (i *Interactions) tell(ctx context.Context, a notifiers.Answer) error {
	ended := make(chan error, 1)
	go func() { ended <- i.o.Answer(ctx, a) }()
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("slack: record answer %s of %s: %w", a.Kind, a.User, err)
	}
	return nil
}

// decode reads what a press means; a button that is not ours means nothing.
func (i *Interactions) decode(c slackgo.InteractionCallback, a *slackgo.BlockAction) (notifiers.Answer, bool) {
	if a == nil {
		return notifiers.Answer{}, false
	}
	id, ours := strings.CutPrefix(a.ActionID, actionPre)
	kind := notifiers.AnswerKind(id)
	switch kind {
	case notifiers.Acknowledge, notifiers.Silence, notifiers.Applied, notifiers.Helped, notifiers.DidNotHelp:
	default:
		ours = false
	}
	var v value
	if !ours || json.Unmarshal([]byte(a.Value), &v) != nil || v.Key == "" {
		return notifiers.Answer{}, false
	}
	out := notifiers.Answer{Kind: kind, Key: v.Key, Receiver: v.Receiver, User: cmp.Or(c.User.Name, c.User.ID), At: i.o.Now()}
	switch kind {
	case notifiers.Silence:
		out.For = silence
	case notifiers.Applied, notifiers.Helped, notifiers.DidNotHelp:
		out.Cause = v.Cause
	}
	return out, true
}

func (i *Interactions) fault(err error) {
	if err != nil && i.o.Fault != nil {
		i.o.Fault(err)
	}
}
