use std::io;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::Reporter;
use crate::event::{Level, LogRecord};

const SECOND: Duration = Duration::from_secs(1);

fn reporter(now: Instant) -> Reporter {
    Reporter::new(StdRng::from_seed([3; 32]), now)
}

fn field<'a>(record: &'a LogRecord, name: &str) -> &'a str {
    let found = record.fields.iter().find(|(field, _)| *field == name);
    found.map_or("", |(_, value)| value)
}

#[test]
fn keepalives_and_handshakes_wake_nobody() {
    let now = Instant::now();
    let mut reporter = reporter(now);
    let tunnel = awg_tunnel::Counters {
        datagrams_received: 9,
        keepalives_received: 4,
        initiations_received: 1,
        responses_received: 1,
        packets_received: 3,
        ..Default::default()
    };
    assert_eq!(reporter.next_timeout(&tunnel), None);
    assert_eq!(reporter.records(now + SECOND, &tunnel), []);
}

#[test]
fn drops_are_told_by_reason_once_a_second() {
    let now = Instant::now();
    let mut reporter = reporter(now);
    let mut tunnel = awg_tunnel::Counters {
        datagrams_received: 3,
        dropped_mac1: 2,
        dropped_replayed: 1,
        ..Default::default()
    };
    assert_eq!(reporter.next_timeout(&tunnel), Some(now));
    let records = reporter.records(now, &tunnel);
    let told: Vec<_> = records
        .iter()
        .map(|record| (field(record, "reason"), field(record, "count")))
        .collect();
    assert_eq!(told, [("mac1", "2"), ("replayed", "1")]);
    tunnel.datagrams_received += 5;
    tunnel.dropped_mac1 += 5;
    assert_eq!(reporter.records(now + SECOND / 2, &tunnel), []);
    assert_eq!(reporter.next_timeout(&tunnel), Some(now + SECOND));
    let records = reporter.records(now + SECOND, &tunnel);
    assert_eq!(records.len(), 1);
    assert_eq!(field(&records[0], "count"), "5");
    assert_eq!(reporter.next_timeout(&tunnel), None);
}

#[test]
fn what_a_peer_can_cause_is_warned_of_once_a_minute_and_counted_whole() {
    let now = Instant::now();
    let mut reporter = reporter(now);
    let tunnel = awg_tunnel::Counters::default();
    let mut warned = Vec::new();
    // Ten refused flows and a failed receive every second, for two minutes.
    for second in 0..=120 {
        reporter.counters.flows_refused_of_peer += 10;
        reporter.transport_failed(io::Error::from_raw_os_error(libc::ENOMEM));
        warned.extend(reporter.records(now + second * SECOND, &tunnel));
    }
    assert!(warned.iter().all(|record| record.level == Level::Warning));
    let refused: Vec<_> = warned
        .iter()
        .filter(|record| record.message == "flows were refused")
        .map(|record| field(record, "count"))
        .collect();
    assert_eq!(refused, ["10", "600", "600"]);
    assert_eq!(warned.len(), 6, "and three of failed receives");
}
