package otlpreceiver

import (
	"context"
	"encoding/base64"
	"net/http"
	"strconv"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip" // lets clients pack messages
	"google.golang.org/grpc/metadata"
	grpcpeer "google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"google.golang.org/genproto/googleapis/rpc/errdetails"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"

	"github.com/inferdx/inferdx/internal/evidence/otlp"
)

// GRPC is the same over gRPC (opentelemetry.proto.collector.trace.v1.TraceService), as a handler of HTTP/2, so that TLS, passwords and
// connections are those of the web server. What is too many is turned away before it is read.
func (r *Receiver) GRPC() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.ProtoMajor < 2 {
			http.Error(w, "gRPC needs HTTP/2", http.StatusHTTPVersionNotSupported)
			return
		}
		if !r.enter() {
			r.o.Count("grpc", Overloaded)
			turnAway(w, statusOf(Overloaded, "as many messages as may be at once are being taken already"))
			return
		}
		defer r.leave()
		ctx, stop := context.WithTimeout(req.Context(), r.patience)
		defer stop()
		r.server.Load().ServeHTTP(w, req.WithContext(ctx))
		if w.Header().Get("Grpc-Status") == "" && ctx.Err() != nil { // the transport may close before it can say so
			turnAway(w, status.New(codes.DeadlineExceeded, "the message did not arrive in time"))
		}
		if result := unreached(w.Header()); result != "" {
			r.o.Count("grpc", result)
		}
	})
}

// newServer is little more than a table of methods and a limit.
func (r *Receiver) newServer(message int64) *grpc.Server {
	s := grpc.NewServer(grpc.MaxRecvMsgSize(int(message)), grpc.ForceServerCodecV2(newCodec()))
	s.RegisterService(r.describe(), r)
	return s
}

// unreached tells by the status that was answered why a call did not come as far as Export, which counts by itself; "" if it did.
func unreached(h http.Header) string {
	n, err := strconv.Atoi(h.Get("Grpc-Status"))
	if err != nil {
		return Invalid // not gRPC at all
	}
	switch codes.Code(n) { //nolint:gosec,exhaustive // the rest comes from Export
	case codes.ResourceExhausted:
		if h.Get("Grpc-Status-Details-Bin") == "" { // Export gives RetryInfo
			return TooLarge
		}
	case codes.DeadlineExceeded, codes.Canceled, codes.Unavailable:
		return TooSlow
	case codes.Internal, codes.InvalidArgument:
		return Invalid
	case codes.Unimplemented:
		return Unsupported
	}
	return ""
}

// export takes what a message holds.
func (r *Receiver) export(ctx context.Context, b *otlp.Batch) (*collector.ExportTraceServiceResponse, error) {
	taken, err := r.o.Take(b, sender(ctx))
	result, why := resultOf(err), rejected(taken)
	if err != nil {
		r.o.Count("grpc", result)
		return nil, statusOf(result, err.Error()).Err()
	}
	answer := &collector.ExportTraceServiceResponse{}
	if why != "" {
		result = Partial
		answer.PartialSuccess = &collector.ExportTracePartialSuccess{RejectedSpans: int64(taken.Strangers), ErrorMessage: why}
	}
	r.o.Count("grpc", result)
	return answer, nil
}

// sender is the peer of a call.
func sender(ctx context.Context) string {
	p, ok := grpcpeer.FromContext(ctx)
	if !ok {
		return ""
	}
	h := http.Header{}
	if md, ok := metadata.FromIncomingContext(ctx); ok {
		for _, k := range []string{"user-agent", "x-forwarded-for", "forwarded", "via"} {
			for _, v := range md.Get(k) {
				h.Add(k, v)
			}
		}
	}
	return peer(h, p.Addr.String())
}

// statusOf is the status of a result. Without RetryInfo exporters take RESOURCE_EXHAUSTED for final (OTLP specification, Throttling).
func statusOf(result, text string) *status.Status {
	switch result {
	case Overloaded, Full:
		st := status.New(codes.ResourceExhausted, text)
		if with, err := st.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(retryAfter)}); err == nil {
			return with
		}
		return st
	}
	return status.New(codes.Unknown, text)
}

// turnAway answers a call with a status alone (gRPC over HTTP/2, Trailers-Only).
func turnAway(w http.ResponseWriter, st *status.Status) {
	h := w.Header()
	h.Set("Content-Type", "application/grpc")
	h.Set("Grpc-Status", strconv.Itoa(int(st.Code())))
	h.Set("Grpc-Message", st.Message())
	if details, err := proto.Marshal(st.Proto()); err == nil {
		h.Set("Grpc-Status-Details-Bin", base64.RawStdEncoding.EncodeToString(details))
	}
	w.WriteHeader(http.StatusOK)
}
