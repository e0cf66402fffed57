package scrape

import "sync"

// mostLines bounds what is remembered of lines that nobody wants; what is beyond is remembered by each
// target for itself.
const mostLines = 100_000

// lines is a set of texts that all targets share: a page has as many lines that nobody wants as others,
// and the same ones as the next server's.
type lines struct {
	mu    sync.RWMutex
	set   map[string]bool
	began int // how often it began anew
}

func (l *lines) has(text []byte) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.set[string(text)]
}

// era is another number after the set was cleared.
func (l *lines) era() int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.began
}

// add is false where there is no room, or where the set was cleared since an era: then others are wanted, perhaps.
func (l *lines) add(text string, era int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.set) >= mostLines || l.began != era {
		return false
	}
	if l.set == nil {
		l.set = map[string]bool{}
	}
	l.set[text] = true
	return true
}

func (l *lines) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.set = nil
	l.began++
}
