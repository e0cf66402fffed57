package promapi

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

// apart is how far two clocks may be apart before it is worth a word: two scrapes of the usual interval.
const apart = 30 * time.Second

// clock compares the server's clock with ours. It is safe for concurrent use.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration // of ours; the server's
}

// read takes the time of an answer that was asked for at some time and has just arrived.
func (c *clock) read(h http.Header, asked time.Time) {
	at, err := http.ParseTime(h.Get("Date"))
	if err != nil || h.Get("Age") != "" { // no date, or that of a cached answer
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch now := time.Now(); {
	case at.After(now):
		c.ahead = at.Sub(now)
	case at.Before(asked.Truncate(time.Second)): // the date has whole seconds
		c.ahead = at.Sub(asked)
	default:
		c.ahead = 0
	}
}

// fault says that samples of the present were asked for at a wrong time.
func (c *clock) fault(source string, at time.Time) (model.Fault, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	off := c.ahead.Abs().Round(time.Second)
	if off <= apart || time.Since(at).Abs() > time.Hour { // the past is the past on both clocks
		return model.Fault{}, false
	}
	text := "its clock is %s ahead of this machine's: its newest samples are not looked at"
	if c.ahead < 0 {
		text = "its clock is %s behind this machine's: samples of the last moments are missing"
	}
	return model.Fault{Source: source, Err: fmt.Sprintf(text, off)}, true
}
