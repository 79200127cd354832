package main

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/awgproxy/awgproxy/interop/internal/lifetime"
)

const messageSize = 64

// roundTrips reports how long a message takes to the echo and back, one after another on one connection; with a bulk
// target, while transfers with it run, and how much these moved meanwhile.
func roundTrips(plan plan) (lifetime.Fields, error) {
	var bulk streams
	if plan.bulkTarget != "" {
		opened, err := openStreams(path{plan.proxy, plan.bulkTarget}, plan.direction, plan.streams)
		if err != nil {
			return nil, err
		}
		bulk = opened
	}
	defer bulk.drop()
	connection, err := plan.dial()
	if err != nil {
		return nil, err
	}
	defer drop(connection)
	time.Sleep(plan.warmup)
	window("start")
	begun, before := time.Now(), bulk.moved()
	message := make([]byte, messageSize)
	var times []time.Duration
	for end := begun.Add(plan.duration); time.Now().Before(end); {
		begin := time.Now()
		if _, err := connection.Write(message); err != nil {
			return nil, err
		}
		if _, err := io.ReadFull(connection, message); err != nil {
			return nil, err
		}
		times = append(times, time.Since(begin))
	}
	moved, took := bulk.moved()-before, time.Since(begun)
	window("end")
	if err := bulk.failure(); err != nil {
		return nil, err
	}
	result := quantiles(times)
	result["bytes"], result["seconds"] = moved, took.Seconds()
	return result, nil
}

// firstByte reports the time from opening a connection to the first byte from its target, one after another.
func firstByte(plan plan) (lifetime.Fields, error) {
	var times []time.Duration
	window("start")
	for range plan.count {
		begin := time.Now()
		connection, err := plan.dial()
		if err != nil {
			return nil, err
		}
		if err := exchange(connection, "1\n"); err != nil {
			return nil, err
		}
		times = append(times, time.Since(begin))
		_ = connection.Close()
	}
	window("end")
	return quantiles(times), nil
}

// connections reports how many connections a second open, carry one byte there and back, and close.
func connections(plan plan) (lifetime.Fields, error) {
	var begun atomic.Int64
	var lock sync.Mutex
	var times []time.Duration
	var failure error
	var failures int
	window("start")
	begin := time.Now()
	var workers sync.WaitGroup
	for range plan.workers {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for time.Since(begin) < plan.duration && begun.Add(1) <= int64(plan.count) {
				started := time.Now()
				err := oneByte(plan.path)
				lock.Lock()
				if err != nil {
					failure, failures = err, failures+1
				} else {
					times = append(times, time.Since(started))
				}
				lock.Unlock()
			}
		}()
	}
	workers.Wait()
	took := time.Since(begin)
	window("end")
	if len(times) == 0 {
		return nil, fmt.Errorf("no connection succeeded: %w", failure)
	}
	result := quantiles(times)
	result["per_second"] = float64(len(times)) / took.Seconds()
	result["failures"] = failures
	if failure != nil {
		result["last_failure"] = failure.Error()
	}
	return result, nil
}

func oneByte(path path) error {
	connection, err := path.dial()
	if err != nil {
		return err
	}
	defer connection.Close()
	return exchange(connection, "x")
}

// exchange sends a text and waits for one byte.
func exchange(connection io.ReadWriter, text string) error {
	if _, err := io.WriteString(connection, text); err != nil {
		return err
	}
	var answer [1]byte
	_, err := io.ReadFull(connection, answer[:])
	return err
}
