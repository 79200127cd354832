//! What a configured peer costs that was never heard of: bytes on the heap, counted by the allocator.

use std::alloc::{GlobalAlloc, Layout, System};
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use awg_engine::{Engine, EngineSettings};
use awg_tunnel::{PeerConfig, PresharedKey, PrivateKey};

const PEERS: usize = 1000;
/// Beside what Python keeps of a peer, this leaves it far below 4 KB.
const MOST: usize = 2048;

struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);

// SAFETY: hands everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise is handed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes that an engine with so many peers holds.
fn held_with(peers: usize) -> usize {
    let before = HELD.load(Ordering::Relaxed);
    let mut settings = EngineSettings::new(PrivateKey::from_bytes([255; 32]));
    settings.addresses = vec!["10.0.0.1".parse().unwrap()];
    settings.accept_flows = true.into();
    settings.stay_connected = false;
    settings.peers = (0..peers)
        .map(|number| {
            let [high, low] = (number as u16).to_be_bytes();
            let mut key = [1; 32];
            key[1..3].copy_from_slice(&[high, low]);
            PeerConfig {
                preshared_key: Some(PresharedKey::from_bytes([1; 32])),
                allowed_ips: vec![IpAddr::from([10, 1, high, low]).into()],
                ..PeerConfig::new(PrivateKey::from_bytes(key).public_key())
            }
            .into()
        })
        .collect();
    let engine = Engine::new(settings).unwrap();
    engine.start().unwrap();
    // Only what runs answers: what the start alone needed is gone by then.
    assert_eq!(engine.snapshot().unwrap().peers.len(), peers);
    let held = HELD.load(Ordering::Relaxed) - before;
    engine.stop();
    held
}

#[test]
fn a_peer_that_was_never_heard_of_takes_little_memory() {
    held_with(1);
    let each = (held_with(PEERS) - held_with(1)) / (PEERS - 1);
    assert!(each <= MOST, "{each} bytes a peer");
    println!("{each} bytes a peer");
}
