package device

import (
	"reflect"
	"sync/atomic"
	"unsafe"

	"github.com/amnezia-vpn/amneziawg-go/device"
)

// held names the peer's sessions that are in memory, of current, previous and next.
func held(peer *device.Peer) []string {
	var names []string
	keypairs := reflect.ValueOf(peer).Elem().FieldByName("keypairs")
	for _, name := range []string{"current", "previous"} {
		if !keypairs.FieldByName(name).IsNil() {
			names = append(names, name)
		}
	}
	// An atomic.Pointer, whose method may not be called on a field that the module keeps to itself.
	next := (*atomic.Pointer[device.Keypair])(unsafe.Pointer(keypairs.FieldByName("next").UnsafeAddr()))
	if next.Load() != nil {
		names = append(names, "next")
	}
	return names
}

// setCounter moves the counter of the peer's current session, which the module keeps to itself: nobody waits for 2^60 messages.
func setCounter(peer *device.Peer, counter uint64) bool {
	current := currentSession(peer)
	if current.IsNil() {
		return false
	}
	field := current.Elem().FieldByName("sendNonce")
	(*atomic.Uint64)(unsafe.Pointer(field.UnsafeAddr())).Store(counter)
	return true
}

func currentSession(peer *device.Peer) reflect.Value {
	return reflect.ValueOf(peer).Elem().FieldByName("keypairs").FieldByName("current")
}
