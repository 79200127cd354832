// wireguard-peer is plain WireGuard by its own authors' code, as a server with services at its tunnel address, as a
// SOCKS5 proxy in front of the tunnel, or both.
package main

import (
	"flag"
	"net"

	"github.com/awgproxy/awgproxy/interop/internal/lifetime"
	"github.com/awgproxy/awgproxy/interop/internal/program"
	"github.com/awgproxy/awgproxy/interop/internal/services"
	"github.com/awgproxy/awgproxy/interop/internal/socks"
	"github.com/awgproxy/awgproxy/interop/internal/wireguard"
)

func main() {
	listen := flag.String("socks", "", "`address` of a SOCKS5 proxy in front of the tunnel")
	peer := program.Start()
	tunnel, err := wireguard.Userspace(peer.Settings)
	lifetime.Must(err)
	lifetime.Must(services.OnTunnel(tunnel.Network, peer.Settings.Addresses))
	ready := lifetime.Fields{}
	if *listen != "" {
		listener, err := net.Listen("tcp", *listen)
		lifetime.Must(err)
		ready["socks"] = listener.Addr().String()
		go func() { lifetime.Must(socks.Serve(listener, tunnel.Network)) }()
	}
	peer.Run(tunnel.Device, ready)
}
