package httpclient

import (
	"fmt"
	"net/http"
	"net/url"
)

// checkRedirect follows redirects only where the answer still comes from whom we asked. A data
// source that redirects elsewhere is mostly a login page.
func (c *Client) checkRedirect(req *http.Request, via []*http.Request) error {
	from := via[0]
	switch {
	case len(via) >= 5:
		return &Error{Kind: Redirect, Detail: "more than five redirects"}
	case from.URL.Scheme == "https" && req.URL.Scheme != "https":
		return &Error{Kind: Redirect, Detail: "redirected from HTTPS to " + Display(req.URL)}
	case from.Method != req.Method:
		return &Error{Kind: Redirect, Detail: fmt.Sprintf("redirected to %s, which would turn a %s into a %s", Display(req.URL), from.Method, req.Method)}
	case sameHost(from.URL, req.URL):
		return nil
	case !c.o.FollowRedirects:
		return &Error{Kind: Redirect, Detail: "redirected to another host, " + Display(req.URL)}
	}
	for k := range c.o.Headers {
		req.Header.Del(k)
	}
	for k := range c.o.HeaderFiles {
		req.Header.Del(k)
	}
	req.Header.Del("Authorization")
	return nil
}

// sameHost also allows the step from HTTP to HTTPS on one host.
func sameHost(a, b *url.URL) bool {
	if a.Hostname() != b.Hostname() {
		return false
	}
	return a.Host == b.Host || Port(a) == Port(b) || a.Scheme == "http" && b.Scheme == "https"
}

// Port is the port of a URL, by its scheme where it names none.
func Port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

// Display is a URL for people: without user, password, query and fragment, which may hold secrets.
func Display(u *url.URL) string {
	v := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	return v.String()
}
