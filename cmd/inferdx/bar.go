package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// bar shows on a terminal how far scraping is; elsewhere it shows nothing.
type bar struct {
	w        io.Writer
	on       bool
	duration time.Duration
	urls     int
}

func newBar(w io.Writer, d time.Duration, urls int) *bar {
	b := &bar{w: w, on: isTerminal(w), duration: d, urls: max(urls, 1)}
	b.progress(0, 1)
	return b
}

func (b *bar) progress(done, total int) {
	if !b.on || total == 0 {
		return
	}
	const cells = 24
	full := cells * done / total
	left := b.duration - b.duration*time.Duration(done)/time.Duration(total)
	line := fmt.Sprintf("[%s%s] %s left", strings.Repeat("#", full), strings.Repeat(".", cells-full), left.Round(time.Second))
	if total > 1 {
		line += fmt.Sprintf(", %d of %d scrapes", done/b.urls, total/b.urls)
	}
	_, _ = fmt.Fprintf(b.w, "\r\x1b[K%s (ctrl-C ends early)", line)
}

func (b *bar) clear() {
	if b.on {
		_, _ = io.WriteString(b.w, "\r\x1b[K")
	}
}
