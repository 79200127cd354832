// Package reference opens a tunnel of amneziawg-go, the implementation that AmneziaWG is measured by.
//
// The network above it is the module's own `tun/netstack`, whose gVisor options (SACK on, everything else by default:
// 1 MiB to 4 MiB of receive buffer per connection, Reno) and 1,024-packet link are what wireproxy-awg runs on, too.
package reference

import (
	"github.com/amnezia-vpn/amneziawg-go/conn"
	"github.com/amnezia-vpn/amneziawg-go/device"
	"github.com/amnezia-vpn/amneziawg-go/tun"
	"github.com/amnezia-vpn/amneziawg-go/tun/netstack"

	"github.com/awgproxy/awgproxy/interop/internal/configuration"
	"github.com/awgproxy/awgproxy/interop/internal/userspace"
)

// Userspace opens a tunnel whose network is in this process.
func Userspace(settings *configuration.Configuration) (*userspace.Tunnel, error) {
	link, network, err := netstack.CreateNetTUN(settings.Addresses, settings.DNS, settings.MTU)
	if err != nil {
		return nil, err
	}
	opened, err := open(link, settings.UAPI)
	if err != nil {
		return nil, err
	}
	return &userspace.Tunnel{Device: opened, Network: network}, nil
}

// Kernel opens a tunnel whose network is the kernel's, through a new TUN interface. It returns the interface's name;
// addresses and routes are the caller's business.
func Kernel(settings *configuration.Configuration, name string) (userspace.Device, string, error) {
	link, err := tun.CreateTUN(name, settings.MTU)
	if err != nil {
		return nil, "", err
	}
	if name, err = link.Name(); err != nil {
		return nil, "", err
	}
	opened, err := open(link, settings.UAPI)
	return opened, name, err
}

func open(link tun.Device, settings string) (userspace.Device, error) {
	opened := device.NewDevice(link, conn.NewDefaultBind(), device.NewLogger(device.LogLevelError, ""))
	if err := opened.IpcSet(settings); err != nil {
		opened.Close()
		return nil, err
	}
	if err := opened.Up(); err != nil {
		opened.Close()
		return nil, err
	}
	return opened, nil
}
