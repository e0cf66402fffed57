package shoutrrr

import (
	"net/url"
	"strings"
	"testing"

	"github.com/inferdx/inferdx/notifiers"
)

func TestAPanicOfTheLibraryIsAFinalErrorWithoutSecrets(t *testing.T) {
	u, err := url.Parse("slack://hook:TAAAAAAAA-BBBBBBBBB-123456789012345678901234@webhook")
	if err != nil {
		t.Fatal(err)
	}
	err = classify(t.Context(), u, caught(func() error {
		panic("posting to https://hooks.slack.com/services/TAAAAAAAA/BBBBBBBBB/123456789012345678901234 with TAAAAAAAA/123456789012345678901234")
	}))
	if !notifiers.Final(err) || !strings.Contains(err.Error(), "panicked") || strings.Contains(err.Error(), "AAAA") || strings.Contains(err.Error(), "3456") {
		t.Errorf("got %v", err)
	}
}

func TestStatusesAreFoundInWords(t *testing.T) {
	for text, want := range map[string]int{
		"unexpected response status: 502 Bad Gateway":     502,
		"failed to send: 404 Not Found":                   404,
		"server said HTTP 429":                            429,
		"got HTTP response status code: 503":              503,
		"server response: unauthorized (40101)":           401,
		"server responded with Unauthorized (401): no":    401,
		"dial tcp 10.0.0.1:443: connect refused":          0,
		"message too long: 18000 bytes":                   0,
		"lookup host-404.example: no such host":           0,
		"read tcp 127.0.0.1:500->127.0.0.1:443: i/o fail": 0,
	} {
		if got := inWords(text); got != want {
			t.Errorf("%q: got %d, want %d", text, got, want)
		}
	}
}
