package slack

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// Secret gives a token or URL that must not be printed. It is asked before every use, so that a
// rotated one is taken up.
type Secret func() (string, error)

// FromFile reads a secret anew each time.
func FromFile(path string) Secret {
	return func() (string, error) {
		b, err := os.ReadFile(path)
		if err != nil {
			return "", fmt.Errorf("read secret: %w", err)
		}
		s := strings.TrimSpace(string(b))
		if s == "" {
			return "", fmt.Errorf("read secret: %s is empty", path)
		}
		return s, nil
	}
}

// Literal is a secret that stands in the configuration itself.
func Literal(s string) Secret {
	return func() (string, error) {
		if s == "" {
			return "", errors.New("the secret is empty")
		}
		return s, nil
	}
}
