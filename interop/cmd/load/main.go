// load puts one kind of load on a proxy, or on a direct connection, and prints what it saw.
//
//	load bulk          bytes through long-lived connections, down or up
//	load round-trips   a small message there and back on one connection, idle or beside a bulk download
//	load first-byte    the time from opening a connection to its first byte
//	load connections   connections that carry one byte each way and close, many at once
//	load datagrams     datagrams to the echo and back, many under way at once, by UDP ASSOCIATE
//	load idle          connections that have moved a byte and then stay open until a line comes on stdin
//
// Lines are those of internal/lifetime: "window" events with "at" = "start" and "end" mark the time that counts, so
// that whoever started this program can read the clocks of all processes, of this one too; "result" comes last. Then the
// program does nothing more, but stays until stdin closes: a process that has ended has no clock.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/awgproxy/awgproxy/interop/internal/lifetime"
)

// plan is what the flags say; each kind of load uses what it needs.
type plan struct {
	path
	direction  string
	streams    int
	bulkTarget string
	workers    int
	count      int
	warmup     time.Duration
	duration   time.Duration
}

var kinds = map[string]func(plan) (lifetime.Fields, error){
	"bulk":        bulk,
	"round-trips": roundTrips,
	"first-byte":  firstByte,
	"connections": connections,
	"datagrams":   datagrams,
	"idle":        idle,
}

func main() {
	if len(os.Args) < 2 || kinds[os.Args[1]] == nil {
		lifetime.Fail(fmt.Errorf("usage: load bulk|round-trips|first-byte|connections|datagrams|idle [flags]"))
	}
	var plan plan
	flags := flag.NewFlagSet("load "+os.Args[1], flag.ExitOnError)
	flags.StringVar(&plan.proxy, "proxy", "", "SOCKS5 proxy's `address`; none: direct connections")
	flags.StringVar(&plan.target, "target", "", "target's `address`: source or meter (bulk), source (first-byte), echo (the others)")
	flags.StringVar(&plan.direction, "direction", "down", "bulk, round-trips: `down` or up")
	flags.IntVar(&plan.streams, "streams", 1, "bulk, round-trips: bulk connections at once; datagrams: associations")
	flags.StringVar(&plan.bulkTarget, "bulk-target", "", "round-trips: `address` of a source or meter for transfers meanwhile")
	flags.IntVar(&plan.workers, "workers", 32, "connections, idle: how many at once; datagrams: how many under way in each association")
	flags.IntVar(&plan.count, "count", 1000, "first-byte, idle: connections; connections: the most to make")
	flags.DurationVar(&plan.warmup, "warmup", time.Second, "time before the window")
	flags.DurationVar(&plan.duration, "duration", 3*time.Second, "the window, where time bounds it")
	_ = flags.Parse(os.Args[2:])

	result, err := kinds[os.Args[1]](plan)
	lifetime.Must(err)
	lifetime.Emit("result", result)
	lifetime.Run(nil)
}

func window(at string) { lifetime.Emit("window", lifetime.Fields{"at": at}) }

// quantiles describes times in microseconds.
func quantiles(times []time.Duration) lifetime.Fields {
	if len(times) == 0 {
		return lifetime.Fields{"samples": 0}
	}
	slices.Sort(times)
	at := func(part float64) float64 {
		return float64(times[int(part*float64(len(times)-1))].Nanoseconds()) / 1000
	}
	return lifetime.Fields{"samples": len(times), "p50_us": at(0.5), "p90_us": at(0.9), "p95_us": at(0.95), "p99_us": at(0.99), "max_us": at(1)}
}
