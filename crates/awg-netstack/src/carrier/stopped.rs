//! Streams of which no more is wanted.
//!
//! What such a stream brought and was not read is the connection's to take again, once. `noq-proto` 1.3 gives that credit when the
//! stream is stopped, and again when it is reset: with each stream that nobody reads to its end the connection's window would grow by
//! what that had brought, without bound. So a stream is not stopped that was reset, and the reset of one that was stopped reaches QUIC
//! as an empty end at the same final size, which is all that it still has to say, and is counted once.

use noq_proto::{StreamId, VarInt};

use super::link::Link;
use super::request::Code;

impl Link {
    /// Wants no more of a stream.
    pub(super) fn stop(&mut self, stream: StreamId, code: Code) {
        let Some(connection) = self.connection() else {
            return;
        };
        let mut stream = connection.recv_stream(stream);
        if !matches!(stream.received_reset(), Ok(Some(_))) {
            // It may be over already.
            let _ = stream.stop(code.into());
        }
    }

    /// Makes ends of a datagram's resets, where they are of streams that were stopped.
    pub(super) fn finish_stopped(&self, datagram: &mut [u8]) {
        for reset in &self.resets {
            if VarInt::from_u64(reset.stream).is_ok_and(|id| self.is_over(id.into())) {
                reset.finish(datagram);
            }
        }
    }
}
