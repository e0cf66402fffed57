package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/secret"
)

// prefix marks a symmetric secret of Standard Webhooks.
const prefix = "whsec_"

// keys reads the secrets. No error shows one.
func keys(texts []secret.Text) ([][]byte, error) {
	var out [][]byte
	for i, text := range texts {
		s, err := text.Read()
		if err != nil {
			return nil, fmt.Errorf("signing secret %d: %w", i+1, err)
		}
		coded, ok := strings.CutPrefix(s, prefix)
		key, err := base64.StdEncoding.DecodeString(coded)
		if !ok || err != nil || len(key) < 24 || len(key) > 64 {
			return nil, fmt.Errorf("signing secret %d (%s): want %s and base64 of 24 to 64 bytes", i+1, text, prefix)
		}
		out = append(out, key)
	}
	return out, nil
}

// sign sets the headers of Standard Webhooks. The id stays the same over retries, the time is that of the
// try, and each key gives a signature, so that a receiver may know the old one or the new one.
func sign(h http.Header, id string, at time.Time, body []byte, keys [][]byte) {
	stamp := strconv.FormatInt(at.Unix(), 10)
	h.Set("webhook-id", id)
	h.Set("webhook-timestamp", stamp)
	var signatures []string
	for _, key := range keys {
		mac := hmac.New(sha256.New, key)
		fmt.Fprintf(mac, "%s.%s.", id, stamp)
		mac.Write(body)
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	if len(signatures) > 0 {
		h.Set("webhook-signature", strings.Join(signatures, " "))
	}
}
