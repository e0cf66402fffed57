package secret

import (
	"regexp"
	"slices"
	"strings"
)

var (
	// keys are values that look like no other word: of OpenAI and its kin, Hugging Face, Slack, GitHub, GitLab, AWS, and JSON web tokens.
	keys = regexp.MustCompile(`\b(?:sk-[\w-]{8,}|hf_\w{8,}|xox[a-z]-[\w-]{8,}|xapp-[\w-]{8,}|whsec_[\w+/=]{8,}|gh[pousr]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|(?:AKIA|ASIA)[0-9A-Z]{16}|eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?)`)
	// named are values with a name that says what they are. A flag may have several.
	named = regexp.MustCompile(`(?i)((?:api|access|secret|auth)[_-]?key|(?:hf|access|auth|bearer|bot|refresh|secret|user)[_-]?token|passw(?:or)?d|passphrase|client[_-]?secret|secret)(["']?\s*[:=]\s*)(\[[^\]]*\]?|"[^"]*"?|'[^']*'?|[^\s,;&)}\]]+)`)
	flags = regexp.MustCompile(`(?i)(--[\w-]*(?:api|access|secret|auth)[_-]key|--[\w-]*(?:token|password|secret))((?:[ =][^\s-]\S*)+)`)
	// bearer is an Authorization header, userinfo the password in an address.
	bearer   = regexp.MustCompile(`(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}`)
	userinfo = regexp.MustCompile(`(\w://[^/\s:@]*):[^/\s@]+@`)
	// query is that of an address, which may be signed; hook the path of a well-known webhook, which is its secret.
	query = regexp.MustCompile(`(https?://[^\s"'?]+\?)[^\s"')]+`)
	hook  = regexp.MustCompile(`(hooks\.slack\.com/|discord(?:app)?\.com/api/webhooks/)[^\s"']+`)
)

// Redact leaves out of a line what may be a secret: keys in arguments, in headers and in addresses. What it leaves is to be shown. Most
// lines have nothing of the kind, which is told in a hundredth of the time that the expressions take.
func Redact(line string) string {
	low := strings.ToLower(line)
	if has(low, "key", "token", "passw", "passphrase", "secret") {
		line = flags.ReplaceAllString(line, "$1 "+shown)
		line = named.ReplaceAllStringFunc(line, func(hit string) string {
			m := named.FindStringSubmatch(hit)
			switch m[3] {
			case "None", "null", "True", "False", "true", "false", "[]", `""`, "''", shown:
				return hit
			}
			return m[1] + m[2] + shown
		})
	}
	if has(low, "://") {
		line = userinfo.ReplaceAllString(line, "$1:"+shown+"@")
		line = hook.ReplaceAllString(query.ReplaceAllString(line, "$1"+shown), "$1"+shown)
	}
	if has(low, "bearer", "basic") {
		line = bearer.ReplaceAllString(line, "$1 "+shown)
	}
	if has(low, "sk-", "hf_", "xox", "xapp-", "whsec_", "gh", "glpat-", "akia", "asia", "eyj") {
		line = keys.ReplaceAllString(line, shown)
	}
	return line
}

func has(s string, any ...string) bool {
	return slices.ContainsFunc(any, func(part string) bool { return strings.Contains(s, part) })
}
