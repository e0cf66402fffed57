package torchmem

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// The bounds of what a pickle may make the reader hold, whatever its size.
const (
	maxStack   = 1 << 20  // values
	maxMarks   = 128      // nesting of containers
	maxMemo    = 1 << 22  // remembered values
	maxString  = 1 << 20  // bytes of one string
	keptString = 300      // bytes of it that are kept
	maxText    = 48 << 20 // bytes of all strings that the memo and such containers keep
	maxItems   = 1 << 21  // items of containers that nothing has summed up yet
)

// errRefused is the fault of a pickle that would run something. It is never taken for a file that merely breaks off.
var errRefused = errors.New("refused")

// object is a list or dict that is being filled. What it turns out to be takes its place on the stack and in the memo.
type object struct {
	memo  int // -1 when not remembered
	dict  bool
	items []any // of a dict, keys and values in turn
}

// machine reads a pickle of plain containers, protocols 2 to 5. It runs nothing: a global other than the harmless ones
// is refused with its name, and so is every opcode that builds objects. filled is called with a container whenever items
// were put into it; what it returns takes the container's place unless it is nil.
type machine struct {
	r      *bufio.Reader
	at     int64
	stack  []any
	marks  []int
	memo   []any
	buf    []byte
	text   int
	items  int
	filled func(*object) any
}

// global is the name of a callable that may stand in a pickle and does no harm. It is not called: see reduce.
type global string

const (
	orderedDict global = "collections.OrderedDict"
	encode      global = "_codecs.encode" // how protocol 2 writes bytes
)

// run reads to the end of the pickle.
func (m *machine) run() error {
	for {
		op, err := m.r.ReadByte()
		if err != nil {
			return m.broken(err)
		}
		m.at++
		if op == '.' {
			return nil
		}
		if err := m.do(op); err != nil {
			return fmt.Errorf("at byte %d: %w", m.at, m.broken(err))
		}
	}
}

func (m *machine) broken(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// do carries out one opcode.
func (m *machine) do(op byte) error {
	switch op {
	case 0x80: // PROTO
		v, err := m.uint(1)
		if err == nil && (v < 2 || v > 5) {
			return fmt.Errorf("pickle protocol %d is not one of 2 to 5", v)
		}
		return err
	case 0x95: // FRAME
		_, err := m.uint(8)
		return err
	case '(':
		if len(m.marks) >= maxMarks {
			return fmt.Errorf("containers nest deeper than %d", maxMarks)
		}
		m.marks = append(m.marks, len(m.stack))
		return nil
	case '0':
		return m.drop()
	case '1':
		_, err := m.popMark()
		return err
	case '2':
		return m.dup()
	}
	if done, err := m.scalar(op); done {
		return err
	}
	if done, err := m.container(op); done {
		return err
	}
	if done, err := m.remember(op); done {
		return err
	}
	return m.callable(op)
}

// scalar pushes a number, string, None or truth value.
func (m *machine) scalar(op byte) (bool, error) {
	switch op {
	case 'N':
		return true, m.push(nil)
	case 0x88, 0x89:
		return true, m.push(op == 0x88)
	case 'J', 'K', 'M':
		return true, m.integer(op)
	case 'G':
		v, err := m.bytes(8)
		if err != nil {
			return true, err
		}
		return true, m.push(math.Float64frombits(binary.BigEndian.Uint64(v)))
	case 0x8a: // LONG1
		return true, m.long(1)
	case 0x8b: // LONG4
		return true, m.long(4)
	case 'U', 'C', 0x8c:
		return true, m.string(1)
	case 'T', 'B', 'X':
		return true, m.string(4)
	case 0x8d, 0x8e, 0x96:
		return true, m.string(8)
	}
	return false, nil
}

func (m *machine) integer(op byte) error {
	size := 1
	switch op {
	case 'J':
		size = 4
	case 'M':
		size = 2
	}
	v, err := m.uint(size)
	if err != nil {
		return err
	}
	if op == 'J' {
		return m.push(int64(int32(v)))
	}
	return m.push(int64(v))
}

// long reads an integer of any length; one of more than eight bytes is held to be the largest there is.
func (m *machine) long(size int) error {
	n, err := m.uint(size)
	if err != nil {
		return err
	}
	if n > 1024 {
		return fmt.Errorf("an integer of %d bytes", n)
	}
	b, err := m.bytes(int(n))
	if err != nil {
		return err
	}
	if n > 8 {
		return m.push(int64(math.MaxInt64))
	}
	var v int64
	for i := len(b) - 1; i >= 0; i-- {
		v = v<<8 | int64(b[i])
	}
	if n > 0 && n < 8 && b[n-1]&0x80 != 0 {
		v -= 1 << (8 * n)
	}
	return m.push(v)
}

// string reads a string after its length and keeps its beginning.
func (m *machine) string(size int) error {
	n, err := m.uint(size)
	if err != nil {
		return err
	}
	if n > maxString {
		return fmt.Errorf("a string of %d bytes", n)
	}
	kept, err := m.bytes(min(int(n), keptString))
	if err != nil {
		return err
	}
	if rest := int(n) - len(kept); rest > 0 {
		skipped, err := m.r.Discard(rest)
		m.at += int64(skipped)
		if err != nil {
			return err
		}
	}
	return m.push(string(kept))
}

// uint reads a little-endian number of 1, 2, 4 or 8 bytes.
func (m *machine) uint(size int) (uint64, error) {
	b, err := m.bytes(size)
	if err != nil {
		return 0, err
	}
	var full [8]byte
	copy(full[:], b)
	return binary.LittleEndian.Uint64(full[:]), nil
}

// bytes reads into a buffer that is valid until the next call.
func (m *machine) bytes(n int) ([]byte, error) {
	if cap(m.buf) < n {
		m.buf = make([]byte, max(n, maxLine))
	}
	b := m.buf[:n]
	read, err := io.ReadFull(m.r, b)
	m.at += int64(read)
	return b, err
}

func (m *machine) push(v any) error {
	if len(m.stack) >= maxStack {
		return fmt.Errorf("more than %d values wait for their container", maxStack)
	}
	m.stack = append(m.stack, v)
	return nil
}

var errEmpty = errors.New("an opcode takes a value that is not there")

// above is how many values lie above the last mark, which is as far down as an opcode may reach.
func (m *machine) above() int {
	if len(m.marks) == 0 {
		return len(m.stack)
	}
	return len(m.stack) - m.marks[len(m.marks)-1]
}

// pop takes the topmost value.
func (m *machine) pop() (any, error) {
	if m.above() < 1 {
		return nil, errEmpty
	}
	v := m.stack[len(m.stack)-1]
	m.stack[len(m.stack)-1] = nil
	m.stack = m.stack[:len(m.stack)-1]
	return v, nil
}

// drop carries out POP, which takes a mark when it is on top.
func (m *machine) drop() error {
	if len(m.marks) > 0 && m.above() == 0 {
		m.marks = m.marks[:len(m.marks)-1]
		return nil
	}
	_, err := m.pop()
	return err
}

// popMark takes everything above the last mark, and the mark. The values are valid until the next push.
func (m *machine) popMark() ([]any, error) {
	if len(m.marks) == 0 {
		return nil, errEmpty
	}
	from := m.marks[len(m.marks)-1]
	m.marks = m.marks[:len(m.marks)-1]
	values := m.stack[from:]
	m.stack = m.stack[:from]
	return values, nil
}

func (m *machine) dup() error {
	if m.above() < 1 {
		return errEmpty
	}
	return m.push(m.stack[len(m.stack)-1])
}
