// reference-tun is the reference's TUN daemon: amneziawg-go's device on a kernel interface, to be run inside a network
// namespace. Addresses, routes and the interface's state are for whoever starts it to set, with `ip`.
package main

import (
	"flag"

	"github.com/awgproxy/awgproxy/interop/internal/lifetime"
	"github.com/awgproxy/awgproxy/interop/internal/program"
	"github.com/awgproxy/awgproxy/interop/internal/reference"
)

func main() {
	name := flag.String("interface", "awg0", "`name` of the interface to create")
	daemon := program.Start()
	device, created, err := reference.Kernel(daemon.Settings, *name)
	lifetime.Must(err)
	daemon.Run(device, lifetime.Fields{"interface": created})
}
