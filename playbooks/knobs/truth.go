package knobs

// truth is yes, no, or not to be told from what is known (Kleene).
type truth int8

const (
	no truth = iota - 1
	unknown
	yes
)

func known(b bool) truth {
	if b {
		return yes
	}
	return no
}
