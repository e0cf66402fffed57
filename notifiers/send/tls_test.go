package send_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/secret"
	"github.com/inferdx/inferdx/internal/source/httpclient"
	"github.com/inferdx/inferdx/notifiers"
	"github.com/inferdx/inferdx/notifiers/send"
)

func TestARotatedCAIsPickedUp(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	right := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
	other := expiredServer(t)
	wrong, err := os.ReadFile(other.ca)
	if err != nil {
		t.Fatal(err)
	}
	path := file(t, string(wrong))
	c := client(t, send.Options{TLS: httpclient.TLS{CAFile: path}})
	if _, err := c.Post(t.Context(), send.Request{To: secret.Text{Value: s.URL}}); err == nil {
		t.Fatal("the wrong CA was trusted")
	}
	write(t, path, right)
	if _, err := c.Post(t.Context(), send.Request{To: secret.Text{Value: s.URL}}); err != nil {
		t.Error(err)
	}
}

func TestTLSBefore12IsRefused(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11} //nolint:gosec // what must be refused
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	if _, e := post(t, send.Options{TLS: httpclient.TLS{InsecureSkipVerify: true}}, s.URL); e == nil || e.Reason != notifiers.TLSError {
		t.Errorf("got %v", e)
	}
}

func TestAProxyIsUsedAndItsRefusalIsItsOwn(t *testing.T) {
	target := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "target") }))
	defer target.Close()
	proxy := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Proxy-Authorization") != "Basic dTpQUk9YWS1TRUNSRVQ=" {
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		tunnel(t, w, r.Host)
	})
	o := send.Options{
		TLS: httpclient.TLS{InsecureSkipVerify: true}, Network: send.Network{DenyPrivate: true},
		Proxy: secret.Text{Value: strings.Replace(proxy, "//", "//u:PROXY-SECRET@", 1)},
	}
	named := strings.Replace(target.URL, "127.0.0.1", "localhost", 1)
	if r, e := post(t, o, named); e != nil || string(r.Body) != "target" {
		t.Errorf("got %v", e)
	}
	if _, e := post(t, o, target.URL); e == nil || !strings.Contains(e.Error(), "loopback") {
		t.Errorf("an address that is denied was asked of the proxy: %v", e)
	}
	o.Proxy = secret.Text{Value: strings.Replace(proxy, "//", "//u:OTHER-SECRET@", 1)}
	if _, e := post(t, o, named); e == nil || e.Reason != notifiers.ProxyError || !e.Final || strings.Contains(e.Error(), "SECRET") {
		t.Errorf("got %v", e)
	}
	dead := httptest.NewServer(nil)
	dead.Close()
	o.Proxy = secret.Text{Value: dead.URL}
	if _, e := post(t, o, named); e == nil || e.Reason != notifiers.ProxyError || e.Final {
		t.Errorf("got %v", e)
	}
}

func tunnel(t *testing.T, w http.ResponseWriter, to string) {
	out, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", to)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer out.Close()
	w.WriteHeader(http.StatusOK)
	in, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	defer in.Close()
	go func() { _, _ = io.Copy(out, buffered); out.Close() }()
	_, _ = io.Copy(in, out)
}

type tlsServer struct{ url, ca string }

// expiredServer shows a certificate that ended yesterday.
func expiredServer(t *testing.T) tlsServer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(-24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(nil)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return tlsServer{s.URL, file(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))}
}
