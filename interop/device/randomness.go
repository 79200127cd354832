package device

import (
	"math/rand/v2"
	"sync"
)

// randomness stands for crypto/rand.Reader: a stream that the seed decides, whose 32-byte draws are told to the driver,
// since ephemeral keys and cookie secrets are such.
type randomness struct {
	events *events

	mutex  sync.Mutex
	stream *rand.ChaCha8
}

func newRandomness(events *events, seed uint64) *randomness {
	var key [32]byte
	for i := range 8 {
		key[i] = byte(seed >> (8 * i))
	}
	return &randomness{events: events, stream: rand.NewChaCha8(key)}
}

func (r *randomness) Read(into []byte) (int, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	count, err := r.stream.Read(into)
	if len(into) == 32 {
		r.events.add("secret", text(into))
	}
	return count, err
}
