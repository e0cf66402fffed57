package secret_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/inferdx/inferdx/internal/secret"
)

func TestASecretIsNeverPrinted(t *testing.T) {
	type options struct{ Token secret.Text }
	o := options{secret.Text{Value: "TOPSECRET"}}
	asJSON, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range []string{fmt.Sprint(o), fmt.Sprintf("%+v", o), fmt.Sprintf("%#v", o), fmt.Sprintf("%v", &o), string(asJSON)} {
		if strings.Contains(got, "TOPSECRET") || !strings.Contains(got, "secret") {
			t.Errorf("got %s", got)
		}
	}
}

func TestAFileIsReadAnewAndItsFaultsNameItAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	text := secret.Text{File: path}
	if _, err := text.Read(); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
	for in, want := range map[string]string{"first\n": "first", "second": "second", "a\nTOPSECRET": "", " \n": ""} {
		if err := os.WriteFile(path, []byte(in), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := text.Read()
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v", in, got, err)
		}
		if err != nil && (!strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "TOPSECRET")) {
			t.Errorf("got %v", err)
		}
	}
	if _, err := (secret.Text{Value: "a", File: path}).Read(); err == nil {
		t.Error("a value and a file were both taken")
	}
}

func TestSecretsAreHiddenInEveryDress(t *testing.T) {
	u, err := url.Parse("https://user:pass%20word@host.example/services/T0123456789AB/short?token=abc%2Fdef")
	if err != nil {
		t.Fatal(err)
	}
	text := "POST " + u.String() + " for user:pass word (dXNlcjpwYXNzIHdvcmQ=) with abc/def, abc%2Fdef, T0123456789AB"
	got := secret.Hide(text, secret.InURL(u)...)
	for _, s := range []string{"pass word", "dXNlcjpwYXNz", "abc/def", "abc%2F", "T0123456789AB"} {
		if strings.Contains(got, s) {
			t.Errorf("%q is seen in %s", s, got)
		}
	}
	if got := secret.Hide("no token is no word", "no", ""); got != "no token is no word" {
		t.Errorf("short secrets tear words: %s", got)
	}
}

func TestAnExcerptIsOneLineWithoutControlCharacters(t *testing.T) {
	if got := secret.Excerpt([]byte("a\n\x1b[31mb\xff  c")); got != "a [31mb c" {
		t.Errorf("got %q", got)
	}
	if got := secret.Excerpt([]byte(strings.Repeat("x", 300))); got != strings.Repeat("x", 200)+"…" {
		t.Errorf("got %q", got)
	}
}
