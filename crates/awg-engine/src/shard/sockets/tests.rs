//! Turns and failures, with transports that do as they are told.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixDatagram;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use awg_tunnel::{Endpoint, Local};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use super::{CONGESTION, RETRY, Socket, Sockets};
use crate::transport::{ReceiveBatch, SendBatch, SendProgress, Transport, TransportCounters};

/// What a socket is told to do, and what it was given to send.
#[derive(Debug, Default)]
struct Script {
    /// Answers to calls to receive: so many messages, or a failure. Nothing waits when none is left.
    receives: VecDeque<Option<usize>>,
    /// Answers to calls to send; `Complete` when none is left.
    sends: VecDeque<SendProgress>,
    sent: Vec<Vec<u8>>,
    /// Whether the transport knows that nothing waits behind what it receives.
    ends: bool,
    /// What tells of readiness.
    descriptor: Option<RawFd>,
}

#[derive(Debug)]
struct Scripted(u16, Arc<Mutex<Script>>);

impl Transport for Scripted {
    fn receive(&mut self, batch: &mut ReceiveBatch) -> io::Result<usize> {
        batch.clear();
        let Some(messages) = self
            .1
            .lock()
            .unwrap()
            .receives
            .pop_front()
            .unwrap_or(Some(0))
        else {
            return Err(io::ErrorKind::OutOfMemory.into());
        };
        for _ in 0..messages {
            batch.push(([192, 0, 2, 9], 9).into(), 1, 1);
        }
        if self.1.lock().unwrap().ends {
            batch.end();
        }
        Ok(messages)
    }

    fn send(&mut self, batch: &mut SendBatch) -> SendProgress {
        let mut script = self.1.lock().unwrap();
        let progress = script.sends.pop_front().unwrap_or(SendProgress::Complete);
        if progress == SendProgress::Complete {
            let groups: Vec<Vec<u8>> = batch.groups(1).map(|group| group.bytes.to_vec()).collect();
            batch.advance(groups.len());
            script.sent.extend(groups);
        }
        progress
    }

    fn local_address(&self) -> SocketAddr {
        ([192, 0, 2, 1], self.0).into()
    }

    fn descriptor(&self) -> Option<RawFd> {
        self.1.lock().unwrap().descriptor
    }

    fn counters(&self) -> TransportCounters {
        TransportCounters {
            sent: self.1.lock().unwrap().sent.len() as u64,
            segmentation: self.0 == 1,
            ..TransportCounters::default()
        }
    }
}

/// Sockets at the ports 1, 2, …, the last with the further obfuscation 1.
fn sockets(count: u16) -> (Sockets, Vec<Arc<Mutex<Script>>>) {
    let scripts: Vec<_> = (0..count)
        .map(|_| Arc::<Mutex<Script>>::default())
        .collect();
    let made = (1..).zip(&scripts).map(|(port, script)| Socket {
        transport: Box::new(Scripted(port, Arc::clone(script))),
        obfuscation: u16::from(port == count),
    });
    (Sockets::new(made.collect()), scripts)
}

fn by(socket: u16, port: u16) -> Endpoint {
    Endpoint {
        remote: ([192, 0, 2, 2], port).into(),
        local: Local {
            socket,
            obfuscation: 0,
        },
    }
}

/// The sockets that had something, in the order of their turns.
fn turns(sockets: &mut Sockets, now: Instant, most: usize) -> Vec<u16> {
    let mut batch = ReceiveBatch::new(2);
    let mut turns = Vec::new();
    while sockets.readable() > 0 && turns.len() < most {
        turns.extend(
            sockets
                .receive(now, &mut batch)
                .unwrap()
                .map(|local| local.socket),
        );
    }
    turns
}

#[test]
fn a_busy_socket_keeps_no_other_waiting() {
    let (mut sockets, scripts) = sockets(3);
    scripts[0].lock().unwrap().receives = vec![Some(2); 100].into();
    scripts[1].lock().unwrap().receives = vec![Some(1); 3].into();
    scripts[2].lock().unwrap().receives = vec![Some(1); 1].into();
    assert_eq!(
        turns(&mut sockets, Instant::now(), 9),
        [0, 1, 2, 0, 1, 0, 1, 0, 0]
    );
    assert_eq!(sockets.readable(), 1);
}

#[test]
fn a_socket_that_is_known_to_be_empty_is_not_asked() {
    let (mut sockets, scripts) = sockets(1);
    scripts[0].lock().unwrap().receives = [Some(1), Some(1)].into();
    scripts[0].lock().unwrap().ends = true;
    assert_eq!(turns(&mut sockets, Instant::now(), 9), [0]);
    assert_eq!(scripts[0].lock().unwrap().receives.len(), 1);
    sockets.expect_datagrams_everywhere();
    assert_eq!(turns(&mut sockets, Instant::now(), 9), [0]);
}

#[test]
fn what_came_in_is_known_by_its_socket_and_obfuscation() {
    let (mut sockets, scripts) = sockets(2);
    scripts[1].lock().unwrap().receives = [Some(1)].into();
    let mut batch = ReceiveBatch::new(1);
    assert_eq!(sockets.receive(Instant::now(), &mut batch).unwrap(), None);
    let local = Local {
        socket: 1,
        obfuscation: 1,
    };
    assert_eq!(
        sockets.receive(Instant::now(), &mut batch).unwrap(),
        Some(local)
    );
    assert_eq!(sockets.port(1), Some(2));
    assert_eq!(sockets.port(2), None);
}

