package send

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"os"

	"github.com/inferdx/inferdx/internal/secret"
)

// credentials are what goes with one request, read for it.
type credentials struct {
	authorization string
	headers       map[string]string
	hide          []string // what no error may show
}

func (c *Client) secrets() (credentials, error) {
	var out credentials
	user, err := c.o.Basic.User.Read()
	if err != nil {
		return out, fmt.Errorf("basic authentication: %w", err)
	}
	password, err := c.o.Basic.Password.Read()
	if err != nil {
		return out, fmt.Errorf("basic authentication: %w", err)
	}
	token, err := c.o.Authorization.Credentials.Read()
	if err != nil {
		return out, fmt.Errorf("authorization: %w", err)
	}
	out.hide = append(out.hide, password, token)
	switch {
	case user != "" || password != "":
		pair := user + ":" + password
		out.hide = append(out.hide, pair)
		out.authorization = "Basic " + base64.StdEncoding.EncodeToString([]byte(pair))
	case token != "":
		kind := c.o.Authorization.Type
		if kind == "" {
			kind = "Bearer"
		}
		out.authorization = kind + " " + token
	}
	out.headers = make(map[string]string, len(c.o.Headers))
	for name, text := range c.o.Headers {
		v, err := text.Read()
		if err != nil {
			return out, fmt.Errorf("header %s: %w", name, err)
		}
		out.headers[name] = v
		out.hide = append(out.hide, v)
	}
	if proxy, err := c.o.Proxy.Read(); err == nil {
		if u, err := readURL("proxy", secret.Text{Value: proxy}); err == nil {
			out.hide = append(out.hide, secret.InURL(u)...)
		}
	}
	return out, nil
}

func (s credentials) put(req *http.Request) {
	req.Header.Set("User-Agent", "inferdx")
	for name, v := range s.headers {
		req.Header.Set(name, v)
	}
	if user := req.URL.User; user != nil && s.authorization == "" {
		password, _ := user.Password()
		req.SetBasicAuth(user.Username(), password)
	}
	if s.authorization != "" {
		req.Header.Set("Authorization", s.authorization)
	}
}

func readCA(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read CA file: %w", err)
	}
	return string(b), nil
}
