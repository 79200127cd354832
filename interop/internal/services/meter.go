package services

import (
	"encoding/binary"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// MeterPeriod is how often the meter says what it has so far.
const MeterPeriod = 20 * time.Millisecond

// meter takes everything, and says how much it has: eight bytes, big-endian, whenever that has changed. What a sender
// has handed to its own network says little: some of them buffer for seconds.
func meter(connection net.Conn) error {
	var taken atomic.Uint64
	over := make(chan struct{})
	defer close(over)
	go report(connection, &taken, over)
	buffer := make([]byte, pieceSize)
	for {
		read, err := connection.Read(buffer)
		taken.Add(uint64(read))
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func report(to io.Writer, taken *atomic.Uint64, over <-chan struct{}) {
	period := time.NewTicker(MeterPeriod)
	defer period.Stop()
	var said uint64
	for {
		select {
		case <-over:
			return
		case <-period.C:
		}
		now := taken.Load()
		if now == said {
			continue
		}
		var message [8]byte
		binary.BigEndian.PutUint64(message[:], now)
		if _, err := to.Write(message[:]); err != nil {
			return
		}
		said = now
	}
}
