package httpclient

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
)

// DefaultBodyLimit is how much of one answer is read: 64 MiB.
const DefaultBodyLimit = 64 << 20

// Response is a whole answer.
type Response struct {
	Code   int
	Header http.Header
	Body   []byte
}

// Read sends a request and reads the whole answer, unpacked, into buf (which may be nil). More
// than limit bytes (0 means the default) are an error. A status that is not 2xx is an error of kind
// Status that comes with the response.
func (c *Client) Read(ctx context.Context, req *http.Request, limit int64, buf []byte) (*Response, error) {
	if limit <= 0 {
		limit = DefaultBodyLimit
	}
	resp, s, err := c.send(ctx, req)
	if err != nil {
		return nil, c.clean(ctx, s, err)
	}
	defer resp.Body.Close()
	if resp.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	b := bytes.NewBuffer(buf[:0])
	if _, err := b.ReadFrom(io.LimitReader(resp.Body, limit+1)); err != nil {
		cleaned := c.clean(ctx, s, err)
		if e, ok := cleaned.(*Error); ok && e.Kind == Network && e.err == nil { //nolint:errorlint // clean made it
			e.Kind = Body
		}
		return nil, cleaned
	}
	if int64(b.Len()) > limit {
		return nil, tooLarge(limit)
	}
	out := &Response{Code: resp.StatusCode, Header: resp.Header, Body: b.Bytes()}
	if resp.StatusCode/100 != 2 { // servers like to quote the credentials they refuse
		out.Body = []byte(c.scrub(s, string(out.Body)))
		return out, c.statusError(s, resp.StatusCode, out.Body)
	}
	return out, nil
}

func tooLarge(limit int64) error {
	return &Error{Kind: TooLarge, Detail: "more than " + size(limit)}
}

func size(n int64) string {
	if n >= 1<<20 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d bytes", n)
}
