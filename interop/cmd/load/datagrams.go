package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/awgproxy/awgproxy/interop/internal/lifetime"
)

// silence is how long an association hears nothing until it takes all that is under way for lost.
const silence = 250 * time.Millisecond

// association is a way for datagrams to the target and back: straight, or by UDP ASSOCIATE (RFC 1928, section 7).
type association struct {
	socket  *net.UDPConn
	control *net.TCPConn
	header  []byte
}

func (p path) associate() (*association, error) {
	target, err := netip.ParseAddrPort(p.target)
	if err != nil {
		return nil, err
	}
	opened := &association{}
	to := target
	if p.proxy != "" {
		connection, err := net.DialTimeout("tcp", p.proxy, patience)
		if err != nil {
			return nil, err
		}
		opened.control = connection.(*net.TCPConn)
		bound, err := request(opened.control, associate, p.target)
		if err != nil {
			return nil, err
		}
		if to = bound; to.Addr().IsUnspecified() {
			to = netip.AddrPortFrom(netip.MustParseAddrPort(p.proxy).Addr(), bound.Port())
		}
		opened.header = append([]byte{0, 0, 0}, address(target)...)
	}
	opened.socket, err = net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	return opened, err
}

func (a *association) close() {
	_ = a.socket.Close()
	if a.control != nil {
		_ = a.control.Close()
	}
}

// exchange keeps as many datagrams under way as `window` says until `over`, and counts those that came back.
func (a *association) exchange(window int, back, lost *atomic.Uint64, over *atomic.Bool) error {
	message := append(a.header, make([]byte, messageSize)...)
	number := message[len(a.header):]
	answer := make([]byte, len(message)+messageSize)
	var next, oldest uint64
	send := func() error {
		binary.BigEndian.PutUint64(number, next)
		next++
		_, err := a.socket.Write(message)
		return err
	}
	underWay := 0
	for !over.Load() {
		for ; underWay < window; underWay++ {
			if err := send(); err != nil {
				return err
			}
		}
		_ = a.socket.SetReadDeadline(time.Now().Add(silence))
		length, err := a.socket.Read(answer)
		if err != nil {
			lost.Add(uint64(underWay))
			underWay, oldest = 0, next
			continue
		}
		// One that had been given up must not let another one out.
		if length < messageSize || binary.BigEndian.Uint64(answer[length-messageSize:]) < oldest {
			continue
		}
		underWay--
		back.Add(1)
	}
	return nil
}

// datagrams reports how many datagrams a second come back from the echo.
func datagrams(plan plan) (lifetime.Fields, error) {
	var back, lost atomic.Uint64
	var over atomic.Bool
	var workers sync.WaitGroup
	failures := make(chan error, plan.streams)
	for range plan.streams {
		opened, err := plan.associate()
		if err != nil {
			return nil, err
		}
		defer opened.close()
		workers.Add(1)
		go func() {
			defer workers.Done()
			if err := opened.exchange(plan.workers, &back, &lost, &over); err != nil {
				failures <- err
			}
		}()
	}
	time.Sleep(plan.warmup)
	window("start")
	begin, backBefore, lostBefore := time.Now(), back.Load(), lost.Load()
	time.Sleep(plan.duration)
	took := time.Since(begin)
	came, gone := back.Load()-backBefore, lost.Load()-lostBefore
	window("end")
	over.Store(true)
	workers.Wait()
	select {
	case err := <-failures:
		return nil, err
	default:
	}
	if came == 0 {
		return nil, fmt.Errorf("no datagram came back in %s", took)
	}
	return lifetime.Fields{"samples": came, "per_second": float64(came) / took.Seconds(), "lost": gone}, nil
}
