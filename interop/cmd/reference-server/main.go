// reference-server is an AmneziaWG server of the reference's own code, with services at its tunnel address.
//
// It needs no root: the network above the tunnel is in the process. See internal/services for what answers where, and
// internal/userspace for the commands that it takes on stdin.
package main

import (
	"flag"

	"github.com/awgproxy/awgproxy/interop/internal/configuration"
	"github.com/awgproxy/awgproxy/interop/internal/lifetime"
	"github.com/awgproxy/awgproxy/interop/internal/reference"
	"github.com/awgproxy/awgproxy/interop/internal/services"
	"github.com/awgproxy/awgproxy/interop/internal/userspace"
)

func main() {
	config := flag.String("config", "", "the tunnel's .conf `file`")
	watch := flag.Bool("watch", false, "print an event for each handshake and each change of a peer's endpoint")
	flag.Parse()

	settings, err := configuration.Read(*config)
	lifetime.Must(err)
	tunnel, err := reference.Userspace(settings)
	lifetime.Must(err)
	defer tunnel.Device.Close()
	lifetime.Must(services.OnTunnel(tunnel.Network, settings.Addresses))
	status, err := userspace.Read(tunnel.Device)
	lifetime.Must(err)
	if *watch {
		go userspace.Watch(tunnel.Device)
	}
	lifetime.Emit("ready", lifetime.Fields{"listen_port": status.ListenPort})
	lifetime.Run(userspace.Commands(tunnel.Device))
}
