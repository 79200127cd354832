package main

import (
	"bufio"
	"net"
	"os"
	"sync"
	"time"

	"github.com/awgproxy/awgproxy/interop/internal/lifetime"
)

// idle opens connections, moves a byte there and back on each, and keeps them open until a line or the end comes on
// stdin. "window" "start" is printed when all stand.
func idle(plan plan) (lifetime.Fields, error) {
	var lock sync.Mutex
	var open []*net.TCPConn
	var failure error
	places := make(chan struct{}, plan.workers)
	var opening sync.WaitGroup
	for range plan.count {
		opening.Add(1)
		places <- struct{}{}
		go func() {
			defer func() { <-places; opening.Done() }()
			connection, err := plan.dial()
			if err == nil {
				_ = connection.SetDeadline(time.Now().Add(patience))
				err = exchange(connection, "x")
				_ = connection.SetDeadline(time.Time{})
			}
			lock.Lock()
			defer lock.Unlock()
			if err != nil {
				failure = err
				return
			}
			open = append(open, connection)
		}()
	}
	opening.Wait()
	if failure != nil {
		return nil, failure
	}
	window("start")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	window("end")
	for _, connection := range open {
		_ = connection.Close()
	}
	return lifetime.Fields{"connections": len(open)}, nil
}
