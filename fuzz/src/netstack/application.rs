//! The application above a stack: it takes events, and knows what every byte must be.
//!
//! What a peer sends has at each sequence number the byte that [`theirs`] gives; what the application sends has at each place
//! the byte that [`ours`] gives. So whatever order and overlap the segments have, a wrong byte shows.

use std::collections::BTreeMap;

use awg_netstack::{Closure, Event, FlowId, Kind};

use super::host::Host;

/// The byte at a sequence number of a peer's.
pub(super) fn theirs(sequence: u32) -> u8 {
    (sequence.wrapping_mul(0x9e37_79b1) >> 24) as u8
}

/// The byte at a place in what the application sends.
pub(super) fn ours(place: u32) -> u8 {
    (place.wrapping_mul(0x85eb_ca6b) >> 24) as u8
}

/// A flow, from its first event to its last.
pub(super) struct Flow {
    /// The peer's sequence number of the next byte to be taken.
    next: Option<u32>,
    /// The place of the next byte to be sent.
    sent: u32,
    incoming: bool,
    accepted: bool,
    established: bool,
}

/// All flows there are.
#[derive(Default)]
pub(super) struct Application {
    pub(super) flows: BTreeMap<FlowId, Flow>,
    /// Accepts and reads at once.
    pub(super) eager: bool,
    /// Bytes that were taken, in all flows.
    pub(super) taken: usize,
}

impl Application {
    /// A flow that the application opened.
    pub(super) fn opened(&mut self, flow: FlowId) {
        let opened = Flow {
            next: None,
            sent: 0,
            incoming: false,
            accepted: true,
            established: false,
        };
        assert!(self.flows.insert(flow, opened).is_none());
    }

    /// Takes the events; `start` is the first sequence number of the SYN that came just now, if one did.
    pub(super) fn listen(&mut self, host: &mut Host, start: Option<u32>) {
        while let Some(event) = host.event() {
            match event {
                Event::Incoming { flow, kind, .. } => {
                    assert_eq!(kind, Kind::Tcp);
                    let start = start.expect("a flow without a SYN");
                    let incoming = Flow {
                        next: Some(start.wrapping_add(1)),
                        sent: 0,
                        incoming: true,
                        accepted: false,
                        established: false,
                    };
                    assert!(self.flows.insert(flow, incoming).is_none(), "a name twice");
                    if self.eager {
                        self.accept(host, flow);
                    }
                }
                Event::Established { flow } => {
                    let known = self.flow(flow);
                    assert!(known.accepted && !known.established);
                    known.established = true;
                    if !known.incoming {
                        // Where both ends open at once, the SYN came before: its bytes are not looked at.
                        known.next = start.map(|start| start.wrapping_add(1));
                    }
                }
                Event::Readable { flow } => {
                    assert!(self.flow(flow).established);
                    if self.eager {
                        self.take(host, flow, usize::MAX);
                    }
                }
                Event::Refused { flow, .. } => assert!(!self.flow(flow).incoming),
                Event::Finished { flow } | Event::Writable { flow } => {
                    assert!(self.flow(flow).accepted);
                }
                Event::Closed { flow, how } => {
                    let known = self.flows.remove(&flow).expect("an end without begin");
                    assert!(how != Closure::Orderly || known.established);
                }
                Event::Requested { .. }
                | Event::CarrierUp { .. }
                | Event::CarrierDown { .. }
                | Event::CarrierFull { .. }
                | Event::CarrierRoom { .. }
                | Event::Unread { .. } => {
                    panic!("there is no carrier")
                }
            }
        }
    }

    fn flow(&mut self, flow: FlowId) -> &mut Flow {
        self.flows.get_mut(&flow).expect("an event of no flow")
    }

    /// One of the flows, by any number.
    pub(super) fn any(&self, number: u8) -> Option<FlowId> {
        let place = usize::from(number).checked_rem(self.flows.len())?;
        self.flows.keys().nth(place).copied()
    }

    pub(super) fn accept(&mut self, host: &mut Host, flow: FlowId) {
        if host.stack.accept(host.now, flow).is_ok() {
            self.flow(flow).accepted = true;
        }
    }

    /// Takes some of what came, and holds it against what was sent.
    pub(super) fn take(&mut self, host: &mut Host, flow: FlowId, most: usize) {
        let Some(known) = self.flows.get_mut(&flow) else {
            return;
        };
        let mut left = most;
        while left > 0 {
            let taken = host.stack.receive(flow, &mut |held| {
                let taken = held.len().min(left);
                assert!(known.established, "bytes before the handshake");
                if let Some(next) = &mut known.next {
                    for (sequence, byte) in (0..).zip(&held[..taken]) {
                        assert_eq!(*byte, theirs(next.wrapping_add(sequence)), "a wrong byte");
                    }
                    *next = next.wrapping_add(taken as u32);
                }
                taken
            });
            self.taken += taken;
            left -= taken;
            if taken == 0 {
                return;
            }
        }
    }

    /// Sends some bytes.
    pub(super) fn send(&mut self, host: &mut Host, flow: FlowId, length: usize) {
        let Some(known) = self.flows.get_mut(&flow) else {
            return;
        };
        host.stack.send(flow, &mut |free| {
            let length = length.min(free.len());
            for (place, byte) in (0..).zip(&mut free[..length]) {
                *byte = ours(known.sent.wrapping_add(place));
            }
            known.sent = known.sent.wrapping_add(length as u32);
            length
        });
    }
}
