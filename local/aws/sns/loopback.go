package sns

import (
	"net/netip"
	"net/url"
	"strings"
)

// onThisMachine says whether a URL leads to a loopback address. The simulator
// sends nothing anywhere else, whatever a subscription says.
func onThisMachine(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(u.Hostname())
	return strings.EqualFold(u.Hostname(), "localhost") || (err == nil && addr.Unmap().IsLoopback())
}
