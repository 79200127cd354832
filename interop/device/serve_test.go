package device

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/amnezia-vpn/amneziawg-go/device"
)

// TestServe is the program; it ends with its input.
func TestServe(t *testing.T) {
	// The module's queues have finalizers, which run outside the bubble and may not touch its channels.
	debug.SetGCPercent(-1)
	synctest.Test(t, func(*testing.T) {
		end := end{events: &events{start: time.Now()}}
		out := bufio.NewWriter(os.Stdout)
		in := bufio.NewReaderSize(os.Stdin, 1<<20)
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				end.close()
				if !errors.Is(err, io.EOF) {
					t.Error(err)
				}
				return
			}
			err = end.obey(strings.Fields(line))
			synctest.Wait()
			end.events.flush(out)
			if err != nil {
				fmt.Fprintln(out, "failed", strings.ReplaceAll(err.Error(), "\n", "; "))
			} else {
				fmt.Fprintln(out, "done")
			}
			out.Flush()
		}
	})
}

// end is the device, if one is open, and what surrounds it.
type end struct {
	events *events
	wire   *wire
	link   *link
	device *device.Device
}

func (e *end) obey(words []string) error {
	if len(words) == 0 {
		return errors.New("no command")
	}
	command, rest := words[0], words[1:]
	if e.device == nil && command != "open" && command != "advance" {
		return errors.New("no device is open")
	}
	switch command {
	case "open":
		return e.open(rest)
	case "set":
		written, err := all(rest)
		if err != nil {
			return err
		}
		return e.device.IpcSet(string(written[0]))
	case "up":
		return e.device.Up()
	case "send":
		packets, err := all(rest)
		if err == nil {
			e.link.outgoing <- packets
		}
		return err
	case "receive":
		from, err := netip.ParseAddrPort(rest[0])
		if err != nil {
			return err
		}
		datagrams, err := all(rest[1:])
		if err == nil {
			e.wire.arrive(from, datagrams)
		}
		return err
	case "advance":
		nanoseconds, err := strconv.ParseInt(rest[0], 10, 64)
		if err == nil {
			time.Sleep(time.Duration(nanoseconds))
		}
		return err
	case "counter":
		return e.setCounter(rest[0])
	case "keys":
		peer, err := e.peer()
		if err != nil {
			return err
		}
		for _, name := range held(peer) {
			e.events.add("value", name)
		}
		return nil
	}
	return fmt.Errorf("unknown command %q", command)
}

func (e *end) open(arguments []string) error {
	e.close()
	mtu, err := strconv.Atoi(arguments[0])
	if err != nil {
		return err
	}
	seed, err := strconv.ParseUint(arguments[1], 10, 64)
	if err != nil {
		return err
	}
	rand.Reader = newRandomness(e.events, seed)
	e.wire = &wire{events: e.events}
	e.link = newLink(e.events, mtu)
	tell := func(format string, values ...any) {
		e.events.add("log", fmt.Sprintf(format, values...))
	}
	e.device = device.NewDevice(e.link, e.wire, &device.Logger{Verbosef: tell, Errorf: tell})
	return nil
}

func (e *end) setCounter(written string) error {
	counter, err := strconv.ParseUint(written, 10, 64)
	if err != nil {
		return err
	}
	peer, err := e.peer()
	if err == nil && !setCounter(peer, counter) {
		err = errors.New("there is no session")
	}
	return err
}

// peer is the device's first peer.
func (e *end) peer() (*device.Peer, error) {
	settings, err := e.device.IpcGet()
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(settings) {
		if written, found := strings.CutPrefix(strings.TrimSpace(line), "public_key="); found {
			var key device.NoisePublicKey
			err := key.FromHex(written)
			return e.device.LookupPeer(key), err
		}
	}
	return nil, errors.New("there is no peer")
}

func (e *end) close() {
	if e.device != nil {
		e.device.Close()
		synctest.Wait()
		e.device = nil
	}
}
