// Package secret holds texts that nobody must see: where they come from, and how they are kept out
// of messages.
package secret

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"unicode"
)

// shown is what a secret looks like wherever it is printed.
const shown = "<secret>"

// Text is a secret that is given itself, by the file it lies in or by an environment variable. It prints as <secret>.
type Text struct {
	Value string
	File  string
	Env   string
}

// Set says whether there is one.
func (t Text) Set() bool { return t.Value != "" || t.File != "" || t.Env != "" }

// Read gives the secret. A file is read anew each time, so that a rotated secret is picked up.
func (t Text) Read() (string, error) {
	switch {
	case t.Value != "" && t.File != "":
		return "", errors.New("a secret is given both itself and by a file")
	case t.Env != "" && t.Value+t.File != "":
		return "", fmt.Errorf("a secret is given both by the environment variable %s and otherwise", t.Env)
	case t.File != "":
		return ReadFile(t.File)
	case t.Env != "":
		return readEnv(t.Env)
	}
	return t.Value, nil
}

// String hides the secret; the name of its file or variable is none.
func (t Text) String() string {
	switch {
	case t.File != "":
		return "file " + t.File
	case t.Env != "":
		return "environment variable " + t.Env
	case t.Value != "":
		return shown
	}
	return ""
}

// GoString hides the secret from %#v.
func (t Text) GoString() string { return "secret.Text(" + t.String() + ")" }

// MarshalText hides the secret from JSON and YAML.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// ReadFile reads a secret of one line. Its errors name the file, never what is in it.
func ReadFile(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read secret: %w", err)
	}
	s := strings.TrimSpace(string(b))
	switch {
	case s == "":
		return "", fmt.Errorf("read secret %s: the file is empty", path)
	case strings.ContainsAny(s, "\r\n\x00"):
		return "", fmt.Errorf("read secret %s: more than one line", path)
	}
	return s, nil
}

func readEnv(name string) (string, error) {
	s := strings.TrimSpace(os.Getenv(name))
	switch {
	case s == "":
		return "", fmt.Errorf("read secret: the environment variable %s is not set", name)
	case strings.ContainsAny(s, "\r\n\x00"):
		return "", fmt.Errorf("read secret: the environment variable %s has more than one line", name)
	}
	return s, nil
}

// Hide replaces secrets in a text that a server or a library wrote. Secrets of fewer than four bytes
// stay: they would tear ordinary words.
func Hide(text string, secrets ...string) string {
	var all []string
	for _, s := range secrets {
		if len(s) < 4 {
			continue
		}
		all = append(all, s, url.QueryEscape(s), url.PathEscape(s), base64.StdEncoding.EncodeToString([]byte(s)))
	}
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) }) // a part must not spoil the whole
	for _, s := range all {
		text = strings.ReplaceAll(text, s, "***")
	}
	return text
}

// Excerpt is the start of a text on one line, without control characters.
func Excerpt(b []byte) string {
	const most = 200
	cut := len(b) > most
	text := strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, string(b[:min(len(b), most)]))
	text = strings.Join(strings.Fields(text), " ")
	if cut {
		text += "…"
	}
	return text
}

// InURL lists the parts of a URL that may be secret: user, password, values of the query, and the parts
// of its path that are long enough for a token.
func InURL(u *url.URL) []string {
	out := []string{u.String()}
	if u.RequestURI() != "/" {
		out = append(out, u.RequestURI())
	}
	if u.User != nil {
		password, _ := u.User.Password()
		out = append(out, u.User.Username(), password, u.User.Username()+":"+password)
	}
	for _, vs := range u.Query() {
		out = append(out, vs...)
	}
	for part := range strings.SplitSeq(u.Path, "/") {
		if len(part) >= 12 {
			out = append(out, part)
		}
	}
	return out
}
