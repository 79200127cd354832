use std::os::fd::AsRawFd;

use super::{Bounds, Event, EventQueue, Level, LogRecord};
use crate::flow::{FlowId, Outcome, Traffic};
use crate::refusal::Refusal;

fn queue() -> EventQueue {
    EventQueue::new(Bounds {
        flows: 2,
        others: 3,
    })
    .unwrap()
}

fn log() -> Event {
    Event::Log(LogRecord {
        level: Level::Info,
        message: "something",
        fields: Vec::new(),
    })
}

fn readable(queue: &EventQueue) -> bool {
    let mut entry = libc::pollfd {
        fd: queue.descriptor().as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one valid entry, and the call does not keep it.
    let ready = unsafe { libc::poll(&raw mut entry, 1, 0) };
    ready == 1
}

#[test]
fn the_descriptor_is_readable_exactly_while_events_wait() {
    let queue = queue();
    assert!(!readable(&queue));
    queue.push(log());
    queue.push(log());
    assert!(readable(&queue));
    assert_eq!(queue.take().len(), 2);
    assert!(!readable(&queue));
    assert!(queue.take().is_empty());
    queue.push(log());
    assert!(readable(&queue));
}

#[test]
fn log_records_are_dropped_and_counted_and_flow_events_are_not() {
    let queue = queue();
    assert!(queue.admit());
    for _ in 0..5 {
        queue.push(log());
    }
    assert_eq!(queue.dropped(), 2);
    let last = Event::FlowClosed {
        flow: FlowId(1),
        outcome: Outcome::Orderly,
        traffic: Traffic::default(),
        reason: "",
    };
    queue.push(last.clone());
    let taken = queue.take();
    assert_eq!(taken.len(), 4);
    assert_eq!(taken.last(), Some(&last));
    queue.push(log());
    assert_eq!(queue.take().len(), 1, "taking makes room again");
}

#[test]
fn a_flow_keeps_its_place_until_its_last_event_was_taken() {
    let queue = queue();
    assert!(queue.admit() && queue.admit());
    assert!(!queue.admit());
    queue.push(Event::FlowRefused {
        flow: FlowId(1),
        reason: Refusal::Refused,
    });
    queue.take();
    assert!(!queue.admit(), "it was not the last");
    queue.push(Event::FlowClosed {
        flow: FlowId(1),
        outcome: Outcome::Refused,
        traffic: Traffic::default(),
        reason: "",
    });
    assert!(!queue.admit(), "the last one still waits");
    queue.take();
    assert!(queue.admit());
    assert!(!queue.admit());
    queue.cancel();
    assert!(queue.admit());
    queue.bound_flows(3);
    assert!(queue.admit());
    assert!(!queue.admit());
}
