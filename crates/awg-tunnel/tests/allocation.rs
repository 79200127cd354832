//! Data is sealed and opened without a single allocation, and without touching the alarm clock's order.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use awg_tunnel::{
    Interval, Now, Parameters, PeerConfig, PeerId, PrivateKey, Seal, Tunnel, TunnelConfig,
};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: hands everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is handed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn address(end: usize) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, end as u8 + 1], 51820))
}

fn inner(end: usize) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, end as u8 + 1)
}

/// Two ends with a session between them.
fn connected(now: Now, settings: &[(&str, &str)]) -> [(Tunnel, PeerId); 2] {
    let key = |end: usize| PrivateKey::from_bytes([end as u8 + 1; 32]);
    let mut ends = [0, 1].map(|end| {
        let parameters = Parameters::from_settings(settings.iter().copied()).unwrap();
        let mut tunnel = Tunnel::new(
            TunnelConfig::new(key(end), parameters, 1420),
            [end as u8; 32],
            now,
        )
        .unwrap();
        let peer = tunnel
            .add_peer(
                now,
                PeerConfig {
                    endpoint: Some(address(1 - end).into()),
                    allowed_ips: vec![IpAddr::from(inner(1 - end)).into()],
                    persistent_keepalive: Interval::every(25),
                    ..PeerConfig::new(key(1 - end).public_key())
                },
            )
            .unwrap();
        (tunnel, peer)
    });
    let mut datagram = Vec::new();
    for _ in 0..4 {
        for end in 0..2 {
            while ends[end].0.poll_transmit(now, &mut datagram).is_some() {
                ends[1 - end]
                    .0
                    .handle_datagram(now, address(end), &mut datagram);
            }
        }
    }
    ends
}

fn allocations_of(settings: &[(&str, &str)]) -> u64 {
    let start = Now {
        instant: Instant::now(),
        unix: Duration::from_hours(500_000),
    };
    let mut ends = connected(start, settings);
    let mut buffer = vec![0; 2000];
    let mut packet = vec![0; 1420];
    packet[0] = 0x45;
    packet[2..4].copy_from_slice(&1420u16.to_be_bytes());
    let mut round_trips = |count: u32, from: u32| {
        for number in from..from + count {
            let passed = Duration::from_millis(u64::from(number));
            let now = Now {
                instant: start.instant + passed,
                unix: start.unix + passed,
            };
            for end in 0..2 {
                let (tunnel, peer) = &mut ends[end];
                packet[12..16].copy_from_slice(&inner(end).octets());
                let headroom = tunnel.headroom(*peer);
                buffer[headroom..headroom + packet.len()].copy_from_slice(&packet);
                let Seal::Sealed { len, .. } = tunnel.seal(now, *peer, &mut buffer, packet.len())
                else {
                    panic!("there is a session");
                };
                let (tunnel, _) = &mut ends[1 - end];
                let inbound = tunnel
                    .handle_datagram(now, address(end), &mut buffer[..len])
                    .expect("a packet");
                assert_eq!(inbound.packet, packet);
                assert!(tunnel.next_timeout().is_some());
            }
        }
    };
    round_trips(10, 0);
    let before = ALLOCATIONS.with(Cell::get);
    round_trips(1000, 10);
    ALLOCATIONS.with(Cell::get) - before
}

#[test]
fn data_needs_no_allocation() {
    assert_eq!(allocations_of(&[]), 0);
    assert_eq!(
        allocations_of(&[("S4", "16"), ("H4", "3000000000-4294967295")]),
        0
    );
}
