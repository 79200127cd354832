//! How much a connection may have on its way ([`Credit`]): what its receiver takes grows with what is stuck, so that a few flows
//! that nobody reads stop no other; what its sender takes from the embedder follows what the path holds, so that little waits
//! where it could still be somebody else's turn.

use noq_proto::congestion::Controller;
use noq_proto::{Connection, PathId, VarInt};

use super::counters::CarrierCounters;
use super::settings::Windows;

/// Bytes to send that are taken however little the path holds.
const LEAST: u64 = 1 << 20;

/// Beyond the window of bulk transfers, for flows that send little.
pub(super) const RESERVE: u64 = 256 << 10;

/// A flow that sent so much is a bulk transfer.
pub(super) const BULK: u64 = 64 << 10;

/// See the module.
pub(super) struct Credit {
    /// Flows that hold bytes which the embedder did not take.
    pub(super) stuck: usize,
    /// What may be on its way here, and wait. One that grew stays: QUIC takes a window back only from what it would give next, and a
    /// window that grew anew before that had come would be the larger for it, each time.
    window: u64,
    /// For bulk transfers.
    send: u64,
}

impl Credit {
    pub(super) fn new(windows: &Windows) -> Self {
        Self {
            stuck: 0,
            window: windows.base,
            send: windows.base,
        }
    }

    /// Bytes that may lie here.
    pub(super) fn window(&self) -> u64 {
        self.window
    }

    /// The send window for a flow.
    pub(super) fn send_window(&self, is_bulk: bool) -> u64 {
        self.send + if is_bulk { 0 } else { RESERVE }
    }

    /// Sets the windows by what is.
    pub(super) fn adjust(
        &mut self,
        connection: &mut Connection,
        windows: &Windows,
        counters: &mut CarrierCounters,
    ) {
        self.adjust_receive(connection, windows, counters);
        let path = connection
            .congestion_state(PathId::ZERO)
            .map_or(0, Controller::window);
        let send = (2 * path)
            .saturating_add(LEAST)
            .min(windows.base)
            .max(LEAST);
        if send != self.send {
            self.send = send;
            connection.set_send_window(send);
        }
    }

    fn adjust_receive(
        &mut self,
        connection: &mut Connection,
        windows: &Windows,
        counters: &mut CarrierCounters,
    ) {
        let held = windows.stream.saturating_mul(self.stuck as u64);
        let wanted = windows.base.saturating_add(held).min(windows.most);
        if wanted > self.window {
            self.window = wanted;
            counters.windows_grown += 1;
            connection.set_receive_window(varint(wanted));
        }
    }
}

fn varint(value: u64) -> VarInt {
    VarInt::from_u64(value).unwrap_or(VarInt::MAX)
}
