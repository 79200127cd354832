// reference-server is an AmneziaWG server of the reference's own code, with services at its tunnel address.
//
// It needs no root: the network above the tunnel is in the process. See internal/services for what answers where, and
// internal/userspace for the commands that it takes on stdin.
package main

import (
	"github.com/awgproxy/awgproxy/interop/internal/lifetime"
	"github.com/awgproxy/awgproxy/interop/internal/program"
	"github.com/awgproxy/awgproxy/interop/internal/reference"
	"github.com/awgproxy/awgproxy/interop/internal/services"
)

func main() {
	server := program.Start()
	tunnel, err := reference.Userspace(server.Settings)
	lifetime.Must(err)
	lifetime.Must(services.OnTunnel(tunnel.Network, server.Settings.Addresses))
	server.Run(tunnel.Device, lifetime.Fields{})
}
