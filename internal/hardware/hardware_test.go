package hardware

import "testing"

func TestFindTellsRelatedDevicesApart(t *testing.T) {
	for _, tc := range []struct {
		name            string
		bandwidth, half float64
	}{
		{"NVIDIA H200", 4.8e12, 9.895e14},
		{"NVIDIA H200 NVL", 4.8e12, 8.355e14},
		{"NVIDIA H20", 4.0e12, 1.48e14},
		{"NVIDIA H20-3e", 4.8e12, 1.48e14},
		{"NVIDIA H100 80GB HBM3", 3.35e12, 9.895e14},
		{"NVIDIA H100 PCIe", 2.04e12, 7.56e14},
		{"NVIDIA GH200 480GB", 4.0e12, 9.9e14},
		{"NVIDIA GH200 144G HBM3e", 4.9e12, 9.9e14},
		{"NVIDIA B200", 8.0e12, 2.25e15},
		{"NVIDIA GB200", 8.0e12, 2.5e15},
		{"NVIDIA B300 SXM6 AC", 8.0e12, 2.25e15},
		{"NVIDIA GB10", 2.73e11, 1.25e14},
		{"NVIDIA A100-SXM4-80GB", 2.039e12, 3.12e14},
		{"NVIDIA A100-PCIE-40GB", 1.555e12, 3.12e14},
		{"NVIDIA A100 80GB PCIe", 1.935e12, 3.12e14},
		{"NVIDIA A100-SXM4-40GB", 1.555e12, 3.12e14},
		{"NVIDIA A10", 6.0e11, 1.25e14},
		{"NVIDIA A10G", 6.0e11, 7.0e13},
		{"NVIDIA A40", 6.96e11, 1.497e14},
		{"NVIDIA L4", 3.0e11, 1.21e14},
		{"NVIDIA L40", 8.64e11, 1.81e14},
		{"NVIDIA L40S", 8.64e11, 3.62e14},
		{"Tesla T4", 3.2e11, 6.5e13},
		{"Tesla V100-SXM2-32GB", 9.0e11, 1.25e14},
		{"Tesla V100-PCIE-16GB", 9.0e11, 1.12e14},
		{"NVIDIA RTX PRO 6000 Blackwell Server Edition", 1.597e12, 5.04e14},
		{"NVIDIA GeForce RTX 4090", 1.008e12, 1.652e14},
		{"AMD Instinct MI300X", 5.3e12, 1.307e15},
		{"AMD Instinct MI250X / MI250", 1.638e12, 1.915e14},
	} {
		if g, ok := Find(tc.name); !ok || g.Bandwidth != tc.bandwidth || g.Half != tc.half {
			t.Errorf("Find(%q) = bandwidth %g, half %g, %v; want %g and %g", tc.name, g.Bandwidth, g.Half, ok, tc.bandwidth, tc.half)
		}
	}
	if _, ok := Find("Voodoo 2"); ok {
		t.Error("an unknown device was found")
	}
}

func TestEveryDeviceIsPlausibleAndNamesItsSource(t *testing.T) {
	gpus, err := load()
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range gpus {
		if g.Source == "" || g.Half <= 0 || g.Bandwidth <= 0 || g.MemoryGiB <= 0 {
			t.Errorf("%s: source, half, bandwidth and memory must be there: %+v", g.Match, g)
		}
		// The ridge of 16-bit arithmetic: all parts from V100 to MI355X lie between 30 and 800 FLOP a byte.
		if r := g.Half / g.Bandwidth; r < 30 || r > 800 {
			t.Errorf("%s: ridge at %.0f FLOP a byte", g.Match, r)
		}
		if g.FP8 > 0 && (g.FP8 < 1.9*g.Half || g.FP8 > 2.1*g.Half) {
			t.Errorf("%s: FP8 is %.2f times the 16-bit rate, not twice", g.Match, g.FP8/g.Half)
		}
	}
}

func TestRateNeverMultipliesInFewerBitsThanTheWeightsHave(t *testing.T) {
	h200, _ := Find("NVIDIA H200")
	b200, _ := Find("NVIDIA B200")
	a100, _ := Find("NVIDIA A100-SXM4-80GB")
	for _, tc := range []struct {
		name    string
		gpu     GPU
		bits    float64
		integer bool
		want    float64
	}{
		{"16 bits", h200, 16, false, 9.895e14},
		{"FP8", h200, 8, false, 1.979e15},
		{"MXFP4 on a part without FP4 is at best FP8", h200, 4, false, 1.979e15},
		{"MXFP4 on a part with FP4", b200, 4, false, 9.0e15},
		{"FP8 on a part without is 16 bits", a100, 8, false, 3.12e14},
		{"integers of 4 bits are at best INT8", a100, 4, true, 6.24e14},
		{"32 bits", h200, 32, false, 4.945e14},
	} {
		if got := tc.gpu.Rate(tc.bits, tc.integer); got != tc.want {
			t.Errorf("%s: Rate = %g, want %g", tc.name, got, tc.want)
		}
	}
}

func TestParseReadsAUsersOwnDevice(t *testing.T) {
	g, err := Parse("half: 4e14, bandwidth: 1.2e12, link: 5e10")
	if err != nil || g.Half != 4e14 || g.Bandwidth != 1.2e12 || g.Between() != 5e10 {
		t.Errorf("Parse = %+v, %v", g, err)
	}
	for _, bad := range []string{"", "half: much", "speed: 3", "bandwidth: -1", "half: .nan", "half: 1e15}, {"} {
		if g, err := Parse(bad); err == nil {
			t.Errorf("Parse(%q) = %+v, want an error", bad, g)
		}
	}
}
