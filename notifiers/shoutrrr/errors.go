package shoutrrr

import (
	"context"
	"errors"
	"net/http"
	"net/textproto"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/nicholas-fedor/shoutrrr/pkg/util/jsonclient"

	"github.com/inferdx/inferdx/internal/secret"
	"github.com/inferdx/inferdx/notifiers"
	"github.com/inferdx/inferdx/notifiers/send"
)

// classify says what an error of the library means. Most of its services keep the status only in words.
func classify(ctx context.Context, u *url.URL, err error) error {
	if err == nil {
		return nil
	}
	var crash *panicked
	if errors.As(err, &crash) {
		return &notifiers.Error{Reason: notifiers.Other, Final: true, Err: errors.New(scrub(u, crash.Error()))}
	}
	var mail *textproto.Error
	if errors.As(err, &mail) {
		return ofMail(u, mail)
	}
	code := 0
	var answer jsonclient.Error
	if errors.As(err, &answer) {
		code = answer.StatusCode
	}
	if code < 300 {
		code = inWords(err.Error())
	}
	if code < 300 {
		return send.Failure(ctx, host(u), err, hidden(u)...)
	}
	e := &notifiers.Error{Reason: notifiers.ClientError, Final: true, Err: errors.New(scrub(u, err.Error()))}
	switch {
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		e.Reason = notifiers.AuthError
	case code == http.StatusGone:
		e.Disable = true
	case code == http.StatusTooManyRequests:
		e.Reason, e.Final = notifiers.RateLimited, false
	case code == http.StatusRequestTimeout:
		e.Final = false
	case code >= 500:
		e.Reason, e.Final = notifiers.ServerError, false
	}
	return e
}

// ofMail: in SMTP it is 4xx that may pass and 5xx that stays.
func ofMail(u *url.URL, mail *textproto.Error) error {
	e := &notifiers.Error{Reason: notifiers.ServerError, Err: errors.New(scrub(u, "the mail server says "+mail.Error()))}
	switch {
	case mail.Code == 530, mail.Code == 534, mail.Code == 535, mail.Code == 538:
		e.Reason, e.Final = notifiers.AuthError, true
	case mail.Code >= 500:
		e.Reason, e.Final = notifiers.ClientError, true
	}
	return e
}

// status is an HTTP status in words: "status code: 502", "404 Not Found", "Unauthorized (401)", ntfy's "(40101)".
var status = regexp.MustCompile(`(?i:\b(?:status|code|http)[^0-9\n]{0,24})([1-5][0-9]{2})\b|\b([1-5][0-9]{2}) [A-Z][a-z]|\(([1-5][0-9]{2})(?:[0-9]{2})?\)`)

// inWords finds the status in an error's text, or gives 0.
func inWords(text string) int {
	for _, found := range status.FindAllStringSubmatch(text, -1) {
		if code, err := strconv.Atoi(found[1] + found[2] + found[3]); err == nil && http.StatusText(code) != "" {
			return code
		}
	}
	return 0
}

// host is what may be told of a URL: not of a service whose host is part of the secret.
func host(u *url.URL) string {
	if hosted(scheme(u)) {
		return u.Hostname()
	}
	return scheme(u)
}

var links = regexp.MustCompile(`[a-z+]+://[^\s"]+`)

// scrub takes from a text the URLs and all that the receiver's URL is made of.
func scrub(u *url.URL, text string) string {
	return secret.Excerpt([]byte(links.ReplaceAllString(secret.Hide(text, hidden(u)...), "<url>")))
}

var pieces = regexp.MustCompile(`[^A-Za-z0-9_+=-]+`)

// hidden lists whatever in a service's URL may be secret, which is everywhere: user, path, query, and the
// host where it is none. Services put the pieces together anew, so each is hidden by itself too.
func hidden(u *url.URL) []string {
	out := secret.InURL(u)
	texts := []string{u.Path, u.Opaque, u.Fragment}
	if u.User != nil {
		password, _ := u.User.Password()
		texts = append(texts, u.User.Username(), password)
	}
	if !hosted(scheme(u)) && u.Hostname() != scheme(u) {
		texts = append(texts, u.Host)
	}
	for _, vs := range u.Query() {
		texts = append(texts, vs...)
	}
	for _, text := range texts {
		out = append(out, text)
		for _, piece := range pieces.Split(text, -1) {
			if len(piece) >= 6 { // shorter ones are words: smtp, hooks, yes
				out = append(out, piece)
				for part := range strings.SplitSeq(piece, "-") { // Slack's hook:T-B-C becomes T/B/C
					if len(part) >= 8 {
						out = append(out, part)
					}
				}
			}
		}
	}
	return out
}
