package matchers_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/inferdx/inferdx/internal/matchers"
)

func TestMatchersReadAlertmanagersSyntax(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"quoted", `severity="critical"`, `{severity="critical"}`},
		{"bare", `severity=critical`, `{severity="critical"}`},
		{"blanks", ` severity =~ "warn|crit" `, `{severity=~"warn|crit"}`},
		{"several", `a!="b",c!~d`, `{a!="b",c!~"d"}`},
		{"braces and a last comma", `{a="b", c="d",}`, `{a="b",c="d"}`},
		{"a name in quotes", `"my.label"="x"`, `{"my.label"="x"}`},
		{"an empty value", `a=`, `{a=""}`},
		{"a quote in the value", `a="x\"y"`, `{a="x\"y"}`},
		{"empty braces match all", `{}`, `{}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ms, err := matchers.Parse(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if got := ms.String(); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if again, err := matchers.Parse(ms.String()); err != nil || again.String() != tt.want {
				t.Errorf("what it writes does not read back: %v, %v", again, err)
			}
		})
	}
}

func TestAFaultNamesItsPlace(t *testing.T) {
	tests := []struct {
		in   string
		at   int
		want string
	}{
		{"", 0, "want a matcher"},
		{`severity`, 8, "want =, !=, =~ or !~ behind severity"},
		{`a="b`, 2, "does not end"},
		{`a="b" c="d"`, 6, "not understood"},
		{`{a="b"`, 6, `want "," or "}"`},
		{`a="b",=c`, 6, "want a label name"},
		{`a=~"("`, 3, "missing closing )"},
		{`a=~"x)|(y"`, 3, "unexpected )"},
		{`a=~"` + strings.Repeat("x", 5000) + `"`, 3, "longer than 4096"},
	}
	for _, tt := range tests {
		_, err := matchers.Parse(tt.in)
		var e *matchers.Error
		if !errors.As(err, &e) || e.At != tt.at || !strings.Contains(e.Msg, tt.want) {
			t.Errorf("%.20q: got %v, want %q at %d", tt.in, err, tt.want, tt.at)
		}
	}
}

func TestAMatcherLooksAtTheWholeValue(t *testing.T) {
	labels := map[string]string{"model": "chat-70b\nx", "severity": "critical"}
	tests := []struct {
		in   string
		want bool
	}{
		{`model=~"chat.*"`, true},
		{`model=~"chat"`, false},
		{`model=~"x|chat.*"`, true},
		{`severity="critical",model!~"code.*"`, true},
		{`severity!="critical"`, false},
		{`absent=""`, true},
		{`absent!=""`, false},
		{`{}`, true},
	}
	for _, tt := range tests {
		ms, err := matchers.Parse(tt.in)
		if err != nil {
			t.Fatal(err)
		}
		if got := ms.Match(labels); got != tt.want {
			t.Errorf("%s: got %v", tt.in, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`{a="b",c=~"d"}`)
	f.Add(`"q\u00e9"!~x`)
	f.Fuzz(func(t *testing.T, in string) {
		ms, err := matchers.Parse(in)
		if err != nil {
			return
		}
		again, err := matchers.Parse(ms.String())
		if err != nil || again.String() != ms.String() {
			t.Errorf("%q became %s, then %v, %v", in, ms, again, err)
		}
	})
}
