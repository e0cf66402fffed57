package promapi

import (
	"context"
	"time"

	common "github.com/prometheus/common/model"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// Back is a window like the selection's that ends earlier, or one of another length that ends with it, and
// what is wanted of it. Of a window of its own length a sparse selection is read.
type Back struct {
	By     time.Duration
	Names  []string
	Length time.Duration
}

// FetchEarlier reads earlier windows of a selection, each into a store of its own, in the order given
// and under the limits of Fetch. What cannot be read is a fault and leaves its store nil: the present
// can be judged without its past.
func FetchEarlier(ctx context.Context, o Options, sel Selection, backs []Back) ([]*samples.Store, []model.Fault) {
	out := make([]*samples.Store, len(backs))
	var faults []model.Fault
	for i, b := range backs {
		then := sel
		then.At, then.Names = sel.At.Add(-b.By), b.Names
		ago := ", " + common.Duration(b.By).String() + " earlier"
		if b.Length > 0 {
			then.Window, then.Sparse = b.Length, true
			ago = ", over " + common.Duration(b.Length).String()
		}
		st, fs, err := Fetch(ctx, o, then)
		for _, f := range fs {
			f.Source += ago
			faults = append(faults, f)
		}
		if err != nil && len(fs) == 0 {
			faults = append(faults, model.Fault{Source: "prometheus" + ago, Err: err.Error()})
		}
		out[i] = st
	}
	return out, faults
}
