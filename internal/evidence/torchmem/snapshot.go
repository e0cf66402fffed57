package torchmem

import (
	"cmp"
	"slices"
	"strings"
)

// summed stands where a part of the snapshot was that has been added up.
type summed bool

// block is a piece of a segment.
type block struct {
	size, requested int64
	state           string
	stack           *stack
}

// use is a place of the code and what its memory is for.
type use struct {
	stack *stack
	kind  Kind
}

// snapshot adds up the parts of a snapshot as they are read, so that a file of any size needs little memory.
type snapshot struct {
	frames   map[frame]*frame
	stacks   map[string]*stack
	live     map[use]*Allocation
	kinds    map[Kind]int64
	devices  map[int64]bool
	memory   Memory
	segments int
	events   int
	net      int64 // of the events, allocated less freed
	netMost  int64
}

const (
	maxFrames = 1 << 16
	maxStacks = 1 << 15
	noFrame   = "(further code)"
)

func newSnapshot() *snapshot {
	return &snapshot{
		frames: map[frame]*frame{}, stacks: map[string]*stack{}, live: map[use]*Allocation{},
		kinds: map[Kind]int64{}, devices: map[int64]bool{},
	}
}

// filled tells what a container is: a frame, a stack of them, a block, a segment or an event of the history.
func (s *snapshot) filled(o *object) any {
	if !o.dict {
		return s.list(o)
	}
	switch {
	case o.has("filename") && o.has("line") && o.has("name"):
		return s.frame(o)
	case o.has("action"):
		s.event(o)
		return summed(true)
	case o.has("total_size") && o.has("blocks"):
		s.segment(o)
		return summed(true)
	case o.has("state") && o.has("size"):
		return s.block(o)
	}
	return nil
}

func (o *object) has(key string) bool {
	_, ok := o.get(key)
	return ok
}

func (o *object) get(key string) (any, bool) {
	if len(o.items) > 128 {
		return nil, false // none of the parts has so many keys
	}
	for i := 0; i+1 < len(o.items); i += 2 {
		if k, ok := o.items[i].(string); ok && k == key {
			return o.items[i+1], true
		}
	}
	return nil, false
}

// number is an integer of at least 0; anything else counts as 0.
func (o *object) number(key string) int64 {
	v, _ := o.get(key)
	n, _ := v.(int64)
	return max(0, min(n, maxBytes))
}

// maxBytes is beyond any GPU's memory and far below what overflows in sums.
const maxBytes = 1 << 44

func (o *object) text(key string) string {
	v, _ := o.get(key)
	s, _ := v.(string)
	return s
}

func (s *snapshot) frame(o *object) *frame {
	f := frame{file: o.text("filename"), line: o.number("line"), name: o.text("name")}
	if known := s.frames[f]; known != nil {
		return known
	}
	if len(s.frames) >= maxFrames {
		f = frame{name: noFrame}
	}
	s.frames[f] = &f
	return &f
}

// list turns a list of frames into a stack; other lists stay.
func (s *snapshot) list(o *object) any {
	var frames []*frame
	for _, v := range o.items {
		f, ok := v.(*frame)
		if !ok {
			return nil
		}
		frames = append(frames, f)
	}
	if len(frames) == 0 {
		return nil
	}
	st := newStack(frames)
	key := string(st.Kind) + "\n" + strings.Join(st.Code, "\n")
	if known := s.stacks[key]; known != nil {
		return known
	}
	if len(s.stacks) >= maxStacks {
		return &stack{Kind: st.Kind, Code: []string{noFrame}}
	}
	s.stacks[key] = st
	return st
}

func (s *snapshot) block(o *object) *block {
	b := &block{size: o.number("size"), requested: o.number("requested_size"), state: o.text("state")}
	frames, _ := o.get("frames")
	if history, ok := o.get("history"); ok && frames == nil { // before torch 2.1
		if list, ok := history.(*object); ok && len(list.items) > 0 {
			if first, ok := list.items[0].(*object); ok {
				frames, _ = first.get("frames")
			}
		}
	}
	b.stack, _ = frames.(*stack)
	return b
}

