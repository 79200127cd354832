// wireguard-peer is plain WireGuard by its own authors' code, as a server with services at its tunnel address, as a
// SOCKS5 proxy in front of the tunnel, or both.
package main

import (
	"flag"
	"net"

	"github.com/awgproxy/awgproxy/interop/internal/configuration"
	"github.com/awgproxy/awgproxy/interop/internal/lifetime"
	"github.com/awgproxy/awgproxy/interop/internal/services"
	"github.com/awgproxy/awgproxy/interop/internal/socks"
	"github.com/awgproxy/awgproxy/interop/internal/userspace"
	"github.com/awgproxy/awgproxy/interop/internal/wireguard"
)

func main() {
	config := flag.String("config", "", "the tunnel's .conf `file`")
	listen := flag.String("socks", "", "`address` of a SOCKS5 proxy in front of the tunnel")
	watch := flag.Bool("watch", false, "print an event for each handshake and each change of a peer's endpoint")
	flag.Parse()

	settings, err := configuration.Read(*config)
	lifetime.Must(err)
	tunnel, err := wireguard.Userspace(settings)
	lifetime.Must(err)
	defer tunnel.Device.Close()
	lifetime.Must(services.OnTunnel(tunnel.Network, settings.Addresses))
	status, err := userspace.Read(tunnel.Device)
	lifetime.Must(err)
	ready := lifetime.Fields{"listen_port": status.ListenPort}
	if *listen != "" {
		listener, err := net.Listen("tcp", *listen)
		lifetime.Must(err)
		ready["socks"] = listener.Addr().String()
		go func() { lifetime.Must(socks.Serve(listener, tunnel.Network)) }()
	}
	if *watch {
		go userspace.Watch(tunnel.Device)
	}
	lifetime.Emit("ready", ready)
	lifetime.Run(userspace.Commands(tunnel.Device))
}
