package tail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/inferdx/inferdx/internal/evidence/logs"
)

const (
	// wholeFile is up to which size a file is read whole when it is found. Of a larger one the last start and the end are read.
	wholeFile = 16 << 20
	// startLength is how much is read from the last start on, endLength how much of the end.
	startLength, endLength = 2 << 20, 8 << 20
	// markLength is how much of the beginning of a file tells it from the one that was there before a truncation.
	markLength = 256
	// summedEvery is how often what a file told is summed up while it grows, summedAnyway while it does not: the past grows.
	summedEvery, summedAnyway = 5 * time.Second, time.Minute
	// onePoll bounds what is read of a file before others have their turn.
	onePoll = 32 << 20
	// oneTurn bounds how long, for lines that take long: a storm of errors is read at some MB/s.
	oneTurn = 2 * time.Second
	// tooFarBehind is how much unread text is caught up with.
	tooFarBehind = 2 * onePoll
)

// follower reads one path as it grows, whatever file is behind it.
type follower struct {
	path   string
	source string
	labels map[string]string
	found  bool // by a pattern, and not named itself

	open  *os.File
	at    int64  // read up to here
	mark  []byte // what the file began with
	lines int64
	bytes int64
	wrote time.Time // when it was written to last
	gone  time.Time // since when there is no such file
	err   error

	cut    *logs.Lines
	reader *logs.Reader
	log    *logs.Log
	fresh  bool // lines came since log was made
	made   time.Time
}

func newFollower(path string, now time.Time) *follower {
	return &follower{path: path, gone: now}
}

func (f *follower) close() {
	if f.open != nil {
		_ = f.open.Close()
	}
	f.open = nil
}

// begin reads what the file behind the path tells from its beginning: of a new server, or of the same one, whose log was rotated. The
// reader goes on, since only it knows the start then.
func (f *follower) begin() error {
	if f.reader != nil {
		return nil
	}
	r, err := logs.NewReader()
	if err != nil {
		return err
	}
	f.reader = r
	f.cut = logs.NewLines(func(s string) {
		f.lines++
		f.fresh = true
		r.Line(s)
	})
	return nil
}

// poll reads what is new.
func (f *follower) poll(ctx context.Context, now time.Time) error {
	if err := f.begin(); err != nil {
		return err
	}
	info, err := os.Stat(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if f.gone.IsZero() {
			f.gone = now
		}
		if f.open != nil {
			err = f.drain(ctx) // whoever rotates may go on writing to the old one for a while
			if now.Sub(f.gone) > time.Minute {
				f.close()
			}
			return err
		}
		return plain(err)
	case err != nil:
		return plain(err)
	case info.IsDir():
		return fmt.Errorf("%s: is a folder", f.path)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s: is no regular file", f.path)
	}
	f.gone = time.Time{}
	if f.open != nil {
		if old, err := f.open.Stat(); err != nil || !os.SameFile(old, info) {
			if err := f.drain(ctx); err != nil {
				return err
			}
			if err == nil && f.at < old.Size() {
				return nil // what is left of it comes before the new one
			}
			f.cut.Flush()
			f.close()
		}
	}
	if f.open == nil {
		if err := f.start(ctx, info.Size()); err != nil {
			return err
		}
		f.wrote = info.ModTime()
	}
	return f.grow(ctx, info)
}

// start opens the file behind the path.
func (f *follower) start(ctx context.Context, size int64) error {
	file, err := openFile(f.path)
	if err != nil {
		return err
	}
	f.open, f.at, f.mark = file, 0, nil
	if f.lines > 0 {
		return nil // the next file of the same server
	}
	begin, found, err := lastStart(ctx, file, size)
	if err == nil && !found {
		err = f.older(ctx)
	}
	if err == nil && size > wholeFile {
		err = f.skip(ctx, size, begin, found)
	}
	if err != nil {
		f.close()
	}
	return err
}

// openFile opens a regular file. It never waits, as for who writes to a pipe that took the file's place.
func openFile(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, plain(err)
	}
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		_ = file.Close()
		return nil, errors.Join(fmt.Errorf("%s: is no regular file", path), err)
	}
	return file, nil
}

