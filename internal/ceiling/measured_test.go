package ceiling

import (
	"compress/gzip"
	"encoding/csv"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// page reads columns of the counters that Nsight Compute took of single kernels on an H200.
func page(t *testing.T, names ...string) map[string][]float64 {
	t.Helper()
	f, err := os.Open("../evidence/nsight/testdata/raw.csv.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(z)
	r.FieldsPerRecord = -1
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(rows, func(r []string) bool { return slices.Contains(r, "Kernel Name") })
	out := map[string][]float64{}
	for _, n := range names {
		col := slices.Index(rows[at], n)
		if col < 0 {
			t.Fatalf("no column %s", n)
		}
		for _, r := range rows[at+2:] {
			v, err := strconv.ParseFloat(strings.ReplaceAll(r[col], ",", ""), 64)
			if err != nil {
				t.Fatal(err)
			}
			out[n] = append(out[n], v)
		}
	}
	return out
}

// What counters of a real H200 say of its peaks, and that no kernel passes them.
func TestTheDataSheetOfAnH200IsWhatItsCountersShow(t *testing.T) {
	const (
		width, clock = "dram__bytes.sum.peak_sustained", "dram__cycles_elapsed.avg.per_second"
		traffic      = "dram__bytes.sum.per_second"
		products     = "sm__ops_path_tensor_op_hgmma_src_bf16_dst_fp32_sparsity_off.avg"
		took         = "gpu__time_duration.sum"
		sms          = 132
	)
	h200 := gpu(t, "NVIDIA H200")
	p := page(t, width, clock, traffic, products, took)
	best := struct{ memory, arithmetic float64 }{}
	for i := range p[took] {
		if peak := p[width][i] * p[clock][i]; math.Abs(peak/h200.Bandwidth-1) > 0.01 {
			t.Errorf("launch %d: the memory moves %.4g bytes/s at best, the table says %.4g", i, peak, h200.Bandwidth)
		}
		best.memory = max(best.memory, p[traffic][i]/h200.Bandwidth)
		best.arithmetic = max(best.arithmetic, p[products][i]*sms/(p[took][i]*1e-9)/h200.Half)
	}
	// The matrix product of 8 rows reads weights as decode does, that of 8,192 rows computes as prefill does.
	for what, share := range map[string]float64{"memory": best.memory, "arithmetic": best.arithmetic} {
		if share < 0.7 || share > 1 {
			t.Errorf("the best kernel reaches %.2f of the %s's ceiling, want 0.7 to 1", share, what)
		}
	}
	t.Logf("the best kernels reach %.2f of the memory's and %.2f of the arithmetic's ceiling", best.memory, best.arithmetic)
}
