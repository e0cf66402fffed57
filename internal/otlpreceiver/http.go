package otlpreceiver

import (
	"compress/gzip"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"

	"github.com/inferdx/inferdx/internal/evidence/otlp"
)

const (
	typeProto = "application/x-protobuf"
	typeJSON  = "application/json"
)

// ServeHTTP takes an ExportTraceServiceRequest, as protobuf or JSON, plain or packed with gzip (OTLP specification, OTLP/HTTP).
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "only POST", http.StatusMethodNotAllowed)
		return
	}
	kind, _, _ := mime.ParseMediaType(req.Header.Get("Content-Type"))
	taken, err := r.http(w, req, kind)
	result := resultOf(err)
	if err == nil && rejected(taken) != "" {
		result = Partial
	}
	r.o.Count("http", result)
	if err != nil {
		refuseHTTP(w, kind, result, err)
		return
	}
	answer := &collector.ExportTraceServiceResponse{}
	if why := rejected(taken); why != "" {
		answer.PartialSuccess = &collector.ExportTracePartialSuccess{RejectedSpans: int64(taken.Strangers), ErrorMessage: why}
	}
	write(w, kind, http.StatusOK, answer)
}

func (r *Receiver) http(w http.ResponseWriter, req *http.Request, kind string) (otlp.Taken, error) {
	if kind != typeProto && kind != typeJSON {
		return otlp.Taken{}, refuse(Unsupported, "the content type is %q, want %s or %s", req.Header.Get("Content-Type"), typeProto, typeJSON)
	}
	if !r.enter() {
		return otlp.Taken{}, refuse(Overloaded, "%d messages are being taken already", r.limits.Load().Requests)
	}
	defer r.leave()
	body, err := r.body(w, req)
	if err != nil {
		return otlp.Taken{}, err
	}
	b, err := decode(body, kind)
	if err != nil {
		return otlp.Taken{}, err
	}
	return r.o.Take(b, peer(req.Header, req.RemoteAddr))
}

// body reads a message in the time that it may take.
func (r *Receiver) body(w http.ResponseWriter, req *http.Request) ([]byte, error) {
	limit := r.limits.Load().Message
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(r.patience)) // where there is no connection, there is nothing to wait for
	var in io.Reader = http.MaxBytesReader(w, req.Body, limit)
	switch packed := strings.ToLower(req.Header.Get("Content-Encoding")); packed {
	case "", "identity":
	case "gzip":
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, unread(err)
		}
		in = z
	default:
		return nil, refuse(Unsupported, "the content encoding is %q, want gzip or none", packed)
	}
	body, err := io.ReadAll(io.LimitReader(in, limit+1))
	if err != nil {
		return nil, unread(err)
	}
	if int64(len(body)) > limit {
		return nil, refuse(TooLarge, "the message has more than %d bytes unpacked", limit)
	}
	return body, nil
}

// unread classes why a message could not be read to its end.
func unread(err error) error {
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return refuse(TooLarge, "the message has more than %d bytes", large.Limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return refuse(TooSlow, "the message did not arrive in time")
	}
	return refuse(Invalid, "the message cannot be read: %w", err)
}

func decode(body []byte, kind string) (*otlp.Batch, error) {
	read := otlp.Proto
	if kind == typeJSON {
		read = otlp.JSON
	}
	b, err := read(body)
	if err != nil {
		return nil, refusal{Invalid, err}
	}
	return b, nil
}

// refuseHTTP answers with a Status, in the encoding of the request where that is known. Exporters send again after 429 and 503 only.
func refuseHTTP(w http.ResponseWriter, kind, result string, err error) {
	status, code := http.StatusInternalServerError, codes.Internal
	switch result {
	case Invalid:
		status, code = http.StatusBadRequest, codes.InvalidArgument
	case Unsupported:
		status, code = http.StatusUnsupportedMediaType, codes.InvalidArgument
	case TooLarge:
		status, code = http.StatusRequestEntityTooLarge, codes.InvalidArgument
	case Overloaded, Full:
		status, code = http.StatusTooManyRequests, codes.ResourceExhausted
	case TooSlow:
		status, code = http.StatusServiceUnavailable, codes.Unavailable
	}
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter.Seconds())))
	}
	write(w, kind, status, &spb.Status{Code: int32(code), Message: err.Error()}) //nolint:gosec // a code has two digits
}

func write(w http.ResponseWriter, kind string, status int, m proto.Message) {
	encode := proto.Marshal
	if kind == typeJSON {
		encode = protojson.Marshal
	} else {
		kind = typeProto
	}
	body, err := encode(m)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
