package launch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	"github.com/inferdx/inferdx/internal/source/httpclient"
)

// accountDir is where Kubernetes puts the credentials of a pod.
const accountDir = "/var/run/secrets/kubernetes.io/serviceaccount"

// Cluster reads pods from the API of Kubernetes: one GET each, allowed by `get` on `pods`. Token and CA
// are read when they are used, as both rotate.
type Cluster struct {
	// Server is the API's URL.
	Server            string
	TokenFile, CAFile string

	mu     sync.Mutex
	ca     []byte
	client *httpclient.Client
}

// InCluster is the cluster that this process runs in; false where it runs in none.
func InCluster(getenv func(string) string) (*Cluster, bool) {
	host, port := getenv("KUBERNETES_SERVICE_HOST"), getenv("KUBERNETES_SERVICE_PORT")
	if host == "" || port == "" {
		return nil, false
	}
	return &Cluster{
		Server:    "https://" + net.JoinHostPort(host, port),
		TokenFile: filepath.Join(accountDir, "token"), CAFile: filepath.Join(accountDir, "ca.crt"),
	}, true
}

// Pod reads one pod.
func (c *Cluster) Pod(ctx context.Context, namespace, name string) (*Pod, error) {
	what := "read pod " + namespace + "/" + name
	client, err := c.connect()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet,
		c.Server+"/api/v1/namespaces/"+url.PathEscape(namespace)+"/pods/"+url.PathEscape(name), nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	req.Header.Set("Accept", "application/json")
	resp, err := client.Read(ctx, req, 4<<20, nil)
	var failed *httpclient.Error
	switch {
	case errors.As(err, &failed) && failed.Code == http.StatusForbidden:
		return nil, fmt.Errorf("read pods of namespace %s: not allowed: the service account needs the verb get on pods", namespace)
	case errors.As(err, &failed) && failed.Code == http.StatusNotFound:
		return nil, fmt.Errorf("%s: this cluster has no such pod", what)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	p := &Pod{}
	if err := json.Unmarshal(resp.Body, p); err != nil {
		return nil, fmt.Errorf("%s: the answer is no pod: %w", what, err)
	}
	return p, nil
}

// connect makes a new client when the CA changed.
func (c *Cluster) connect() (*httpclient.Client, error) {
	ca, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read CA file: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.client != nil && bytes.Equal(ca, c.ca) {
		return c.client, nil
	}
	client, err := httpclient.New(httpclient.Options{
		BearerTokenFile: c.TokenFile, TLS: httpclient.TLS{CAFile: c.CAFile},
		Proxy: func(*http.Request) (*url.URL, error) { return nil, nil }, // the API is in the cluster
	})
	if err != nil {
		return nil, err
	}
	if c.client != nil {
		c.client.Close()
	}
	c.client, c.ca = client, ca
	return client, nil
}
