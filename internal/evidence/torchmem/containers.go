package torchmem

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// container carries out the opcodes of lists, tuples, dicts and sets.
func (m *machine) container(op byte) (bool, error) {
	switch op {
	case ']', 0x8f: // EMPTY_LIST, EMPTY_SET
		return true, m.push(&object{memo: -1})
	case '}':
		return true, m.push(&object{memo: -1, dict: true})
	case ')':
		return true, m.push([]any(nil))
	case 'a', 's':
		n := 1
		if op == 's' {
			n = 2
		}
		values := make([]any, n)
		for i := n - 1; i >= 0; i-- {
			v, err := m.pop()
			if err != nil {
				return true, err
			}
			values[i] = v
		}
		return true, m.fill(values)
	case 'e', 'u', 0x90: // APPENDS, SETITEMS, ADDITEMS
		values, err := m.popMark()
		if err != nil {
			return true, err
		}
		return true, m.fill(values)
	case 'l', 'd', 0x91: // LIST, DICT, FROZENSET
		values, err := m.popMark()
		if err != nil {
			return true, err
		}
		values = slices.Clone(values)
		if err := m.push(&object{memo: -1, dict: op == 'd'}); err != nil {
			return true, err
		}
		return true, m.fill(values)
	case 't':
		values, err := m.popMark()
		if err != nil {
			return true, err
		}
		return true, m.tuple(values)
	case 0x85, 0x86, 0x87: // TUPLE1 to TUPLE3
		n := int(op - 0x84)
		if m.above() < n {
			return true, errEmpty
		}
		values := m.stack[len(m.stack)-n:]
		m.stack = m.stack[:len(m.stack)-n]
		return true, m.tuple(values)
	}
	return false, nil
}

func (m *machine) tuple(values []any) error {
	if err := m.hold(len(values)); err != nil {
		return err
	}
	for _, v := range values {
		if err := m.keep(v); err != nil {
			return err
		}
	}
	return m.push(slices.Clone(values))
}

// hold counts items that a container keeps.
func (m *machine) hold(n int) error {
	if m.items += n; m.items > maxItems {
		return fmt.Errorf("more than %d items that are no part of a snapshot", maxItems)
	}
	return nil
}

// keep counts the text of a value that the memo or a container keeps.
func (m *machine) keep(v any) error {
	if s, ok := v.(string); ok {
		if m.text += len(s); m.text > maxText {
			return fmt.Errorf("more than %d MiB of different strings", maxText>>20)
		}
	}
	return nil
}

// release is told of items that were summed up and are kept no more.
func (m *machine) release(items []any) {
	m.items -= len(items)
	for _, v := range items {
		if s, ok := v.(string); ok {
			m.text -= len(s)
		}
	}
}

// fill puts values into the container on top of the stack. One that was summed up already takes no more.
func (m *machine) fill(values []any) error {
	if m.above() < 1 {
		return errEmpty
	}
	o, ok := m.stack[len(m.stack)-1].(*object)
	if !ok {
		if done, _ := m.stack[len(m.stack)-1].(summed); done {
			return nil
		}
		if _, ok := m.stack[len(m.stack)-1].(*stack); ok {
			return nil
		}
		return errors.New("items are put into what is no container")
	}
	if o.dict && len(values)%2 != 0 {
		return errors.New("a dict gets a key without a value")
	}
	for i, v := range values {
		if v == summed(true) && !o.dict {
			continue
		}
		if err := cmp.Or(m.hold(1), m.keep(v)); err != nil {
			return err
		}
		o.items = append(o.items, v)
		values[i] = nil
	}
	if v := m.filled(o); v != nil {
		m.release(o.items)
		o.items = nil
		m.stack[len(m.stack)-1] = v
		if o.memo >= 0 {
			m.memo[o.memo] = v
		}
	}
	return nil
}

