package device

import (
	"net"
	"net/netip"
	"sync"

	"github.com/amnezia-vpn/amneziawg-go/conn"
)

// wire is the device's socket: what it sends is noted, what it receives comes from the driver.
type wire struct {
	events *events

	mutex    sync.Mutex
	incoming chan arrival
	closed   chan struct{}
}

// arrival is a group of datagrams that come in one go.
type arrival struct {
	from      endpoint
	datagrams [][]byte
}

func (w *wire) Open(port uint16) ([]conn.ReceiveFunc, uint16, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	incoming, closed := make(chan arrival, 64), make(chan struct{})
	w.incoming, w.closed = incoming, closed
	receive := func(packets [][]byte, sizes []int, from []conn.Endpoint) (int, error) {
		select {
		case <-closed:
			return 0, net.ErrClosed
		case came := <-incoming:
			for i, datagram := range came.datagrams {
				sizes[i] = copy(packets[i], datagram)
				from[i] = came.from
			}
			return len(came.datagrams), nil
		}
	}
	return []conn.ReceiveFunc{receive}, port, nil
}

func (w *wire) Close() error {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.closed != nil {
		close(w.closed)
		w.incoming, w.closed = nil, nil
	}
	return nil
}

// arrive hands datagrams to the device, in groups of what it takes at once.
func (w *wire) arrive(from netip.AddrPort, datagrams [][]byte) {
	w.mutex.Lock()
	incoming := w.incoming
	w.mutex.Unlock()
	if incoming == nil {
		return
	}
	for len(datagrams) > 0 {
		count := min(len(datagrams), w.BatchSize())
		incoming <- arrival{endpoint{from}, datagrams[:count]}
		datagrams = datagrams[count:]
	}
}

func (w *wire) Send(datagrams [][]byte, to conn.Endpoint) error {
	for _, datagram := range datagrams {
		w.events.add("sent", to.DstToString(), text(datagram))
	}
	return nil
}

func (w *wire) ParseEndpoint(written string) (conn.Endpoint, error) {
	address, err := netip.ParseAddrPort(written)
	return endpoint{address}, err
}

func (w *wire) SetMark(uint32) error { return nil }

func (w *wire) BatchSize() int { return conn.IdealBatchSize }

// endpoint is an address as the module's own StdNetEndpoint has it.
type endpoint struct{ address netip.AddrPort }

func (e endpoint) ClearSrc()           {}
func (e endpoint) SrcToString() string { return "" }
func (e endpoint) SrcIP() netip.Addr   { return netip.Addr{} }
func (e endpoint) DstToString() string { return e.address.String() }
func (e endpoint) DstIP() netip.Addr   { return e.address.Addr() }
func (e endpoint) DstToBytes() []byte {
	written, _ := e.address.MarshalBinary()
	return written
}
