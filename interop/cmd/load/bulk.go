package main

import (
	"fmt"
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
// for. Up: a discarding target is written to.
func openStream(path path, direction string) (*stream, error) {
	connection, err := path.dial()
	if err != nil {
		return nil, err
	}
	opened := &stream{connection: connection, failed: make(chan error, 1)}
	move := connection.Write
	if direction == "down" {
		move = connection.Read
		if _, err := fmt.Fprintf(connection, "%d\n", uint64(1)<<60); err != nil {
			return nil, err
		}
	}
	go func() {
		piece := make([]byte, pieceSize)
		for {
			moved, err := move(piece)
			opened.moved.Add(uint64(moved))
			if err != nil {
				opened.failed <- err
				return
			}
		}
	}()
	return opened, nil
}

// bulk reports the bytes that all streams moved in the window.
func bulk(plan plan) (lifetime.Fields, error) {
	streams := make([]*stream, plan.streams)
	for i := range streams {
		opened, err := openStream(plan.path, plan.direction)
		if err != nil {
			return nil, err
		}
		defer drop(opened.connection)
		streams[i] = opened
	}
	total := func() (sum uint64) {
		for _, stream := range streams {
			sum += stream.moved.Load()
		}
		return sum
	}
	time.Sleep(plan.warmup)
	window("start")
	begin, before := time.Now(), total()
	time.Sleep(plan.duration)
	after, took := total(), time.Since(begin)
	window("end")
	for _, stream := range streams {
		select {
		case err := <-stream.failed:
			return nil, fmt.Errorf("a stream ended early: %w", err)
		default:
		}
	}
	if after == before {
		return nil, fmt.Errorf("nothing moved in %s", took)
	}
	return lifetime.Fields{"bytes": after - before, "seconds": took.Seconds()}, nil
}
