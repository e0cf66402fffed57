package config

import (
	"errors"
	"regexp"
	"strings"

	"github.com/inferdx/inferdx/internal/yamlpos"
)

var (
	// A line that gives a secret, however it is written: password: x, {"bearer_token": x, - X-Api-Key: x.
	secretLine = regexp.MustCompile(`(?i)((?:^|[\s{,"'])[\w-]*(?:passwords?|secrets?|token|key|credentials?|cookie|webhook_url)["']?\s*:(?:\s+|$))(.*)$`)
	// Authorization is a block of the configuration, too, which is shown.
	secretHeader = regexp.MustCompile(`(?i)(authorization["']?\s*:\s+)([^{\s].*)$`)
	// Secrets inside of other texts: the user of a URL, the path of a well-known webhook, tokens with well-known beginnings.
	secretURL   = regexp.MustCompile(`(://)[^/\s@"']+@`)
	secretHook  = regexp.MustCompile(`(hooks\.slack\.com/|discord(?:app)?\.com/api/webhooks/)[^\s"']+`)
	secretToken = regexp.MustCompile(`\b(xox[a-z]-|xapp-|whsec_|ghp_|glpat-|hf_|sk-)[\w+/=-]{8,}`)
	// The query of any URL, and the path of a webhook's that stands on its line.
	secretQuery = regexp.MustCompile(`(https?://[^\s"'?]+\?)[^\s"']+`)
	secretPath  = regexp.MustCompile(`(?i)(webhook["']?\s*:.*?\burl["']?\s*:\s*["']?https?://[^/\s"']+/)[^\s"',}]+`)
	// A name that a mistyped one was probably meant to be.
	secretName = regexp.MustCompile(`(?i)password|secret|token|key|credential|authorization|url`)
)

// cleared hides secrets in what is shown of the file.
func (s *Snapshot) cleared(err error) error {
	var ps yamlpos.Problems
	if errors.As(err, &ps) {
		return s.masked(ps).Err()
	}
	return err
}

func (s *Snapshot) masked(ps yamlpos.Problems) yamlpos.Problems {
	lines := strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(s.text)), "\n")
	out := make(yamlpos.Problems, len(ps))
	for i, p := range ps {
		q := *p
		q.Msg, q.Hint = within(p.Msg), advice(p)
		switch unknown := strings.HasPrefix(p.Msg, "unknown field "); {
		case p.Msg == inline:
			q.Text = within(upTo(p.Text, p.Col-1)) + hidden
		case unknown && strings.HasPrefix(p.Hint, "did you mean") && secretName.MatchString(p.Hint):
			q.Text = conceal(upTo(p.Text, p.Col-1+p.Width)+": ") + hidden
		case p.Line > 0 && p.Line <= len(lines) && insideSecret(lines, p.Line-1):
			q.Text = indent(p.Text) + hidden
		default:
			q.Text = conceal(p.Text)
		}
		out[i] = &q
	}
	return out
}

// conceal hides secrets in a line of the file.
func conceal(line string) string {
	line = secretLine.ReplaceAllString(line, "${1}"+hidden)
	return within(secretHeader.ReplaceAllString(line, "${1}"+hidden))
}

// within hides secrets that show themselves in any text.
func within(text string) string {
	text = secretURL.ReplaceAllString(text, "${1}"+hidden+"@")
	text = secretHook.ReplaceAllString(text, "${1}"+hidden)
	text = secretQuery.ReplaceAllString(text, "${1}"+hidden)
	text = secretPath.ReplaceAllString(text, "${1}"+hidden)
	text = secretToken.ReplaceAllString(text, hidden)
	return Args(text).String()
}

// upTo is the start of a line, of n characters.
func upTo(line string, n int) string {
	r := []rune(line)
	return string(r[:max(0, min(n, len(r)))])
}

// insideSecret says whether a line goes on with a secret that begins further up.
func insideSecret(lines []string, n int) bool {
	mine := len(indent(lines[n]))
	for i := n - 1; i >= 0; i-- {
		above := lines[i]
		if strings.TrimSpace(above) == "" || len(indent(above)) >= mine {
			continue
		}
		m := secretLine.FindStringSubmatch(above)
		return m != nil && (m[2] == "" || strings.ContainsAny(m[2][:1], `|>"'`))
	}
	return false
}

func indent(s string) string { return s[:len(s)-len(strings.TrimLeft(s, " \t"))] }

// advice is the hint of a problem, better where the field is one that other programs know.
func advice(p *yamlpos.Problem) string {
	name, ok := strings.CutPrefix(p.Msg, "unknown field ")
	switch {
	case !ok:
		return p.Hint
	case strings.HasSuffix(name, "_sd_configs"):
		return "built in are static_configs, file_sd_configs, http_sd_configs, dns_sd_configs and kubernetes_sd_configs"
	case name == "oauth2":
		return "OAuth 2 is not built in: go through a proxy that adds the token"
	case strings.HasSuffix(name, "_configs") && strings.Contains(p.Hint, "slack"):
		return "receivers here have slack, webhook, alertmanager, pagerduty and shoutrrr"
	}
	return p.Hint
}
