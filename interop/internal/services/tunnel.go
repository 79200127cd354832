package services

import (
	"net/netip"

	"github.com/awgproxy/awgproxy/interop/internal/userspace"
)

// OnTunnel opens every service at every one of the tunnel's addresses, at its well-known port.
func OnTunnel(network userspace.Network, addresses []netip.Addr) error {
	for _, address := range addresses {
		for _, service := range Streams {
			listener, err := network.ListenTCPAddrPort(netip.AddrPortFrom(address, service.Port))
			if err != nil {
				return err
			}
			go Serve(listener, service.Serve)
		}
		echo, err := network.ListenUDPAddrPort(netip.AddrPortFrom(address, 7))
		if err != nil {
			return err
		}
		go EchoDatagrams(echo)
		names, err := network.ListenUDPAddrPort(netip.AddrPortFrom(address, 53))
		if err != nil {
			return err
		}
		go AnswerNames(names, addresses)
		streams, err := network.ListenTCPAddrPort(netip.AddrPortFrom(address, 53))
		if err != nil {
			return err
		}
		go ServeNames(streams, addresses)
	}
	return nil
}
