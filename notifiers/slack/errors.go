package slack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	slackgo "github.com/slack-go/slack"

	"github.com/inferdx/inferdx/notifiers"
)

// classify says what a failed call means for the next try.
func classify(what string, err error) error {
	if err == nil {
		return nil
	}
	var e *notifiers.Error
	if errors.As(err, &e) {
		return e
	}
	out := &notifiers.Error{Reason: notifiers.Other, Err: fmt.Errorf("slack: %s: %w", what, err)}
	var limited *slackgo.RateLimitedError
	var status slackgo.StatusCodeError
	var said slackgo.SlackErrorResponse
	switch {
	case errors.Is(err, context.Canceled):
		out.Reason = notifiers.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		out.Reason = notifiers.DeadlineReached
	case errors.As(err, &limited):
		out.Reason, out.RetryAfter = notifiers.RateLimited, limited.RetryAfter
	case errors.As(err, &status):
		out.Reason, out.Final = byStatus(status.Code)
		if out.Reason == notifiers.RateLimited {
			out.RetryAfter = time.Second
		}
	case errors.As(err, &said):
		out.Reason, out.Final = byCode(said.Err)
		out.Err = fmt.Errorf("slack: %s: %s", what, explained(said))
		if out.Reason == notifiers.RateLimited {
			out.RetryAfter = time.Second
		}
	}
	return out
}

func byStatus(code int) (notifiers.Reason, bool) {
	switch {
	case code == http.StatusTooManyRequests:
		return notifiers.RateLimited, false
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return notifiers.AuthError, true
	case code >= 500:
		return notifiers.ServerError, false
	default:
		return notifiers.ClientError, true
	}
}

// byCode reads Slack's own codes; one that is not known here is a fault of ours and final.
func byCode(code string) (notifiers.Reason, bool) {
	switch code {
	case "invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "no_permission", "missing_scope",
		"not_allowed_token_type", "ekm_access_denied", "org_login_required", "access_denied", "team_access_not_granted",
		"invalid_token", "action_prohibited", "posting_to_general_channel_denied", "two_factor_setup_required":
		return notifiers.AuthError, true
	case "ratelimited", "rate_limited", "message_limit_exceeded":
		return notifiers.RateLimited, false
	case "internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org", "rollup_error", "accesslimited":
		return notifiers.ServerError, false
	}
	return notifiers.ClientError, true
}

// explained adds what Slack says of the place of a fault. The text of our message may be in it, so it is cut.
func explained(e slackgo.SlackErrorResponse) string {
	s := e.Err
	if e.Needed != "" {
		s += ", needs " + e.Needed
	}
	if len(e.ResponseMetadata.Messages) > 0 {
		s += " (" + strings.Join(e.ResponseMetadata.Messages[:min(3, len(e.ResponseMetadata.Messages))], "; ") + ")"
	}
	if len(s) > 500 {
		s = strings.ToValidUTF8(s[:500], "") + "…"
	}
	return s
}

// code is Slack's word for what went wrong, "" where it gave none.
func code(err error) string {
	var said slackgo.SlackErrorResponse
	if errors.As(err, &said) {
		return said.Err
	}
	return ""
}

// plainer is true where the same words without blocks may pass.
func plainer(code string) bool {
	return slices.Contains([]string{
		"invalid_blocks", "invalid_blocks_format", "invalid_attachments", "msg_blocks_too_long", "msg_too_long", "too_many_attachments", "invalid_payload",
	}, code)
}

// gone is true where the message that was to be edited or replied to is no more, or not ours.
func gone(code string) bool {
	return slices.Contains([]string{"message_not_found", "thread_not_found", "cant_update_message", "edit_window_closed"}, code)
}
