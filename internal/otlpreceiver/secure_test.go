package otlpreceiver_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"golang.org/x/crypto/bcrypt"
	"google.golang.org/grpc/credentials"

	"github.com/inferdx/inferdx/internal/otlpreceiver"
)

// webConfig asks for TLS and a password, and gives who trusts its certificate.
func webConfig(t *testing.T) (file string, trust *tls.Config) {
	t.Helper()
	dir := t.TempDir()
	pair := httptest.NewUnstartedServer(nil)
	pair.StartTLS()
	defer pair.Close()
	key, err := x509.MarshalPKCS8PrivateKey(pair.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := bcrypt.GenerateFromPassword([]byte("s3cret"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"cert.pem": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate().Raw}),
		"key.pem":  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}),
		"web.yml":  fmt.Appendf(nil, "tls_server_config: {cert_file: cert.pem, key_file: key.pem}\nbasic_auth_users: {vllm: '%s'}\n", hash),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roots := x509.NewCertPool()
	roots.AddCert(pair.Certificate())
	return filepath.Join(dir, "web.yml"), &tls.Config{RootCAs: roots, ServerName: "example.com", MinVersion: tls.VersionTLS12}
}

func TestBothProtocolsHaveTheTLSAndThePasswordsOfTheWebListener(t *testing.T) {
	file, trust := webConfig(t)
	k := newKept()
	l := &otlpreceiver.Listeners{ConfigFile: file, Connections: 16, Log: slog.New(slog.DiscardHandler)}
	want := []otlpreceiver.Endpoint{{Protocol: "http", Address: "127.0.0.1:0"}, {Protocol: "grpc", Address: "127.0.0.1:0"}}
	if err := l.Apply(t.Context(), k.receiver(roomy, 0), want); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close(context.Background()) })
	httpAt, grpcAt := l.Addresses()[want[0]].String(), l.Addresses()[want[1]].String()
	for _, c := range []struct {
		password string
		ok       bool
	}{{"s3cret", true}, {"wrong", false}} {
		auth := map[string]string{"authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte("vllm:"+c.password))}
		h, err := otlptracehttp.New(t.Context(), otlptracehttp.WithEndpoint(httpAt), otlptracehttp.WithTLSClientConfig(trust), otlptracehttp.WithHeaders(auth))
		if err != nil {
			t.Fatal(err)
		}
		g, err := otlptracegrpc.New(t.Context(), otlptracegrpc.WithEndpoint(grpcAt), otlptracegrpc.WithTLSCredentials(credentials.NewTLS(trust)), otlptracegrpc.WithHeaders(auth),
			otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{}))
		if err != nil {
			t.Fatal(err)
		}
		for name, e := range map[string]sdk.SpanExporter{"http": h, "grpc": g} {
			if err := export(t, e, 1); (err == nil) != c.ok {
				t.Errorf("%s with %s: %v", name, c.password, err)
			}
			_ = e.Shutdown(t.Context())
		}
	}
	if k.spans != 2 {
		t.Errorf("%d spans arrived, want those with the password", k.spans)
	}
}

func TestAWebConfigurationThatCannotBeUsedOpensNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "web.yml")
	if err := os.WriteFile(file, []byte("tls_server_config: {cert: x}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l := &otlpreceiver.Listeners{ConfigFile: file, Connections: 1, Log: slog.New(slog.DiscardHandler)}
	err := l.Apply(t.Context(), newKept().receiver(roomy, 0), []otlpreceiver.Endpoint{{Protocol: "grpc", Address: "127.0.0.1:0"}})
	if err == nil || len(l.Addresses()) != 0 {
		t.Errorf("%v, open: %v", err, l.Addresses())
	}
}
