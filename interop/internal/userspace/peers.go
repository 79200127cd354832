package userspace

import (
	"strconv"
	"strings"
	"time"

	"github.com/awgproxy/awgproxy/interop/internal/lifetime"
)

// Status is what a device tells of itself.
type Status struct {
	ListenPort int    `json:"listen_port"`
	Peers      []Peer `json:"peers"`
}

// Peer is one peer of a device as it stands now.
type Peer struct {
	PublicKey     string `json:"public_key"` // hex
	Endpoint      string `json:"endpoint"`
	LastHandshake int64  `json:"last_handshake"` // ns since the epoch, 0 for none yet
	Received      uint64 `json:"received"`       // bytes
	Sent          uint64 `json:"sent"`           // bytes
}

// Read asks a device how it stands.
func Read(device Device) (Status, error) {
	text, err := device.IpcGet()
	if err != nil {
		return Status{}, err
	}
	var status Status
	peer := &Peer{}
	for _, line := range strings.Split(text, "\n") {
		key, value, _ := strings.Cut(line, "=")
		switch key {
		case "listen_port":
			status.ListenPort, _ = strconv.Atoi(value)
		case "public_key":
			status.Peers = append(status.Peers, Peer{PublicKey: value})
			peer = &status.Peers[len(status.Peers)-1]
		case "endpoint":
			peer.Endpoint = value
		case "last_handshake_time_sec":
			seconds, _ := strconv.ParseInt(value, 10, 64)
			peer.LastHandshake += seconds * int64(time.Second)
		case "last_handshake_time_nsec":
			nanoseconds, _ := strconv.ParseInt(value, 10, 64)
			peer.LastHandshake += nanoseconds
		case "rx_bytes":
			peer.Received, _ = strconv.ParseUint(value, 10, 64)
		case "tx_bytes":
			peer.Sent, _ = strconv.ParseUint(value, 10, 64)
		}
	}
	return status, nil
}

// Watch prints an "endpoint" event whenever a peer is found at another address, and a "handshake" event for each
// handshake completed. The device tells nobody by itself, so it is asked ten times a second.
func Watch(device Device) {
	known := map[string]Peer{}
	for range time.Tick(100 * time.Millisecond) {
		status, err := Read(device)
		if err != nil {
			return
		}
		for _, peer := range status.Peers {
			before := known[peer.PublicKey]
			if peer.Endpoint != before.Endpoint {
				lifetime.Emit("endpoint", lifetime.Fields{"peer": peer.PublicKey, "from": before.Endpoint, "to": peer.Endpoint})
			}
			if peer.LastHandshake != before.LastHandshake {
				lifetime.Emit("handshake", lifetime.Fields{"peer": peer.PublicKey, "at": peer.LastHandshake})
			}
			known[peer.PublicKey] = peer
		}
	}
}

// Commands are what any program with a device takes on stdin:
// "status" prints a "status" event; "listen-port N" moves the device to another UDP port (0: any) and prints
// "listen-port"; "set KEY=VALUE" gives the device one more setting and prints "set".
func Commands(device Device) map[string]lifetime.Command {
	return map[string]lifetime.Command{
		"status": func(string) error {
			status, err := Read(device)
			if err == nil {
				lifetime.Emit("status", lifetime.Fields{"listen_port": status.ListenPort, "peers": status.Peers})
			}
			return err
		},
		"listen-port": func(port string) error {
			if err := device.IpcSet("listen_port=" + port + "\n"); err != nil {
				return err
			}
			status, err := Read(device)
			if err == nil {
				lifetime.Emit("listen-port", lifetime.Fields{"listen_port": status.ListenPort})
			}
			return err
		},
		"set": func(setting string) error {
			err := device.IpcSet(setting + "\n")
			if err == nil {
				lifetime.Emit("set", nil)
			}
			return err
		},
	}
}
