// Package socks puts a SOCKS5 server before a tunnel, with the library and the settings of wireproxy-awg: a resolver
// that asks through the tunnel, and a pool of 256 KiB buffers.
package socks

import (
	"context"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"

	"github.com/things-go/go-socks5"
	"github.com/things-go/go-socks5/bufferpool"

	"github.com/awgproxy/awgproxy/interop/internal/userspace"
)

// Serve answers at the listener until it closes, and reaches every destination through the network.
func Serve(listener net.Listener, network userspace.Network) error {
	server := socks5.NewServer(
		socks5.WithDial(network.DialContext),
		socks5.WithResolver(resolver{network}),
		socks5.WithAuthMethods([]socks5.Authenticator{socks5.NoAuthAuthenticator{}}),
		socks5.WithBufferPool(bufferpool.NewPool(256*1024)),
		socks5.WithLogger(socks5.NewLogger(log.New(io.Discard, "", 0))),
	)
	return server.Serve(listener)
}

// resolver asks the tunnel's name servers, through the tunnel.
type resolver struct{ network userspace.Network }

// Resolve gives one of the name's addresses, by chance, as wireproxy does.
func (r resolver) Resolve(ctx context.Context, name string) (context.Context, net.IP, error) {
	addresses, err := r.network.LookupContextHost(ctx, name)
	if err != nil {
		return ctx, nil, err
	}
	if len(addresses) == 0 {
		return ctx, nil, fmt.Errorf("%s has no address", name)
	}
	return ctx, net.ParseIP(addresses[rand.IntN(len(addresses))]), nil
}
