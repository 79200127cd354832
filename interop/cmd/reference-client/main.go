// reference-client is a SOCKS5 proxy in front of an AmneziaWG tunnel of the reference's own code.
//
// It is built as wireproxy-awg is: the same device, the same userspace network, the same SOCKS5 library with the same
// buffers. So it serves twice: as a client that we did not write, and as the rival that the benchmark measures.
package main

import (
	"flag"
	"net"

	"github.com/awgproxy/awgproxy/interop/internal/lifetime"
	"github.com/awgproxy/awgproxy/interop/internal/program"
	"github.com/awgproxy/awgproxy/interop/internal/reference"
	"github.com/awgproxy/awgproxy/interop/internal/socks"
)

func main() {
	listen := flag.String("socks", "127.0.0.1:0", "`address` of the SOCKS5 proxy")
	client := program.Start()
	tunnel, err := reference.Userspace(client.Settings)
	lifetime.Must(err)
	listener, err := net.Listen("tcp", *listen)
	lifetime.Must(err)
	go func() { lifetime.Must(socks.Serve(listener, tunnel.Network)) }()
	client.Run(tunnel.Device, lifetime.Fields{"socks": listener.Addr().String()})
}
