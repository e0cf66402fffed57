package send

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
)

// Network says which addresses a receiver may be reached at. It is asked when a connection is made,
// about the address that the name resolved to, so that a name that changes its address gains nothing.
//
// Receivers are written by who runs inferdx, and most of them are private: an Alertmanager in the same
// cluster, a relay on the same host. So private addresses are allowed unless DenyPrivate says otherwise.
// Never allowed is what no receiver has and where clouds hand out credentials: link-local addresses and
// the metadata services elsewhere, unspecified, multicast and reserved addresses.
//
// Through a proxy the proxy resolves names: there only the proxy's address, and a receiver whose URL
// holds an address instead of a name, can be judged.
type Network struct {
	// DenyPrivate refuses loopback, private, shared (carrier-grade NAT) and unique local addresses.
	DenyPrivate bool
	// Allowed are the private networks that may be reached all the same. To name any implies DenyPrivate.
	Allowed []netip.Prefix
}

// denied is an address that must not be connected to.
type denied struct {
	address netip.Addr
	why     string
}

func (d *denied) Error() string {
	return fmt.Sprintf("address %s is not allowed: %s", d.address, d.why)
}

// Check says whether an address may be connected to.
func (n Network) Check(a netip.Addr) error {
	inner := unwrap(a)
	private := ""
	switch {
	case !inner.IsValid():
		return &denied{a, "no address"}
	case inner.IsUnspecified() || zero.Contains(inner):
		return &denied{a, "unspecified"}
	case inner.IsMulticast():
		return &denied{a, "multicast"}
	case inner.IsLinkLocalUnicast():
		return &denied{a, "link-local, where cloud metadata is served"}
	case slices.Contains(metadata[:], inner):
		return &denied{a, "a cloud's metadata service"}
	case reserved.Contains(inner):
		return &denied{a, "reserved"}
	case inner.IsLoopback():
		private = "loopback"
	case inner.IsPrivate():
		private = "private"
	case shared.Contains(inner):
		private = "shared by carrier-grade NAT"
	}
	if private == "" || !n.DenyPrivate && len(n.Allowed) == 0 {
		return nil
	}
	for _, p := range n.Allowed {
		if p.Contains(inner) {
			return nil
		}
	}
	return &denied{a, private + ", and in none of the allowed networks"}
}

// CheckHost resolves a host and checks every address it has. It serves those who cannot be asked at the
// time of the connection: between the two a name may change its address.
func (n Network) CheckHost(ctx context.Context, host string) error {
	if a, err := netip.ParseAddr(host); err == nil {
		return n.Check(a)
	}
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return fmt.Errorf("resolve %s: %w", host, err)
	}
	for _, a := range addresses {
		if err := n.Check(a); err != nil {
			return err
		}
	}
	return nil
}

// control is net.Dialer.Control.
func (n Network) control(_, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("check address %s: %w", address, err)
	}
	return n.Check(a.Addr())
}

var (
	zero     = netip.MustParsePrefix("0.0.0.0/8")
	shared   = netip.MustParsePrefix("100.64.0.0/10")
	reserved = netip.MustParsePrefix("240.0.0.0/4")
	sixToIn4 = netip.MustParsePrefix("2002::/16")
	// The prefixes that translate an IPv4 address in the last four bytes, RFC 6052 and RFC 8215.
	nat64 = [...]netip.Prefix{netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48")}
	// Metadata services that are not link-local: AWS over IPv6, Alibaba, Azure's wire server, Oracle.
	metadata = [...]netip.Addr{
		netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("100.100.100.200"),
		netip.MustParseAddr("168.63.129.16"), netip.MustParseAddr("192.0.0.192"),
	}
)

// unwrap gives the IPv4 address that an IPv6 address leads to: mapped, compatible, by NAT64, by 6to4.
func unwrap(a netip.Addr) netip.Addr {
	a = a.WithZone("").Unmap()
	if !a.Is6() {
		return a
	}
	b := a.As16()
	last := netip.AddrFrom4([4]byte(b[12:]))
	switch {
	case nat64[0].Contains(a), nat64[1].Contains(a):
		return last
	case sixToIn4.Contains(a):
		return netip.AddrFrom4([4]byte(b[2:6]))
	case [12]byte(b[:12]) == [12]byte{} && b[12] != 0: // ::a.b.c.d, long deprecated and still routed by some
		return last
	}
	return a
}
