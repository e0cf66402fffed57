package send_test

import (
	"net/netip"
	"testing"

	"github.com/inferdx/inferdx/notifiers/send"
)

func TestWhichAddressesMayBeReached(t *testing.T) {
	var (
		byDefault = send.Network{}
		strict    = send.Network{DenyPrivate: true}
		listed    = send.Network{Allowed: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd12::/16")}}
		all       = send.Network{Allowed: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}}
	)
	tests := []struct {
		name      string
		addresses []string
		want      string // by default, strict, with some networks allowed, with all allowed
	}{
		{"public", []string{"93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822", "::ffff:93.184.216.34"}, "yes yes yes yes"},
		{"link-local and metadata", []string{
			"169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe", "2002:a9fe:a9fe::1", "::169.254.169.254",
			"fe80::1", "fe80::1%eth0", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192",
		}, "no no no no"},
		{"no host at all", []string{"0.0.0.0", "0.1.2.3", "::", "224.0.0.1", "ff02::1", "255.255.255.255", "240.0.0.1", "::ffff:0.0.0.0"}, "no no no no"},
		{"private", []string{
			"127.0.0.1", "127.9.9.9", "::1", "192.168.1.1", "172.16.0.1", "10.2.0.1", "100.64.0.1", "fd99::1", "::ffff:127.0.0.1",
			"64:ff9b::7f00:1", "2002:c0a8:101::1", "::127.0.0.1",
		}, "yes no no yes"},
		{"private and allowed", []string{"10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::a01:203", "fd12::1"}, "yes no yes yes"},
	}
	word := map[bool]string{true: "yes", false: "no"}
	for _, tt := range tests {
		for _, a := range tt.addresses {
			address := netip.MustParseAddr(a)
			got := ""
			for _, n := range []send.Network{byDefault, strict, listed, all} {
				got += word[n.Check(address) == nil] + " "
			}
			if got != tt.want+" " {
				t.Errorf("%s, %s: got %s, want %s", tt.name, a, got, tt.want)
			}
		}
	}
}

func TestAHostIsJudgedByWhatItResolvesTo(t *testing.T) {
	if err := (send.Network{DenyPrivate: true}).CheckHost(t.Context(), "localhost"); err == nil {
		t.Error("localhost passed")
	}
	if err := (send.Network{}).CheckHost(t.Context(), "localhost"); err != nil {
		t.Error(err)
	}
}
