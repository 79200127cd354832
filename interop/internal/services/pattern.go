package services

import (
	"crypto/sha3"
	"io"
)

// PatternPeriod is after how many bytes the source repeats itself: a prime, so that no packet size divides it and a
// piece that is lost, doubled or moved changes what comes after.
const PatternPeriod = 1_000_003

// pattern is one period and enough of the next to write any piece of up to pieceSize bytes at once.
var pattern = func() []byte {
	block := sha3.SumSHAKE128([]byte("awgproxy interop"), PatternPeriod)
	return append(block, block[:pieceSize]...)
}()

const pieceSize = 256 << 10

// WritePattern writes the first length bytes of the endless pattern SHAKE128("awgproxy interop", 1000003 bytes).
func WritePattern(to io.Writer, length uint64) error {
	var offset uint64
	for length > 0 {
		piece := pattern[offset : offset+min(length, pieceSize)]
		written, err := to.Write(piece)
		if err != nil {
			return err
		}
		length -= uint64(written)
		offset = (offset + uint64(written)) % PatternPeriod
	}
	return nil
}
