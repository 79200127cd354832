package device

import (
	"os"

	"github.com/amnezia-vpn/amneziawg-go/tun"
)

// link is the device's tunnel interface: what it writes is noted, what it reads comes from the driver.
type link struct {
	events   *events
	mtu      int
	outgoing chan [][]byte
	changes  chan tun.Event
	closed   chan struct{}
}

func newLink(events *events, mtu int) *link {
	made := &link{
		events:   events,
		mtu:      mtu,
		outgoing: make(chan [][]byte, 1),
		changes:  make(chan tun.Event, 1),
		closed:   make(chan struct{}),
	}
	return made
}

func (l *link) Read(packets [][]byte, sizes []int, offset int) (int, error) {
	select {
	case <-l.closed:
		return 0, os.ErrClosed
	case sent := <-l.outgoing:
		for i, packet := range sent {
			sizes[i] = copy(packets[i][offset:], packet)
		}
		return len(sent), nil
	}
}

func (l *link) Write(packets [][]byte, offset int) (int, error) {
	for _, packet := range packets {
		l.events.add("delivered", text(packet[offset:]))
	}
	return len(packets), nil
}

func (l *link) Close() error {
	close(l.closed)
	close(l.changes)
	return nil
}

func (l *link) File() *os.File           { return nil }
func (l *link) MTU() (int, error)        { return l.mtu, nil }
func (l *link) Name() (string, error)    { return "virtual", nil }
func (l *link) Events() <-chan tun.Event { return l.changes }
func (l *link) BatchSize() int           { return 128 }
