package hardware

import "testing"

func TestFindTellsRelatedDevicesApart(t *testing.T) {
	for _, tc := range []struct {
		name string
		want float64 // bandwidth
	}{
		{"NVIDIA H200", 4.8e12},
		{"NVIDIA H20", 4.0e12},
		{"NVIDIA H100 80GB HBM3", 3.35e12},
		{"NVIDIA H100 PCIe", 2.0e12},
		{"NVIDIA A100-SXM4-80GB", 2.0e12},
		{"NVIDIA A100-SXM4-40GB", 1.555e12},
		{"NVIDIA A10G", 6.0e11},
		{"NVIDIA L4", 3.0e11},
		{"NVIDIA L40S", 8.64e11},
		{"Tesla T4", 3.2e11},
	} {
		if g, ok := Find(tc.name); !ok || g.Bandwidth != tc.want {
			t.Errorf("Find(%q) = %v, %v; want bandwidth %v", tc.name, g.Bandwidth, ok, tc.want)
		}
	}
	if _, ok := Find("Voodoo 2"); ok {
		t.Error("an unknown device was found")
	}
}
