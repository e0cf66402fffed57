package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/inferdx/inferdx/internal/source/httpclient"
)

// httpFlags are shared by everything that is read over HTTP.
type httpFlags struct {
	o       httpclient.Options
	headers []string
	limit   string
	timeout time.Duration
}

func (h *httpFlags) flags(f *pflag.FlagSet) {
	f.StringArrayVar(&h.headers, "header", nil, "header for every request, as X-Scope-OrgID=gpu (repeatable)")
	f.StringVar(&h.o.BearerTokenFile, "bearer-token-file", "", "file with the bearer token")
	f.StringVar(&h.o.BasicUser, "basic-user", "", "user for basic authentication")
	f.StringVar(&h.o.BasicPasswordFile, "basic-password-file", "", "file with the password for basic authentication")
	f.StringVar(&h.o.TLS.CAFile, "tls-ca", "", "file with the certificates to trust")
	f.StringVar(&h.o.TLS.CertFile, "tls-cert", "", "file with the client's certificate")
	f.StringVar(&h.o.TLS.KeyFile, "tls-key", "", "file with the client's key")
	f.StringVar(&h.o.TLS.ServerName, "tls-server-name", "", "name that the server's certificate must carry")
	f.BoolVar(&h.o.TLS.InsecureSkipVerify, "insecure-skip-verify", false, "accept any certificate")
	f.BoolVar(&h.o.FollowRedirects, "follow-redirects", false, "follow redirects to other hosts, too, without credentials")
	f.StringVar(&h.limit, "body-limit", "64MiB", "most that is read of one answer")
	f.DurationVar(&h.timeout, "timeout", 0, "time for one answer (default 10s, of --prometheus 30s)")
}

// options checks the flags.
func (h *httpFlags) options() (o httpclient.Options, limit int64, err error) {
	o = h.o
	o.Headers = map[string]string{}
	for _, x := range h.headers {
		name, value, ok := strings.Cut(x, "=")
		if !ok || !isToken(name) || strings.ContainsAny(value, "\r\n\x00") {
			return o, 0, usage("as --header X-Scope-OrgID=gpu", "a --header is not NAME=VALUE") // the value may be a secret
		}
		o.Headers[name] = value
	}
	if h.timeout < 0 {
		return o, 0, usage("as 10s", "--timeout must not be negative")
	}
	if limit, err = parseSize(h.limit); err != nil {
		return o, 0, err
	}
	client, err := httpclient.New(o) // a missing file is a fault to tell before anything is sent
	if err != nil {
		return o, 0, usage("", "%w", err)
	}
	client.Close()
	return o, limit, nil
}

func isToken(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	}) < 0
}

func parseSize(s string) (int64, error) {
	number, factor := s, int64(1)
	for _, u := range []struct {
		unit   string
		factor int64
	}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}} {
		if n, ok := strings.CutSuffix(s, u.unit); ok {
			number, factor = n, u.factor
			break
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	if err != nil || n <= 0 || n > (1<<40)/factor {
		return 0, usage("as 64MiB or 1GiB", "--body-limit %q is not a usable size", s)
	}
	return n * factor, nil
}
