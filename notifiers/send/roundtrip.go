package send

import (
	"fmt"
	"net/http"
)

// RoundTrip implements http.RoundTripper for libraries that make their own requests: the same way, trust,
// credentials and headers, the request's own winning. What it answers is not bounded.
func (c *Client) RoundTrip(r *http.Request) (*http.Response, error) {
	s, err := c.secrets()
	if err != nil {
		return nil, err
	}
	via, err := c.transports()
	if err != nil {
		return nil, fmt.Errorf("trust: %w", err)
	}
	own := r.Header
	r = r.Clone(r.Context())
	s.put(r)
	for name, vs := range own {
		r.Header[name] = vs
	}
	transport, _, err := c.choose(via, r)
	if err != nil {
		return nil, err
	}
	return transport.RoundTrip(r)
}
