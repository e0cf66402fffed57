package otlpreceiver_test

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/otlpreceiver"
)

// free is an address on which nobody listens.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func TestAnEndpointMayTakeThePortOfOneThatCloses(t *testing.T) {
	k := newKept()
	r := k.receiver(roomy, 0)
	l := &otlpreceiver.Listeners{Connections: 16, Log: slog.New(slog.DiscardHandler)}
	defer l.Close(context.Background())
	a, b := free(t), free(t)
	_, port, _ := net.SplitHostPort(a)
	for _, want := range [][]otlpreceiver.Endpoint{
		{{Protocol: "http", Address: a}, {Protocol: "grpc", Address: b}},
		{{Protocol: "http", Address: b}, {Protocol: "grpc", Address: a}}, // the other way round
		{{Protocol: "http", Address: "0.0.0.0:" + port}},                 // all addresses instead of one
	} {
		if err := l.Apply(t.Context(), r, want); err != nil || len(l.Addresses()) != len(want) {
			t.Fatalf("%v: %v, open: %v", want, err, l.Addresses())
		}
		for _, e := range want {
			if at := strings.Replace(e.Address, "0.0.0.0", "127.0.0.1", 1); e.Protocol == "http" && post(t, at) != 200 {
				t.Errorf("%s is not served", at)
			}
		}
	}
}

func TestAPortOfSomebodyElseIsNamedWithWhatToDo(t *testing.T) {
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	k := newKept()
	r := k.receiver(roomy, 0)
	l := &otlpreceiver.Listeners{Connections: 16, Log: slog.New(slog.DiscardHandler)}
	defer l.Close(context.Background())
	old := []otlpreceiver.Endpoint{{Protocol: "http", Address: free(t)}, {Protocol: "grpc", Address: free(t)}}
	if err := l.Apply(t.Context(), r, old); err != nil {
		t.Fatal(err)
	}
	next := []otlpreceiver.Endpoint{{Protocol: "grpc", Address: old[0].Address}, {Protocol: "http", Address: other.Addr().String()}}
	err = l.Apply(t.Context(), r, next)
	if err == nil || !strings.Contains(err.Error(), "\nhint: another process listens there") || !strings.Contains(err.Error(), "otlp.protocols.http.endpoint") {
		t.Errorf("%v", err)
	}
	if len(l.Addresses()) != 2 || post(t, old[0].Address) != 200 {
		t.Errorf("the endpoints of before are gone: %v", l.Addresses())
	}
}

func TestAnotherLimitDoesNotEndCallsUnderWay(t *testing.T) {
	k := newKept()
	k.hold = make(chan struct{})
	r := k.receiver(roomy, 5*time.Second)
	httpAt, grpcAt := listen(t, r)
	es := exporters(t, httpAt, grpcAt)
	done := make(chan error)
	go func() { done <- export(t, es["grpc"], 1) }()
	time.Sleep(200 * time.Millisecond) // it waits in take
	r.Limit(otlpreceiver.Limits{Message: 1 << 19, Requests: 8})
	select {
	case err := <-done:
		t.Errorf("the call ended by the change: %v", err)
	case <-time.After(200 * time.Millisecond):
		close(k.hold)
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	for _, e := range es {
		_ = e.Shutdown(context.Background())
	}
	if k.spans != 1 || k.of("grpc accepted") != 1 {
		t.Errorf("%d spans, %v", k.spans, k.results)
	}
}
