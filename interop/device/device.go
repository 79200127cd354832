// Package device puts the reference into virtual time: a device of amneziawg-go whose clock, socket, tunnel interface and
// randomness are in the hands of whoever drives it, over stdin and stdout.
//
// The clock is that of a testing/synctest bubble: it stands still but for the command `advance`, so that hours pass in
// milliseconds and every time that is told is exact. This is why the program is a test binary; `go test -c` builds it.
//
// Commands, one a line, their arguments between blanks, bytes in hex (`-` for none):
//
//	open MTU SEED           make the device, in place of an earlier one; SEED (a number) makes its randomness the same each time
//	set TEXT                a UAPI set operation
//	up                      bring it up
//	send PACKET...          packets that it reads from its interface in one go
//	receive FROM DATAGRAM...  datagrams that come from FROM (IP:port) in one go
//	advance NANOSECONDS     let time pass
//	counter NUMBER          the counter of the next message of its only peer's current session
//	keys                    which sessions that peer has in memory: a value for each, `current`, `previous`, `next`
//
// Each is answered by what happened, and then `done`, or `failed TEXT`:
//
//	sent NANOSECONDS TO DATAGRAM         a datagram
//	delivered NANOSECONDS PACKET         a packet that it wrote to its interface
//	secret NANOSECONDS BYTES             32 bytes of randomness drawn in one go: ephemeral keys and cookie secrets are such
//	value NANOSECONDS TEXT               what was asked for
//	log NANOSECONDS TEXT                 a line of its log
//
// Times count from the start of the clock, midnight UTC 2000-01-01.
package device
