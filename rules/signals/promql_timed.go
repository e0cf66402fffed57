package signals

// timed renders a signal over a window of its own, or with every selector moved back. Unlike a frame it does
// not ask whether that window was covered by scrapes.
func (q *query) timed(a Timed, err error) (operand, error) {
	if err != nil {
		return operand{}, unsayable("%v", err)
	}
	then := *q
	if a.Length > 0 {
		then.o.Window = a.Text
	} else {
		then.offset = " offset " + a.Text
	}
	return then.signal(a.Signal)
}

// span is what stands behind a selector.
func (q *query) span() string { return "[" + q.o.Window + "]" + q.offset }
