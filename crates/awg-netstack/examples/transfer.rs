//! Moves a gigabyte through one flow between two stacks in memory and prints the CPU time that it took: the stack's own
//! share of a transfer, both ends together.
//!
//! `cargo run --release -p awg-netstack --example transfer [gigabytes] [carrier]`, or `perf record` of the same. With `carrier`
//! the flow is a QUIC stream instead of a TCP connection.

use std::time::{Duration, Instant};

use awg_netstack::{
    CarrierConfig, Event, FlowId, Limits, PacketSink, Peer, Stack, StackConfig, Target,
};

const MTU: usize = 1420;
/// Packets of one batch, as a system call receives or sends them.
const BATCH: usize = 64;
const PEER: Peer = Peer(0);
const PORT: u16 = 51_443;

/// One batch of packets, in buffers that are used again.
struct Batch {
    buffers: Vec<[u8; MTU]>,
    lengths: Vec<usize>,
}

impl Batch {
    fn new() -> Self {
        Self {
            buffers: vec![[0; MTU]; BATCH],
            lengths: Vec::with_capacity(BATCH),
        }
    }
}

impl PacketSink for Batch {
    fn has_room(&self) -> bool {
        self.lengths.len() < BATCH
    }

    fn packet(&mut self, _: Peer, length: usize, emit: &mut dyn FnMut(&mut [u8])) {
        if let Some(buffer) = self.buffers.get_mut(self.lengths.len()) {
            emit(&mut buffer[..length]);
            self.lengths.push(length);
        }
    }
}

fn stack(address: &str, accept: bool, seed: u8, now: Instant) -> Stack {
    let config = StackConfig {
        addresses: vec![address.parse().expect("an address")],
        mtu: MTU as u16,
        accept: accept.into(),
        limits: Limits::default(),
    };
    let mut stack = Stack::new(config, [seed; 32], now);
    stack.set_carrier(CarrierConfig {
        listen: accept.then_some(PORT),
        reset_key: [seed; 32],
    });
    stack
}

/// Opens the flow of the client's that the bytes come down.
fn open(client: &mut Stack, server: &mut Stack, batch: &mut Batch, carried: bool) -> FlowId {
    let mut now = Instant::now();
    let target = "192.0.2.1:80".parse().expect("an address");
    if !carried {
        return client.connect(now, PEER, None, target).expect("room");
    }
    let at = ([10, 0, 0, 1], PORT).into();
    client.carry(now, PEER, Some(at));
    while !client.is_carried(PEER) {
        now = Instant::now();
        carry(client, server, batch, now);
        carry(server, client, batch, now);
        while server.poll_event().is_some() || client.poll_event().is_some() {}
    }
    client
        .open_stream(now, PEER, &Target::Address(target), b"")
        .expect("room")
}

/// Carries one batch from a stack to the other. Returns the packets.
fn carry(from: &mut Stack, to: &mut Stack, batch: &mut Batch, now: Instant) -> u64 {
    batch.lengths.clear();
    from.poll_transmit(now, batch);
    for (buffer, length) in batch.buffers.iter_mut().zip(&batch.lengths) {
        to.handle_packet(now, PEER, &mut buffer[..*length]);
    }
    batch.lengths.len() as u64
}

fn cpu() -> Duration {
    // SAFETY: plain output parameter of a call that cannot fail for this clock.
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    Duration::new(
        time.tv_sec.unsigned_abs(),
        time.tv_nsec.unsigned_abs() as u32,
    )
}

fn main() {
    let gigabytes: u64 = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(1);
    let total = gigabytes * 1_000_000_000;
    let mut now = Instant::now();
    let mut client = stack("10.0.0.2", false, 1, now);
    let mut server = stack("10.0.0.1", true, 2, now);
    let mut batch = Batch::new();
    let carried = std::env::args().nth(2).as_deref() == Some("carrier");
    let ours = open(&mut client, &mut server, &mut batch, carried);
    let mut theirs: Option<FlowId> = None;
    let source = vec![0x5a; 256 * 1024];
    let mut sink = vec![0; 256 * 1024];
    let (mut sent, mut received) = (0_u64, 0_u64);
    let (mut down, mut up) = (0, 0);
    let before = cpu();
    let began = Instant::now();
    while received < total {
        now = Instant::now();
        server.handle_timeout(now, |_| Some(now));
        client.handle_timeout(now, |_| Some(now));
        while let Some(event) = server.poll_event() {
            if let Event::Incoming { flow, .. } | Event::Requested { flow, .. } = event {
                server.accept(now, flow).expect("a waiting flow");
                theirs = Some(flow);
            }
        }
        if let Some(flow) = theirs {
            // As a relay does it: read once per round, no more than a socket gives.
            let written = server.send(flow, &mut |free| {
                let count = free.len().min(source.len());
                free[..count].copy_from_slice(&source[..count]);
                count
            });
            sent += written as u64;
        }
        down += carry(&mut server, &mut client, &mut batch, now);
        while client.poll_event().is_some() {}
        loop {
            let taken = client.receive(ours, &mut |held| {
                let count = held.len().min(sink.len());
                sink[..count].copy_from_slice(&held[..count]);
                count
            });
            if taken == 0 {
                break;
            }
            received += taken as u64;
        }
        up += carry(&mut client, &mut server, &mut batch, now);
    }
    let (used, took) = (cpu().saturating_sub(before), began.elapsed());
    let per_gigabyte = used.as_secs_f64() / (received as f64 / 1e9);
    println!(
        "{:.2} GB sent, {:.2} GB received in {:.2} s: {:.1} Gbit/s",
        sent as f64 / 1e9,
        received as f64 / 1e9,
        took.as_secs_f64(),
        received as f64 * 8.0 / took.as_secs_f64() / 1e9
    );
    println!("{per_gigabyte:.3} CPU seconds per GB, both ends and both copies of the embedder");
    println!("{down} packets down, {up} up");
    if carried {
        println!("{:#?}", server.counters().carrier);
    } else {
        println!("{:#?}", server.counters().tcp);
    }
}
