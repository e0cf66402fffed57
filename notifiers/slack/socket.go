package slack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"time"

	slackgo "github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

// again is how long Run waits before it asks for the app token anew when Slack refused it.
const again = time.Minute

// Run hears the buttons through Socket Mode, for those whom Slack cannot reach. It connects anew
// whenever the connection ends and returns when ctx does; what went wrong meanwhile goes to Fault.
func (i *Interactions) Run(ctx context.Context) error {
	if i.o.AppToken == nil {
		return errors.New("slack: socket mode needs an app token")
	}
	for {
		err := i.session(ctx)
		if ctx.Err() != nil {
			return nil
		}
		i.fault(fmt.Errorf("slack: socket mode: %w", err))
		t := time.NewTimer(again)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return nil
		}
	}
}

// session lasts until Slack refuses the token: slack-go reconnects after everything else.
func (i *Interactions) session(ctx context.Context) error {
	token, err := i.o.AppToken()
	if err != nil {
		return fmt.Errorf("app token: %w", err)
	}
	quiet := log.New(io.Discard, "", 0)
	api := slackgo.New("", slackgo.OptionAppLevelToken(token), slackgo.OptionHTTPClient(i.http), slackgo.OptionAPIURL(i.o.APIURL), slackgo.OptionLog(quiet))
	c := socketmode.New(api, socketmode.OptionReadLimit(maxBody), socketmode.OptionLog(quiet))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- hide(c.RunContext(ctx), token) }()
	for {
		select {
		case err := <-ended:
			return err
		case e := <-c.Events:
			i.event(ctx, c, e)
		}
	}
}

// event acknowledges a press when it has been recorded, as the HTTP handler does.
func (i *Interactions) event(ctx context.Context, c *socketmode.Client, e socketmode.Event) {
	switch data := e.Data.(type) {
	case slackgo.InteractionCallback:
		if e.Request == nil {
			return
		}
		i.work.Go(func() {
			within, cancel := context.WithTimeout(ctx, answerTime)
			defer cancel()
			i.hear(within, data)
			if err := c.AckCtx(ctx, e.Request.EnvelopeID, nil); err != nil && ctx.Err() == nil {
				i.fault(fmt.Errorf("slack: socket mode: acknowledge a press: %w", err))
			}
		})
	case *slackgo.ConnectionErrorEvent:
		i.fault(fmt.Errorf("slack: socket mode: connect, next try in %s: %w", data.Backoff.Round(time.Second), bare(data.ErrorObj)))
	}
}