// remember carries out the opcodes of the memo. Picklers number its entries in order, so one further on is a fault.
func (m *machine) remember(op byte) (bool, error) {
	size := 1
	if op == 'r' || op == 'j' {
		size = 4
	}
	switch op {
	case 0x94: // MEMOIZE
		return true, m.put(len(m.memo))
	case 'q', 'r', 'h', 'j':
		i, err := m.uint(size)
		if err != nil {
			return true, err
		}
		if op == 'q' || op == 'r' {
			return true, m.put(int(i))
		}
		if i >= uint64(len(m.memo)) {
			return true, fmt.Errorf("entry %d of the memo was never written", i)
		}
		return true, m.push(m.memo[i])
	}
	return false, nil
}

func (m *machine) put(i int) error {
	switch {
	case m.above() < 1:
		return errEmpty
	case i > len(m.memo):
		return fmt.Errorf("entry %d of the memo is written before entry %d", i, len(m.memo))
	case i >= maxMemo:
		return fmt.Errorf("the memo has more than %d entries", maxMemo)
	}
	v := m.stack[len(m.stack)-1]
	if o, ok := v.(*object); ok && o.memo < 0 {
		o.memo = i
	}
	if err := m.keep(v); err != nil {
		return err
	}
	if i == len(m.memo) {
		m.memo = append(m.memo, v)
	} else {
		m.memo[i] = v
	}
	return nil
}

// callable carries out what is left: naming and calling something. Only two names are let through, and neither is called.
func (m *machine) callable(op byte) error {
	switch op {
	case 'c', 'i': // GLOBAL, INST
		module, err := m.line()
		if err != nil {
			return err
		}
		name, err := m.line()
		if err != nil {
			return err
		}
		return m.name(module, name)
	case 0x93: // STACK_GLOBAL
		name, err := m.pop()
		if err != nil {
			return err
		}
		module, err := m.pop()
		if err != nil {
			return err
		}
		return m.name(fmt.Sprint(module), fmt.Sprint(name))
	case 'R':
		return m.reduce()
	}
	names := map[byte]string{
		'o': "OBJ", 0x81: "NEWOBJ", 0x92: "NEWOBJ_EX", 'b': "BUILD", 'P': "PERSID", 'Q': "BINPERSID",
		0x82: "EXT1", 0x83: "EXT2", 0x84: "EXT4", 0x97: "NEXT_BUFFER", 0x98: "READONLY_BUFFER",
	}
	if name, ok := names[op]; ok {
		return fmt.Errorf("%w: opcode %s builds an object, and a snapshot has only plain containers", errRefused, name)
	}
	return fmt.Errorf("byte %#x is no opcode of pickle protocols 2 to 5", op)
}

func (m *machine) name(module, name string) error {
	g := global(module + "." + name)
	if g != orderedDict && g != encode {
		return fmt.Errorf("%w: the pickle names %.120q, and a snapshot names nothing that can be called", errRefused, string(g))
	}
	return m.push(g)
}

// reduce stands for the call of a harmless global: an OrderedDict is a dict, encoded text is text.
func (m *machine) reduce() error {
	args, err := m.pop()
	if err != nil {
		return err
	}
	f, err := m.pop()
	if err != nil {
		return err
	}
	values, ok := args.([]any)
	switch g, _ := f.(global); {
	case g == orderedDict && ok && len(values) == 0:
		return m.push(&object{memo: -1, dict: true})
	case g == encode && ok && len(values) > 0:
		if s, ok := values[0].(string); ok {
			return m.push(s)
		}
	}
	return fmt.Errorf("%w: the pickle calls %.120q", errRefused, fmt.Sprint(f))
}

// line reads text up to a line break.
func (m *machine) line() (string, error) {
	var b bytes.Buffer
	for b.Len() < maxLine {
		c, err := m.r.ReadByte()
		if err != nil {
			return "", err
		}
		m.at++
		if c == '\n' {
			return b.String(), nil
		}
		b.WriteByte(c)
	}
	return "", fmt.Errorf("%w: a name of more than %d bytes", errRefused, maxLine)
}

const maxLine = 1024
