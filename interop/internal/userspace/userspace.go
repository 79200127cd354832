// Package userspace is what the programs need of a tunnel whose network lives in the process: the face that
// AmneziaWG's and WireGuard's Go implementations share, since both put gVisor's stack above the same kind of device.
package userspace

import (
	"context"
	"net"
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
)

// Device is the tunnel's lower half: keys, peers, the UDP socket.
type Device interface {
	IpcSet(settings string) error
	IpcGet() (string, error)
	Up() error
	Close()
}

// Network is the upper half: TCP and UDP at the tunnel's addresses.
type Network interface {
	ListenTCPAddrPort(netip.AddrPort) (*gonet.TCPListener, error)
	ListenUDPAddrPort(netip.AddrPort) (*gonet.UDPConn, error)
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
	LookupContextHost(ctx context.Context, host string) ([]string, error)
}

// Tunnel is both.
type Tunnel struct {
	Device  Device
	Network Network
}
