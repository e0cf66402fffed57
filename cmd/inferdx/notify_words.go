package main

import (
	"errors"
	"fmt"

	"github.com/inferdx/inferdx/internal/outbox"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/receivers"
	"github.com/inferdx/inferdx/notifiers"
)

// remedy is what to look at first when a delivery failed.
func remedy(err error) string {
	var e *notifiers.Error
	if !errors.As(err, &e) {
		return "serve would try again until the message's deadline"
	}
	if e.Disable {
		return "the endpoint is gone for good: make a new one and put its address into the configuration"
	}
	switch e.Reason {
	case notifiers.AuthError:
		return "the receiver does not accept the token, key or password: look at the file or variable that holds it, and at its scopes"
	case notifiers.ClientError:
		return "the receiver does not take such a message there: look at its address, and for Slack whether the app is in the channel"
	case notifiers.RateLimited:
		return "the receiver takes no more just now; serve waits as long as it asks, then sends"
	case notifiers.DNSError:
		return "the name of its host does not resolve from here"
	case notifiers.TLSError:
		return "look at the receiver's certificate, its date, and tls_config"
	case notifiers.ProxyError:
		return "look at proxy_url and no_proxy"
	case notifiers.DeadlineReached, notifiers.Canceled:
		return "it did not answer in time: is there a firewall in between?"
	}
	return "is its address right, and does it listen there? serve would try again until the message's deadline"
}

// preview prints what a lane would send.
func (a *app) preview(set *receivers.Set, r outbox.Receiver, m plan.Message) error {
	text, err := set.Preview(m)
	if err != nil {
		return fmt.Errorf("preview for %s: %w", r.Name, err)
	}
	_, err = fmt.Fprintf(a.out, "%s (%s):\n%s\n", r.Name, r.Integration, printable(text))
	return err
}