// segment adds up a segment and its blocks. Free blocks of a segment that is in use cannot be given back to the GPU.
func (s *snapshot) segment(o *object) {
	s.segments++
	v, _ := o.get("device")
	device, _ := v.(int64)
	if len(s.devices) < 1024 {
		s.devices[device] = true
	}
	m := &s.memory
	m.Reserved += o.number("total_size")
	list, _ := o.get("blocks")
	blocks, _ := list.(*object)
	if blocks == nil {
		return
	}
	private := o.private()
	var used, free int64
	for _, item := range blocks.items {
		b, ok := item.(*block)
		if !ok {
			continue
		}
		if !strings.HasPrefix(b.state, "active") {
			free += b.size
			m.LargestFree = max(m.LargestFree, b.size)
			continue
		}
		used += b.size
		if b.state == "active_allocated" {
			m.Allocated += b.size
		}
		s.allocation(b, private)
	}
	blocks.items = nil
	m.Active += used
	if used > 0 {
		m.Split += free
	} else {
		m.Cached += free
	}
}

// private says whether a segment belongs to a pool of its own, as CUDA graphs have.
func (o *object) private() bool {
	v, _ := o.get("segment_pool_id")
	id, _ := v.([]any)
	for _, part := range id {
		if n, ok := part.(int64); ok && n != 0 {
			return true
		}
	}
	return false
}

func (s *snapshot) allocation(b *block, private bool) {
	st := b.stack
	if st == nil {
		st = s.unrecorded()
	}
	kind := st.Kind
	if kind == Other && private {
		kind = Graphs
	}
	s.kinds[kind] += b.size
	a := s.live[use{st, kind}]
	if a == nil {
		a = &Allocation{Kind: kind, Code: st.Code}
		s.live[use{st, kind}] = a
	}
	a.Bytes += b.size
	a.Blocks++
}

// unrecorded is the stack of blocks that have none.
func (s *snapshot) unrecorded() *stack {
	if s.stacks[""] == nil {
		s.stacks[""] = &stack{Kind: Other}
	}
	return s.stacks[""]
}

// event adds up an event of the history.
func (s *snapshot) event(o *object) {
	s.events++
	size := o.number("size")
	switch o.text("action") {
	case "alloc":
		s.net += size
		s.netMost = max(s.netMost, s.net)
	case "free_completed":
		s.net -= size
	case "oom":
		s.memory.OOMs++
		s.memory.OOMRequested = size
		if o.has("device_free") {
			free := o.number("device_free")
			s.memory.OOMFree = &free
		}
		if v, ok := o.get("frames"); ok {
			if st, ok := v.(*stack); ok {
				s.memory.OOMCode = st.Code
			}
		}
	}
}

// result is what was read so far.
func (s *snapshot) result() *Memory {
	m := s.memory
	m.From, m.Segments, m.Events, m.Devices = "snapshot", s.segments, s.events, len(s.devices)
	known := len(s.kinds) > 1 || len(s.kinds) == 1 && s.kinds[Other] == 0
	for _, k := range Kinds() {
		if bytes, ok := s.kinds[k]; ok && (known || k != Other) {
			m.Kinds = append(m.Kinds, KindBytes{k, bytes})
		}
	}
	if s.netMost > 0 && m.Devices == 1 {
		// The history ends where the snapshot was taken, so what is allocated now anchors it.
		peak := max(m.Allocated, m.Allocated+s.netMost-s.net)
		m.Peak = &peak
	}
	for _, a := range s.live {
		m.Largest = append(m.Largest, *a)
	}
	slices.SortFunc(m.Largest, func(a, b Allocation) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), slices.Compare(a.Code, b.Code), cmp.Compare(a.Kind, b.Kind))
	})
	m.Largest = m.Largest[:min(len(m.Largest), maxLargest)]
	return &m
}
