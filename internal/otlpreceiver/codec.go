package otlpreceiver

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	grpcproto "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"

	"github.com/inferdx/inferdx/internal/evidence/otlp"
)

// message is one that was read.
type message struct{ batch *otlp.Batch }

// codec reads spans in place, and writes as gRPC does. What a message needs in memory is bounded by its size on the wire that way.
type codec struct{ encoding.CodecV2 }

func newCodec() codec { return codec{encoding.GetCodecV2(grpcproto.Name)} }

// Unmarshal implements encoding.CodecV2.
func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	m, ok := v.(*message)
	if !ok {
		return c.CodecV2.Unmarshal(data, v)
	}
	text := data.MaterializeToBuffer(mem.DefaultBufferPool())
	defer text.Free()
	var err error
	m.batch, err = otlp.Proto(text.ReadOnlyData())
	return err
}

// describe is TraceService of opentelemetry/proto/collector/trace/v1/trace_service.proto.
func (r *Receiver) describe() *grpc.ServiceDesc {
	export := func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (out any, err error) { //nolint:revive // gRPC's order
		defer func() { // one message must not end the process
			if p := recover(); p != nil {
				out, err = nil, status.Errorf(codes.Unknown, "taking spans panicked: %v", p)
			}
		}()
		var m message
		if err := decode(&m); err != nil {
			return nil, err
		}
		return r.export(ctx, m.batch)
	}
	return &grpc.ServiceDesc{
		ServiceName: "opentelemetry.proto.collector.trace.v1.TraceService",
		HandlerType: (*any)(nil),
		Methods:     []grpc.MethodDesc{{MethodName: "Export", Handler: export}},
	}
}
