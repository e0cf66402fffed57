package promapi

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	common "github.com/prometheus/common/model"

	"github.com/inferdx/inferdx/internal/source/httpclient"
)

// ask runs one instant query and gives its warnings beside the result.
func (s *server) ask(ctx context.Context, query string, at time.Time) (common.Value, []string, error) {
	v, warnings, _, err := s.api.Query(ctx, query, at, v1.WithTimeout(s.Timeout))
	if err != nil {
		return nil, warnings, plain(err)
	}
	return v, warnings, nil
}

// plain words an error of client_golang for people.
func plain(err error) error {
	var ours *httpclient.Error
	var theirs *v1.Error
	switch {
	case errors.As(err, &ours):
		return err
	case errors.As(err, &theirs) && theirs.Type == v1.ErrBadResponse:
		return fmt.Errorf("the answer is not what the query API gives (cut off, or another server?): %s", short(theirs.Msg))
	case errors.As(err, &theirs):
		return fmt.Errorf("query refused (%s): %s", theirs.Type, short(theirs.Msg))
	}
	return err
}

func short(text string) string {
	const most = 300
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return strings.Join(strings.Fields(text), " ")
}

// tooBig tells errors that a smaller query may not have.
func tooBig(err error) bool {
	var e *httpclient.Error
	return errors.As(err, &e) && e.Kind == httpclient.TooLarge || strings.Contains(err.Error(), "too many samples")
}

// selector is a PromQL selector of metrics by name.
func selector(names, matchers []string) string {
	var by string
	if len(names) == 1 {
		by = "__name__=" + strconv.Quote(names[0])
	} else {
		by = "__name__=~" + anyOf(names)
	}
	return "{" + strings.Join(append([]string{by}, matchers...), ",") + "}"
}

// anyOf is a quoted regular expression that matches exactly the given texts.
func anyOf(texts []string) string {
	quoted := make([]string, len(texts))
	for i, s := range texts {
		quoted[i] = regexp.QuoteMeta(s)
	}
	return strconv.Quote(strings.Join(quoted, "|"))
}

// length is a duration as PromQL writes it.
func length(d time.Duration) string {
	if d%time.Second == 0 {
		return fmt.Sprintf("[%ds]", d/time.Second)
	}
	return fmt.Sprintf("[%dms]", d.Milliseconds())
}

// span is one range selector's stretch of time, (end-length, end].
type span struct {
	end    time.Time
	length time.Duration
	step   time.Duration // between the samples wanted; 0 wants all
}

// text is what stands behind the selector.
func (s span) text() string {
	if s.step == 0 {
		return length(s.length)
	}
	return strings.TrimSuffix(length(s.length), "]") + ":" + strings.TrimPrefix(length(s.step), "[")
}

// spans are the stretches that are asked for: of a sparse selection one, which holds few samples.
func (s Selection) spans(at time.Time) []span {
	if s.Sparse {
		return []span{{at, s.Window, max(s.Window/60, time.Second).Truncate(time.Second)}}
	}
	return spans(at, s.Window)
}

// spans cuts a window into consecutive stretches, oldest first.
func spans(at time.Time, window time.Duration) []span {
	var out []span
	from := at.Add(-window)
	for left := window; left > 0; {
		n := min(left, chunk)
		from = from.Add(n)
		out = append(out, span{end: from, length: n})
		left -= n
	}
	return out
}