// skip reads the last start of a large file, and goes on near its end.
func (f *follower) skip(ctx context.Context, size, begin int64, found bool) error {
	end := size - endLength
	if found && begin < end {
		if err := f.read(ctx, begin, min(begin+startLength, end)); err != nil {
			return err
		}
		f.cut.Drop()
	}
	if found && begin > end {
		end = begin
	}
	var err error
	f.at, err = nextLine(f.open, end)
	return err
}

// read reads a part of the file.
func (f *follower) read(ctx context.Context, from, to int64) error {
	n, err := f.feed(ctx, f.open, from, to)
	f.at = from + n
	return err
}

func (f *follower) feed(ctx context.Context, r io.ReaderAt, from, to int64) (int64, error) {
	n, err := io.Copy(f.cut, &stopping{ctx, io.NewSectionReader(r, from, to-from)})
	f.bytes += n
	return n, plain(err)
}

// grow reads on, having seen whether the file was emptied meanwhile.
func (f *follower) grow(ctx context.Context, info os.FileInfo) error {
	same, err := f.same()
	if err != nil {
		return plain(err)
	}
	if info.Size() < f.at || !same {
		f.at, f.mark = 0, nil
		f.cut.Flush()
	}
	was := f.at
	if err := f.drain(ctx); err != nil {
		return err
	}
	if f.at != was {
		f.wrote = info.ModTime()
	}
	return errors.Join(f.remark(), f.catchUp(info.Size()))
}

// catchUp leaves out what lies before the end where a file grows faster than it is read: what it says now counts.
func (f *follower) catchUp(size int64) error {
	left := size - endLength - f.at
	if size-f.at <= tooFarBehind {
		return nil
	}
	f.cut.Drop()
	var err error
	if f.at, err = nextLine(f.open, size-endLength); err != nil {
		return err
	}
	return fmt.Errorf("%s: grows faster than it can be read: %d MiB were left out", f.path, left>>20)
}

// drain reads to the end, or as far as one turn goes.
func (f *follower) drain(ctx context.Context) error {
	n, err := f.feed(ctx, &brief{f.open, time.Now().Add(oneTurn)}, f.at, f.at+onePoll)
	f.at += n
	return err
}

// same says whether the file still begins as it did: one that was emptied may have grown beyond what was read.
func (f *follower) same() (bool, error) {
	if len(f.mark) == 0 {
		return true, nil
	}
	now := make([]byte, len(f.mark))
	n, err := f.open.ReadAt(now, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	return bytes.Equal(now[:n], f.mark), nil
}

func (f *follower) remark() error {
	n := min(f.at, markLength)
	if int64(len(f.mark)) == n {
		return nil
	}
	mark := make([]byte, n)
	got, err := f.open.ReadAt(mark, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return plain(err)
	}
	f.mark = mark[:got]
	return nil
}

// forgotten says that the file has been gone for long.
func (f *follower) forgotten(now time.Time) bool {
	return !f.gone.IsZero() && now.Sub(f.gone) > forgetAfter
}

// told is what the file tells, nil where it is no log of a server.
func (f *follower) told(now time.Time) *logs.Log {
	if f.reader == nil || f.lines == 0 {
		return nil
	}
	if age := now.Sub(f.made).Abs(); age < summedEvery && f.log != nil || !f.fresh && age < summedAnyway {
		return f.log
	}
	l, err := f.reader.LogAfter(max(now.Sub(f.wrote), 0))
	if err != nil {
		l = nil
	}
	f.log, f.fresh, f.made = l, false, now
	return l
}

// brief reads until its time is over, and then finds the end.
type brief struct {
	r     io.ReaderAt
	until time.Time
}

func (b *brief) ReadAt(p []byte, at int64) (int, error) {
	if time.Now().After(b.until) {
		return 0, io.EOF
	}
	return b.r.ReadAt(p, at)
}

// stopping reads until ctx ends.
type stopping struct {
	ctx context.Context //nolint:containedctx // of one read
	r   io.Reader
}

func (s *stopping) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.r.Read(p)
}
