package device

import (
	"reflect"
	"sync/atomic"
	"unsafe"

	"github.com/amnezia-vpn/amneziawg-go/device"
)

// hasKeys says whether the peer has a session.
func hasKeys(peer *device.Peer) bool {
	return !currentSession(peer).IsNil()
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
