//! How much a connection may have on its way ([`Credit`]): what its receiver takes grows with what is stuck, so that a few flows
//! that nobody reads stop no other; what its sender takes from the embedder follows what the path holds, so that little waits
//! where it could still be somebody else's turn.

use std::time::{Duration, Instant};

use noq_proto::congestion::Controller;
use noq_proto::{Connection, PathId, VarInt};

use super::counters::CarrierCounters;
use super::settings::Windows;

/// A window that grew is kept for so long after nothing is stuck.
const KEPT: Duration = Duration::from_secs(10);

/// Bytes to send that are taken however little the path holds.
const LEAST: u64 = 1 << 20;

/// Beyond the window of bulk transfers, for flows that send little.
pub(super) const RESERVE: u64 = 256 << 10;

/// A flow that sent so much is a bulk transfer.
pub(super) const BULK: u64 = 64 << 10;

/// Holes that a receiver may be left with. It keeps no more than 1,024.
const HOLES: u64 = 600;

/// How often the losses of a path are looked at.
const LOOK: Duration = Duration::from_millis(200);

/// See the module.
pub(super) struct Credit {
    /// Flows that hold bytes which the embedder did not take.
    pub(super) stuck: usize,
    window: u64,
    /// When something was stuck last.
    stuck_at: Option<Instant>,
    /// For bulk transfers.
    send: u64,
    looked: Option<Instant>,
    sent: u64,
    lost: u64,
    /// The most to have on its way at the present losses.
    ceiling: u64,
}

impl Credit {
    pub(super) fn new(windows: &Windows) -> Self {
        Self {
            stuck: 0,
            window: windows.base,
            stuck_at: None,
            send: windows.base,
            looked: None,
            sent: 0,
            lost: 0,
            ceiling: u64::MAX,
        }
    }

    /// The send window for a flow.
    pub(super) fn send_window(&self, is_bulk: bool) -> u64 {
        self.send + if is_bulk { 0 } else { RESERVE }
    }

    /// Sets the windows by what is.
    pub(super) fn adjust(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        windows: &Windows,
        counters: &mut CarrierCounters,
    ) {
        self.adjust_receive(now, connection, windows, counters);
        let path = connection
            .congestion_state(PathId::ZERO)
            .map_or(0, Controller::window);
        self.look(now, connection);
        let send = (2 * path)
            .saturating_add(LEAST)
            .min(windows.base)
            .min(self.ceiling)
            .max(LEAST);
        if send != self.send {
            self.send = send;
            connection.set_send_window(send);
        }
    }

    fn adjust_receive(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        windows: &Windows,
        counters: &mut CarrierCounters,
    ) {
        if self.stuck == 0 {
            if self.window > windows.base && self.stuck_at.is_some_and(|at| now >= at + KEPT) {
                self.window = windows.base;
                connection.set_receive_window(varint(self.window));
            }
            return;
        }
        self.stuck_at = Some(now);
        let held = windows.stream.saturating_mul(self.stuck as u64);
        let wanted = windows.base.saturating_add(held).min(windows.most);
        if wanted > self.window {
            self.window = wanted;
            counters.windows_grown += 1;
            connection.set_receive_window(varint(wanted));
        }
    }

    /// Follows the path's losses: what is on its way leaves holes, and a receiver keeps only so many.
    fn look(&mut self, now: Instant, connection: &mut Connection) {
        if self.looked.is_some_and(|looked| now < looked + LOOK) {
            return;
        }
        self.looked = Some(now);
        let size = u64::from(connection.current_mtu());
        let Some(stats) = connection.path_stats(PathId::ZERO) else {
            return;
        };
        let sent = stats.sent_packets - self.sent;
        let lost = stats.lost_packets - self.lost;
        if sent < 200 {
            return;
        }
        (self.sent, self.lost) = (stats.sent_packets, stats.lost_packets);
        let ceiling = (HOLES * size * sent.saturating_sub(lost).max(1))
            .checked_div(lost)
            .unwrap_or(u64::MAX);
        // One look is a sample: what it says counts at once when it is bad, and by and by when it is good.
        self.ceiling = if ceiling < self.ceiling {
            ceiling
        } else {
            self.ceiling.saturating_mul(2).min(ceiling)
        };
    }
}

fn varint(value: u64) -> VarInt {
    VarInt::from_u64(value).unwrap_or(VarInt::MAX)
}
