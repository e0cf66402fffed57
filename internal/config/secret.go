package config

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"strings"

	"gopkg.in/yaml.v3"
)

const (
	hidden = "<secret>"
	inline = "a secret must not stand in this file"
	// maxSecret is far above any token and keeps a wrong path (/dev/zero) harmless.
	maxSecret = 64 << 10
)

// Secret is a text that shows itself only to who asks: printed, logged or marshalled it is <secret>.
type Secret string

// Reveal gives the text.
func (s Secret) Reveal() string { return string(s) }

// Format implements fmt.Formatter, for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// String hides the text.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return hidden
}

// MarshalYAML implements yaml.Marshaler.
func (s Secret) MarshalYAML() (any, error) { return s.String(), nil }

// MarshalJSON implements json.Marshaler.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// SecretURL is a URL whose path or query may be a secret, as that of a webhook: only scheme and host are shown.
type SecretURL string

// UnmarshalYAML implements yaml.Unmarshaler.
func (u *SecretURL) UnmarshalYAML(n *yaml.Node) error {
	s, err := text(n, "a URL")
	if err == nil {
		err = checkURL(n, s)
	}
	*u = SecretURL(s)
	return err
}

// Reveal gives the whole URL.
func (u SecretURL) Reveal() string { return string(u) }

// Format implements fmt.Formatter, for every verb.
func (u SecretURL) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, u.String()) }

// String is the URL up to its host.
func (u SecretURL) String() string {
	parsed, err := url.Parse(string(u))
	switch {
	case err != nil:
		return hidden
	case strings.Trim(parsed.Path, "/") == "" && parsed.RawQuery == "":
		return string(u)
	}
	return parsed.Scheme + "://" + parsed.Host + "/" + hidden
}

// MarshalYAML implements yaml.Marshaler.
func (u SecretURL) MarshalYAML() (any, error) { return u.String(), nil }

// MarshalJSON implements json.Marshaler.
func (u SecretURL) MarshalJSON() ([]byte, error) { return json.Marshal(u.String()) }

// LogValue implements slog.LogValuer.
func (u SecretURL) LogValue() slog.Value { return slog.StringValue(u.String()) }

// Inline is a secret written into the file. It is always refused.
type Inline struct{}

// UnmarshalYAML implements yaml.Unmarshaler.
func (*Inline) UnmarshalYAML(n *yaml.Node) error {
	return fault(n, inline,
		"put it into a file and name that in the field that ends in _file, or an environment variable in the one that ends in _env")
}

// SecretFile is the path of a file with one secret. It is read each time the secret is used, so that a
// rotated one is picked up.
type SecretFile string

// Read gives the secret. Its error names the file, never what is in it.
func (f SecretFile) Read() (Secret, error) {
	file, err := os.Open(string(f))
	if err != nil {
		return "", fmt.Errorf("read secret: %w", err)
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, maxSecret+1))
	if err != nil {
		return "", fmt.Errorf("read secret: %w", err)
	}
	s := strings.TrimSpace(string(b))
	switch {
	case len(b) > maxSecret:
		return "", fmt.Errorf("read secret %s: longer than %d bytes", string(f), maxSecret)
	case s == "":
		return "", fmt.Errorf("read secret %s: the file is empty", string(f))
	case strings.ContainsAny(s, "\r\n\x00"):
		return "", fmt.Errorf("read secret %s: more than one line", string(f))
	}
	return Secret(s), nil
}

// SecretEnv is the name of an environment variable that holds a secret.
type SecretEnv string

// Read gives the secret. Its error names the variable.
func (e SecretEnv) Read() (Secret, error) {
	s := strings.TrimSpace(os.Getenv(string(e)))
	switch {
	case s == "":
		return "", fmt.Errorf("read secret: the environment variable %s is not set", string(e))
	case strings.ContainsAny(s, "\r\n\x00"):
		return "", fmt.Errorf("read secret: the environment variable %s has more than one line", string(e))
	}
	return Secret(s), nil
}

// ReadSecret reads the file or, without one, the environment variable; with neither the secret is empty.
func ReadSecret(f SecretFile, e SecretEnv) (Secret, error) {
	switch {
	case f != "":
		return f.Read()
	case e != "":
		return e.Read()
	}
	return "", nil
}

// File is the path of a file that holds no secret.
type File string
