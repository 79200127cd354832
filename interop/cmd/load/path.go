package main

import (
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
		if err := request(connection, p.target); err != nil {
			_ = connection.Close()
			return nil, err
		}
	}
	return connection, nil
}

func request(connection *net.TCPConn, target string) error {
	if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	destination, err := netip.ParseAddrPort(target)
	if err != nil {
		return err
	}
	if _, err := connection.Write([]byte{5, 1, 0}); err != nil {
		return err
	}
	var method [2]byte
	if _, err := io.ReadFull(connection, method[:]); err != nil {
		return fmt.Errorf("the proxy's choice of method: %w", err)
	}
	if method != [2]byte{5, 0} {
		return fmt.Errorf("the proxy wants method %d", method[1])
	}
	message := []byte{5, 1, 0, 1}
	if destination.Addr().Is6() {
		message[3] = 4
	}
	message = append(message, destination.Addr().AsSlice()...)
	message = append(message, byte(destination.Port()>>8), byte(destination.Port()))
	if _, err := connection.Write(message); err != nil {
		return err
	}
	var head [4]byte
	if _, err := io.ReadFull(connection, head[:]); err != nil {
		return fmt.Errorf("the proxy's reply: %w", err)
	}
	if head[1] != 0 {
		return fmt.Errorf("the proxy replied %d", head[1])
	}
	rest := 4 + 2
	if head[3] == 4 {
		rest = 16 + 2
	}
	if _, err := io.ReadFull(connection, make([]byte, rest)); err != nil {
		return fmt.Errorf("the proxy's reply: %w", err)
	}
	return connection.SetDeadline(time.Time{})
}

// drop ends a connection at once, whatever is under way on it.
func drop(connection *net.TCPConn) {
	_ = connection.SetLinger(0)
	_ = connection.Close()
}
