// target is the services of internal/services on the kernel's network: what a proxy's connections end at.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/awgproxy/awgproxy/interop/internal/lifetime"
	"github.com/awgproxy/awgproxy/interop/internal/services"
)

func main() {
	addresses := flag.String("address", "127.0.0.1", "`addresses` to listen at, separated by commas")
	names := flag.Bool("names", false, "answer DNS, too")
	wellKnown := flag.Bool("well-known", false, "use the services' own ports instead of any free ones")
	control := flag.String("congestion-control", "", "TCP's congestion control by its `name`; none: the kernel's own choice")
	flag.Parse()

	var parsed []netip.Addr
	for _, text := range strings.Split(*addresses, ",") {
		address, err := netip.ParseAddr(text)
		lifetime.Must(err)
		parsed = append(parsed, address)
	}
	ready := lifetime.Fields{}
	for _, address := range parsed {
		open := map[string]int{}
		at := func(port uint16) string {
			if !*wellKnown {
				port = 0
			}
			return netip.AddrPortFrom(address, port).String()
		}
		for name, service := range services.Streams {
			listener, err := listen(at(service.Port), *control)
			lifetime.Must(err)
			go services.Serve(listener, service.Serve)
			open[name] = listener.Addr().(*net.TCPAddr).Port
		}
		echo, err := net.ListenPacket("udp", at(7))
		lifetime.Must(err)
		go services.EchoDatagrams(echo)
		open["datagrams"] = echo.LocalAddr().(*net.UDPAddr).Port
		if *names {
			socket, err := net.ListenPacket("udp", at(53))
			lifetime.Must(err)
			go services.AnswerNames(socket, parsed)
			port := uint16(socket.LocalAddr().(*net.UDPAddr).Port)
			listener, err := net.Listen("tcp", netip.AddrPortFrom(address, port).String())
			lifetime.Must(err)
			go services.ServeNames(listener, parsed)
			open["names"] = int(port)
		}
		ready[fmt.Sprint(address)] = open
	}
	lifetime.Emit("ready", lifetime.Fields{"ports": ready})
	lifetime.Run(nil)
}

// listen opens a listener whose connections have that congestion control, if the kernel has it.
func listen(address, control string) (net.Listener, error) {
	var settings net.ListenConfig
	if control != "" {
		settings.Control = func(_, _ string, socket syscall.RawConn) (err error) {
			failure := socket.Control(func(descriptor uintptr) {
				err = unix.SetsockoptString(int(descriptor), unix.IPPROTO_TCP, unix.TCP_CONGESTION, control)
			})
			if failure != nil {
				return failure
			}
			if err != nil {
				return fmt.Errorf("congestion control %s: %w", control, err)
			}
			return nil
		}
	}
	return settings.Listen(context.Background(), "tcp", address)
}