#[test]
fn a_failed_receive_is_tried_again_without_a_report() {
    let now = Instant::now();
    let (mut sockets, scripts) = sockets(1);
    scripts[0].lock().unwrap().receives = [None, Some(1)].into();
    let mut batch = ReceiveBatch::new(1);
    sockets.receive(now, &mut batch).unwrap_err();
    assert_eq!(sockets.readable(), 0, "it does not spin");
    assert_eq!(sockets.next_timeout(), Some(now + RETRY));
    sockets.handle_timeout(now + RETRY / 2);
    assert_eq!(sockets.readable(), 0);
    sockets.handle_timeout(now + RETRY);
    assert_eq!(sockets.next_timeout(), None);
    assert_eq!(turns(&mut sockets, now + RETRY, 9), [0]);
}

#[test]
fn each_datagram_leaves_by_its_socket_in_order() {
    let (mut sockets, scripts) = sockets(3);
    let mut batch = SendBatch::new(8, 0);
    for (number, socket) in [1, 0, 2, 1, 0, 1].into_iter().enumerate() {
        assert!(batch.push(&[number as u8], by(socket, 7)));
    }
    assert_eq!(sockets.send(Instant::now(), &mut batch), None);
    assert!(batch.is_empty() && sockets.may_send());
    let sent = |socket: usize| scripts[socket].lock().unwrap().sent.concat();
    assert_eq!(
        [sent(0), sent(1), sent(2)],
        [vec![1, 4], vec![0, 3, 5], vec![2]]
    );
    let counters = sockets.counters();
    assert_eq!((counters.sent, counters.segmentation), (6, false));
}

#[test]
fn what_a_socket_does_not_take_waits_for_it() {
    let now = Instant::now();
    let (mut sockets, scripts) = sockets(2);
    scripts[0].lock().unwrap().sends = [SendProgress::Congested].into();
    let mut batch = SendBatch::new(8, 0);
    assert!(batch.push(b"a", by(1, 7)) && batch.push(b"b", by(0, 7)));
    assert_eq!(sockets.send(now, &mut batch), None);
    assert_eq!(batch.len(), 2);
    assert!(!sockets.may_send());
    assert_eq!(sockets.next_timeout(), Some(now + CONGESTION));
    sockets.handle_timeout(now + CONGESTION);
    assert!(sockets.may_send());
    assert_eq!(sockets.send(now + CONGESTION, &mut batch), None);
    assert!(batch.is_empty());
    assert_eq!(scripts[1].lock().unwrap().sent, [b"a"]);

    scripts[0].lock().unwrap().sends = [SendProgress::Blocked].into();
    assert!(batch.push(b"c", by(0, 7)));
    assert_eq!(sockets.send(now, &mut batch), Some(0));
    assert!(!sockets.may_send(), "until it is writable");
    assert_eq!(sockets.next_timeout(), None);
    sockets.leave_alone(now);
    assert_eq!(sockets.next_timeout(), Some(now + CONGESTION));
}

#[test]
fn only_a_full_socket_tells_that_it_takes_more() {
    let (mut sockets, scripts) = sockets(1);
    let (ours, _theirs) = UnixDatagram::pair().unwrap();
    let mut poll = Poll::new().unwrap();
    let (token, descriptor) = (Token(7), ours.as_raw_fd());
    let mut source = SourceFd(&descriptor);
    let registry = poll.registry();
    registry
        .register(&mut source, token, Interest::READABLE)
        .unwrap();
    scripts[0].lock().unwrap().descriptor = Some(descriptor);
    let mut reports = Events::with_capacity(8);
    poll.poll(&mut reports, Some(Duration::ZERO)).unwrap();
    assert!(reports.is_empty(), "it is writable, and nobody cares");

    scripts[0].lock().unwrap().sends = [SendProgress::Blocked].into();
    let mut batch = SendBatch::new(8, 0);
    assert!(batch.push(b"a", by(0, 7)));
    let full = sockets.send(Instant::now(), &mut batch).unwrap();
    let both = Interest::READABLE | Interest::WRITABLE;
    sockets.watch(poll.registry(), full, token, both).unwrap();
    poll.poll(&mut reports, Some(Duration::from_secs(5)))
        .unwrap();
    let report = reports.iter().next().unwrap();
    assert!(sockets.handle_readiness(full, report) && sockets.may_send());
    assert!(!sockets.handle_readiness(full, report), "once");
}

#[test]
fn what_names_no_socket_is_dropped_and_counted() {
    let (mut sockets, scripts) = sockets(1);
    let mut batch = SendBatch::new(8, 0);
    assert!(batch.push(b"a", by(5, 7)) && batch.push(b"b", by(5, 8)) && batch.push(b"c", by(0, 7)));
    assert_eq!(sockets.send(Instant::now(), &mut batch), None);
    assert!(batch.is_empty());
    assert_eq!(scripts[0].lock().unwrap().sent, [b"c"]);
    assert_eq!(sockets.counters().unsendable, 2);
}
