// reference-client is a SOCKS5 proxy in front of an AmneziaWG tunnel of the reference's own code.
//
// It is built as wireproxy-awg is: the same device, the same userspace network, the same SOCKS5 library with the same
// buffers. So it serves twice: as a client that we did not write, and as the rival that the benchmark measures.
package main

import (
	"flag"
	"net"

	"github.com/awgproxy/awgproxy/interop/internal/configuration"
	"github.com/awgproxy/awgproxy/interop/internal/lifetime"
	"github.com/awgproxy/awgproxy/interop/internal/reference"
	"github.com/awgproxy/awgproxy/interop/internal/socks"
	"github.com/awgproxy/awgproxy/interop/internal/userspace"
)

func main() {
	config := flag.String("config", "", "the tunnel's .conf `file`")
	listen := flag.String("socks", "127.0.0.1:0", "`address` of the SOCKS5 proxy")
	watch := flag.Bool("watch", false, "print an event for each handshake and each change of a peer's endpoint")
	flag.Parse()

	settings, err := configuration.Read(*config)
	lifetime.Must(err)
	tunnel, err := reference.Userspace(settings)
	lifetime.Must(err)
	defer tunnel.Device.Close()
	listener, err := net.Listen("tcp", *listen)
	lifetime.Must(err)
	go func() { lifetime.Must(socks.Serve(listener, tunnel.Network)) }()
	status, err := userspace.Read(tunnel.Device)
	lifetime.Must(err)
	if *watch {
		go userspace.Watch(tunnel.Device)
	}
	lifetime.Emit("ready", lifetime.Fields{"socks": listener.Addr().String(), "listen_port": status.ListenPort})
	lifetime.Run(userspace.Commands(tunnel.Device))
}
