package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/awgproxy/awgproxy/interop/internal/lifetime"
)

const pieceSize = 256 << 10

// stream is one long transfer: bytes moved so far, and why it ended early, if it did.
type stream struct {
	connection *net.TCPConn
	moved      atomic.Uint64
	failed     chan error
}

// openStream starts a transfer that ends only when it is dropped. Down: a source is asked for more than anybody waits
// for. Up: a meter is written to, and what it says has arrived is what counts.
func openStream(path path, direction string) (*stream, error) {
	connection, err := path.dial()
	if err != nil {
		return nil, err
	}
	opened := &stream{connection: connection, failed: make(chan error, 2)}
	if direction == "down" {
		if _, err := fmt.Fprintf(connection, "%d\n", uint64(1)<<60); err != nil {
			return nil, err
		}
		go opened.read()
	} else {
		go opened.write()
		go opened.readMeter()
	}
	return opened, nil
}

func (s *stream) read() {
	piece := make([]byte, pieceSize)
	for {
		read, err := s.connection.Read(piece)
		s.moved.Add(uint64(read))
		if err != nil {
			s.failed <- err
			return
		}
	}
}

func (s *stream) write() {
	piece := make([]byte, pieceSize)
	for {
		if _, err := s.connection.Write(piece); err != nil {
			s.failed <- err
			return
		}
	}
}

func (s *stream) readMeter() {
	var message [8]byte
	for {
		if _, err := io.ReadFull(s.connection, message[:]); err != nil {
			s.failed <- err
			return
		}
		s.moved.Store(binary.BigEndian.Uint64(message[:]))
	}
}

// openStreams starts several, or none.
func openStreams(path path, direction string, count int) (streams streams, err error) {
	for range count {
		opened, err := openStream(path, direction)
		if err != nil {
			streams.drop()
			return nil, err
		}
		streams = append(streams, opened)
	}
	return streams, nil
}

type streams []*stream

func (s streams) moved() (sum uint64) {
	for _, stream := range s {
		sum += stream.moved.Load()
	}
	return sum
}

func (s streams) drop() {
	for _, stream := range s {
		drop(stream.connection)
	}
}

// failure is why one of them ended early, if one did.
func (s streams) failure() error {
	for _, stream := range s {
		select {
		case err := <-stream.failed:
			return fmt.Errorf("a stream ended early: %w", err)
		default:
		}
	}
	return nil
}

// bulk reports the bytes that all streams moved in the window.
func bulk(plan plan) (lifetime.Fields, error) {
	streams, err := openStreams(plan.path, plan.direction, plan.streams)
	if err != nil {
		return nil, err
	}
	defer streams.drop()
	time.Sleep(plan.warmup)
	window("start")
	begin, before := time.Now(), streams.moved()
	time.Sleep(plan.duration)
	after, took := streams.moved(), time.Since(begin)
	window("end")
	if err := streams.failure(); err != nil {
		return nil, err
	}
	if after == before {
		return nil, fmt.Errorf("nothing moved in %s", took)
	}
	return lifetime.Fields{"bytes": after - before, "seconds": took.Seconds()}, nil
}
