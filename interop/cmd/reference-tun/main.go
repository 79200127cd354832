// reference-tun is the reference's TUN daemon: amneziawg-go's device on a kernel interface, to be run inside a network
// namespace. Addresses, routes and the interface's state are for whoever starts it to set, with `ip`.
package main

import (
	"flag"

	"github.com/awgproxy/awgproxy/interop/internal/configuration"
	"github.com/awgproxy/awgproxy/interop/internal/lifetime"
	"github.com/awgproxy/awgproxy/interop/internal/reference"
	"github.com/awgproxy/awgproxy/interop/internal/userspace"
)

func main() {
	config := flag.String("config", "", "the tunnel's .conf `file`")
	name := flag.String("interface", "awg0", "`name` of the interface to create")
	watch := flag.Bool("watch", false, "print an event for each handshake and each change of a peer's endpoint")
	flag.Parse()

	settings, err := configuration.Read(*config)
	lifetime.Must(err)
	device, created, err := reference.Kernel(settings, *name)
	lifetime.Must(err)
	defer device.Close()
	status, err := userspace.Read(device)
	lifetime.Must(err)
	if *watch {
		go userspace.Watch(device)
	}
	lifetime.Emit("ready", lifetime.Fields{"interface": created, "listen_port": status.ListenPort})
	lifetime.Run(userspace.Commands(device))
}
