package outbox_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"github.com/inferdx/inferdx/internal/outbox"
	"github.com/inferdx/inferdx/internal/plan"
)

// BenchmarkDelivery delivers to a receiver that takes no time: what is left is the store, which makes
// every claim and every outcome durable. One iteration is one message.
func BenchmarkDelivery(b *testing.B) {
	for _, keys := range []int{1, 100} {
		b.Run(fmt.Sprint(keys, " keys"), func(b *testing.B) {
			s := fresh(b)
			var all sync.WaitGroup
			all.Add(b.N)
			done := notify(func(context.Context, plan.Message, json.RawMessage) (json.RawMessage, error) {
				all.Done()
				return nil, nil
			})
			var ms []plan.Message
			for i := range b.N {
				ms = append(ms, message("r", fmt.Sprint(i%keys), i+1, plan.Verified)) // never folded
			}
			enqueue(b, s, ms...)
			b.ResetTimer()
			_, drain := start(b, outbox.Options{Queue: s, Receivers: []outbox.Receiver{to("r", done)}, Parallel: 16})
			all.Wait()
			drain()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}
