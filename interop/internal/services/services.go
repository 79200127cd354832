// Package services is what stands behind a tunnel in the tests and the benchmark: ends of connections whose behaviour
// is known.
//
//	echo     returns what it gets, and the end of it              TCP 7, UDP 7
//	discard  takes everything; at the end answers with JSON       TCP 9
//	         {"bytes": N}
//	meter    takes everything; says every 20 ms how much so far:   TCP 11
//	         eight bytes, big-endian
//	digest   as discard, and hashes it: {"bytes": N, "sha256": …}  TCP 10
//	source   reads a line "N", sends N bytes of the pattern       TCP 19
//	names    DNS: every name under .test is this very address     UDP 53, TCP 53
//
// They run the same over the kernel's network and over a tunnel's own.
package services

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"hash"
	"io"
	"net"
	"strconv"
	"strings"
)

// Streams are the TCP services and their well-known ports.
var Streams = map[string]struct {
	Port  uint16
	Serve func(net.Conn) error
}{
	"echo":    {7, echo},
	"discard": {9, discard},
	"digest":  {10, digest},
	"meter":   {11, meter},
	"source":  {19, source},
}

const echoSize = 16 << 10

// Serve accepts connections until the listener closes. A connection whose service failed is reset, so that what was
// cut short never looks complete.
func Serve(listener net.Listener, serve func(net.Conn) error) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			if err := serve(connection); err != nil {
				if kernel, ok := connection.(*net.TCPConn); ok {
					_ = kernel.SetLinger(0)
				}
			}
			_ = connection.Close()
		}()
	}
}

// echo has a buffer of its own: what io.Copy does by itself between connections, a pipe for each, wants three
// descriptors where one will do.
func echo(connection net.Conn) error {
	from, to := struct{ io.Reader }{connection}, struct{ io.Writer }{connection}
	_, err := io.CopyBuffer(to, from, make([]byte, echoSize))
	return err
}

func source(connection net.Conn) error {
	line, err := bufio.NewReaderSize(connection, 32).ReadString('\n')
	if err != nil {
		return err
	}
	length, err := strconv.ParseUint(strings.TrimSpace(line), 10, 64)
	if err != nil {
		return err
	}
	return WritePattern(connection, length)
}

func discard(connection net.Conn) error { return take(connection, nil) }

func digest(connection net.Conn) error { return take(connection, sha256.New()) }

func take(connection net.Conn, digest hash.Hash) error {
	buffer := make([]byte, pieceSize)
	var taken uint64
	for {
		read, err := connection.Read(buffer)
		taken += uint64(read)
		if digest != nil {
			digest.Write(buffer[:read])
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	answer := map[string]any{"bytes": taken}
	if digest != nil {
		answer["sha256"] = hex.EncodeToString(digest.Sum(nil))
	}
	return json.NewEncoder(connection).Encode(answer)
}

// EchoDatagrams returns each datagram to where it came from, until the socket closes.
func EchoDatagrams(socket net.PacketConn) {
	buffer := make([]byte, 64<<10)
	for {
		length, from, err := socket.ReadFrom(buffer)
		if err != nil {
			return
		}
		_, _ = socket.WriteTo(buffer[:length], from)
	}
}
