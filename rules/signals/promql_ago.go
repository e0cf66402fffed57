package signals

// ago renders a signal with every selector moved back. Unlike a frame it does not ask whether the
// earlier window was covered by scrapes.
func (q *query) ago(a Ago, err error) (operand, error) {
	if err != nil {
		return operand{}, unsayable("%v", err)
	}
	then := *q
	then.offset = " offset " + a.Offset
	return then.signal(a.Signal)
}

// span is what stands behind a selector.
func (q *query) span() string { return "[" + q.o.Window + "]" + q.offset }
