// Package program is the frame of the programs that are one tunnel each: their common flags, their configuration, and
// their life from "ready" to the end.
package program

import (
	"flag"

	"github.com/awgproxy/awgproxy/interop/internal/configuration"
	"github.com/awgproxy/awgproxy/interop/internal/lifetime"
	"github.com/awgproxy/awgproxy/interop/internal/userspace"
)

// Program is what the command line said.
type Program struct {
	Settings *configuration.Configuration
	watch    bool
}

// Start parses the command line, flags that the caller has defined with it, and reads the configuration.
func Start() *Program {
	config := flag.String("config", "", "the tunnel's .conf `file`")
	watch := flag.Bool("watch", false, "print an event for each handshake and each change of a peer's endpoint")
	flag.Parse()
	settings, err := configuration.Read(*config)
	lifetime.Must(err)
	return &Program{Settings: settings, watch: *watch}
}

// Run says that the tunnel is ready, with its port and what else there is to say, and takes commands until the end.
func (p *Program) Run(device userspace.Device, ready lifetime.Fields) {
	defer device.Close()
	status, err := userspace.Read(device)
	lifetime.Must(err)
	if p.watch {
		go userspace.Watch(device)
	}
	ready["listen_port"] = status.ListenPort
	lifetime.Emit("ready", ready)
	lifetime.Run(userspace.Commands(device))
}
