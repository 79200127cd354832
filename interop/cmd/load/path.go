package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"
)

// path is how the load reaches its target.
type path struct {
	proxy, target string
}

const patience = 15 * time.Second

// Commands of a request (RFC 1928, section 4).
const (
	connect   = 1
	associate = 3
)

// dial opens one connection to the target, through the proxy if there is one. Steps are those of an ordinary client:
// greeting, its answer, request, its answer (RFC 1928).
func (p path) dial() (*net.TCPConn, error) {
	first := p.target
	if p.proxy != "" {
		first = p.proxy
	}
	opened, err := net.DialTimeout("tcp", first, patience)
	if err != nil {
		return nil, err
	}
	connection := opened.(*net.TCPConn)
	if p.proxy != "" {
		if _, err := request(connection, connect, p.target); err != nil {
			_ = connection.Close()
			return nil, err
		}
	}
	return connection, nil
}

// request asks for a connection to the target or an association for it, and gives the address that the proxy names.
func request(connection *net.TCPConn, command byte, target string) (bound netip.AddrPort, err error) {
	if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
		return bound, err
	}
	destination, err := netip.ParseAddrPort(target)
	if err != nil {
		return bound, err
	}
	if _, err := connection.Write([]byte{5, 1, 0}); err != nil {
		return bound, err
	}
	var method [2]byte
	if _, err := io.ReadFull(connection, method[:]); err != nil {
		return bound, fmt.Errorf("the proxy's choice of method: %w", err)
	}
	if method != [2]byte{5, 0} {
		return bound, fmt.Errorf("the proxy wants method %d", method[1])
	}
	if command == associate {
		destination = netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
	}
	message := append([]byte{5, command, 0}, address(destination)...)
	if _, err := connection.Write(message); err != nil {
		return bound, err
	}
	var head [4]byte
	if _, err := io.ReadFull(connection, head[:]); err != nil {
		return bound, fmt.Errorf("the proxy's reply: %w", err)
	}
	if head[1] != 0 {
		return bound, fmt.Errorf("the proxy replied %d", head[1])
	}
	rest := make([]byte, 4+2)
	if head[3] == 4 {
		rest = make([]byte, 16+2)
	}
	if _, err := io.ReadFull(connection, rest); err != nil {
		return bound, fmt.Errorf("the proxy's reply: %w", err)
	}
	host, _ := netip.AddrFromSlice(rest[:len(rest)-2])
	bound = netip.AddrPortFrom(host, binary.BigEndian.Uint16(rest[len(rest)-2:]))
	return bound, connection.SetDeadline(time.Time{})
}

// address is an address as requests and datagrams have it.
func address(of netip.AddrPort) []byte {
	kind := byte(1)
	if of.Addr().Is6() {
		kind = 4
	}
	return binary.BigEndian.AppendUint16(append([]byte{kind}, of.Addr().AsSlice()...), of.Port())
}

// drop ends a connection at once, whatever is under way on it.
func drop(connection *net.TCPConn) {
	_ = connection.SetLinger(0)
	_ = connection.Close()
}
