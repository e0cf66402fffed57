package torchtrace

import (
	"bytes"
	"strings"
)

// maxNames bounds how many different names are kept, maxName how much of one: templates run to pages.
const maxNames, maxName = 1 << 15, 1 << 10

const furtherNames = "(further names)"

// names gives each name a number. Those beyond maxNames share one.
type names struct {
	ids map[string]uint32
	all []string
}

func newNames() *names { return &names{ids: map[string]uint32{}} }

func (n *names) id(name []byte) (id uint32, isNew bool) {
	if len(name) > maxName {
		name = bytes.ToValidUTF8(name[:maxName], nil)
	}
	if id, ok := n.ids[string(name)]; ok {
		return id, false
	}
	if len(n.all) >= maxNames-1 {
		if id, ok := n.ids[furtherNames]; ok {
			return id, false
		}
		name = []byte(furtherNames)
	}
	id = uint32(len(n.all)) //nolint:gosec // at most maxNames
	s := strings.ToValidUTF8(string(name), "")
	n.ids[string(name)], n.all = id, append(n.all, s)
	return id, true
}
