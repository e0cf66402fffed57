package packed

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"
)

func zip(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(s))
	_ = w.Close()
	return b.String()
}

// wide is text as Windows PowerShell's > writes it.
func wide(s string) string {
	var b strings.Builder
	b.WriteString("\xff\xfe")
	for _, u := range utf16.Encode([]rune(s)) {
		b.WriteByte(byte(u))
		b.WriteByte(byte(u >> 8))
	}
	return b.String()
}

func TestReader(t *testing.T) {
	const text = "\"ID\",\"Größe\"\r\n"
	for _, tt := range []struct{ name, in, want string }{
		{"as it is", text, text},
		{"compressed", zip(text), text},
		{"in two members", zip(text) + zip("x"), text + "x"},
		{"UTF-16 of Windows", wide(text), text},
		{"compressed UTF-16", zip(wide(text)), text},
		{"UTF-16, the high byte first", "\xfe\xff\x00a\x00b", "ab"},
		{"UTF-8 with a mark", "\xef\xbb\xbf" + text, text},
		{"binary", "\x80\x04\x95\xff\xfe\x00", "\x80\x04\x95\xff\xfe\x00"},
		{"nothing", "", ""},
		{"one byte", "\x1f", "\x1f"},
	} {
		r, err := Reader(strings.NewReader(tt.in))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got, err := io.ReadAll(r); err != nil || string(got) != tt.want {
			t.Errorf("%s: %q, %v", tt.name, got, err)
		}
	}
}

func TestWhatCannotBeUnpackedIsAnError(t *testing.T) {
	if _, err := Reader(strings.NewReader("\x1f\x8bgarbage, no gzip")); err == nil {
		t.Error("garbage is unpacked")
	}
	broken := errors.New("the disk is gone")
	if _, err := Reader(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Error(err)
	}
	whole := zip(strings.Repeat("some text ", 5000))
	r, err := Reader(strings.NewReader(whole[:len(whole)-10]))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, r); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a file that breaks off: %v", err)
	}
}

func TestABombIsNotUnpacked(t *testing.T) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	zeros := make([]byte, 1<<20)
	for range harmless>>20 + 8 {
		_, _ = w.Write(zeros)
	}
	_ = w.Close()
	r, err := Reader(&b)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, r); !errors.Is(err, errBomb) || n > harmless+1<<20 {
		t.Errorf("%d MiB, %v", n>>20, err)
	}
}

func TestOpenNamesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	read := func(r io.Reader) (string, error) {
		b, err := io.ReadAll(r)
		if len(b) == 0 {
			return "left", errors.New("it is empty")
		}
		return string(b), err
	}
	if _, err := Open(path, "thing", read); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "read thing") {
		t.Error(err)
	}
	for content, want := range map[string]string{"x": "x", "": ""} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := Open(path, "thing", read)
		if got != want || (err != nil) != (content == "") || err != nil && err.Error() != "read thing "+path+": it is empty" {
			t.Errorf("%q: %q, %v", content, got, err)
		}
	}
}

func TestLine(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	br, err := Reader(strings.NewReader("a\n" + long + "\nlast"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"a\n", long[:window], "last"} {
		if got, err := Line(br); got != want || (err != nil) != (want == "last") {
			t.Errorf("%d bytes, %v, want %d", len(got), err, len(want))
		}
	}
}

func FuzzReader(f *testing.F) {
	for _, s := range []string{"", "abc", zip("abc"), wide("abc"), zip(wide("äöü")), "\x1f\x8b\x08\x00", "\xff\xfe\x00\xd8", "\xef\xbb\xbf\xff"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := Reader(bytes.NewReader(in))
		if err != nil {
			return
		}
		for range 1 << 16 {
			if _, err := Line(r); err != nil {
				return
			}
		}
	})
}

func TestHead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	for _, tt := range []struct{ in, want string }{{"abcdef", "abcd"}, {zip("abcdef"), "abcd"}, {"ab", "ab"}, {"", ""}} {
		if err := os.WriteFile(path, []byte(tt.in), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := Head(path, 4); err != nil || string(got) != tt.want {
			t.Errorf("%q: %q, %v", tt.in, got, err)
		}
	}
	if err := os.WriteFile(path, []byte("\x1f\x8b\x08garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Head(path, 4); err == nil || !strings.Contains(err.Error(), "unpack "+path) {
		t.Error(err)
	}
	if _, err := Head(path+"x", 4); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
