package config

import (
	"errors"
	"net/url"
	"strings"
)

// CheckTraceLink says what is wrong with the address of a trace: it is a URL for browsers with {trace_id} in it.
func CheckTraceLink(link string) error {
	u, err := url.Parse(strings.ReplaceAll(link, "{trace_id}", "0"))
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return errors.New("want a URL that begins with http:// or https://")
	case !strings.Contains(link, "{trace_id}"):
		return errors.New("{trace_id} is missing in it")
	}
	return nil
}
