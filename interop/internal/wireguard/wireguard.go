// Package wireguard opens a tunnel of wireguard-go: plain WireGuard by its own authors.
package wireguard

import (
	"golang.zx2c4.com/wireguard/conn"
	"golang.zx2c4.com/wireguard/device"
	"golang.zx2c4.com/wireguard/tun/netstack"

	"github.com/awgproxy/awgproxy/interop/internal/configuration"
	"github.com/awgproxy/awgproxy/interop/internal/userspace"
)

// Userspace opens a tunnel whose network is in this process.
func Userspace(settings *configuration.Configuration) (*userspace.Tunnel, error) {
	link, network, err := netstack.CreateNetTUN(settings.Addresses, settings.DNS, settings.MTU)
	if err != nil {
		return nil, err
	}
	opened := device.NewDevice(link, conn.NewDefaultBind(), device.NewLogger(device.LogLevelError, ""))
	if err := opened.IpcSet(settings.UAPI); err != nil {
		opened.Close()
		return nil, err
	}
	if err := opened.Up(); err != nil {
		opened.Close()
		return nil, err
	}
	return &userspace.Tunnel{Device: opened, Network: network}, nil
}
