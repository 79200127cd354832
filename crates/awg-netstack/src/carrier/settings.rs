//! How QUIC is set up for a carrier. The tunnel under it has what is off here: padding, keepalives, timeouts, roaming, address
//! validation; and its MTU is known.

use std::sync::Arc;
use std::time::Duration;

use noq_proto::{
    ClientConfig, ConnectionId, EndpointConfig, NoneTokenStore, ServerConfig, TransportConfig,
    VarInt,
};

use super::company::Mixed;
use super::congestion;
use super::keys::{Ids, ResetKey};
use super::null::{NoTokens, Null, PARAMETERS};
use super::pieces::Load;
use super::request::VERSION;
use crate::limits::Limits;

/// The smallest datagram that QUIC asks of a path (RFC 9000 section 14).
pub(super) const LEAST_DATAGRAM: u16 = 1200;

/// Bytes of QUIC datagrams that wait for the embedder or for the path.
pub(super) const DATAGRAM_BUFFER: usize = 1 << 20;

/// What both ends of the carrier may hold, from [`Limits`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Windows {
    /// Bytes that one stream may hold at its receiver.
    pub(super) stream: u64,
    /// Of these, those that it may bring before anything of it was read.
    pub(super) first: u64,
    /// Bytes that all may hold together while none is stuck.
    pub(super) base: u64,
    /// And however many are.
    pub(super) most: u64,
    /// With less than that left of it there is no room.
    pub(super) least: u64,
    /// Pieces of one stream that may wait, and of all.
    pub(super) pieces: Load,
    pub(super) all_pieces: u32,
}

impl Windows {
    pub(super) fn new(limits: &Limits) -> Self {
        // What comes behind a hole waits for it, for two or three round trips more where packets are lost again and again: a path
        // needs four times what it holds.
        let flow = limits.buffer_bytes_per_flow as u64;
        let stream = (flow * 5 / 2).max(64 << 10);
        let most = 6 * stream;
        Self {
            stream,
            first: stream * 2 / 5,
            base: stream + stream / 2,
            most,
            least: stream / 16,
            pieces: Load::of_window(stream),
            all_pieces: Load::of_window(most).pieces,
        }
    }
}

fn varint(value: u64) -> VarInt {
    VarInt::from_u64(value).unwrap_or(VarInt::MAX)
}

/// Streams that a peer may have open: more than it may have flows, so that one too many is told so.
pub(super) fn streams(limits: &Limits) -> u64 {
    let flows = limits.flows_per_peer as u64;
    2 * flows + 64
}

/// Datagrams of `size` bytes, and so many streams of the other end's; `mixed` is what the link knows of who sends.
fn transport(limits: &Limits, size: u16, streams: u64, mixed: Mixed) -> Arc<TransportConfig> {
    let windows = Windows::new(limits);
    let congestion = congestion::Settings { initial: 32, mixed };
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(varint(streams))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .max_idle_timeout(None)
        .keep_alive_interval(None)
        .stream_receive_window(varint(windows.stream))
        .receive_window(varint(windows.base))
        .send_window(windows.base)
        .send_fairness(true)
        .initial_rtt(Duration::from_millis(100))
        .initial_mtu(size)
        .min_mtu(size)
        .mtu_discovery_config(None)
        .pad_to_mtu(false)
        .allow_spin(false)
        .crypto_buffer_size(2 * PARAMETERS)
        .datagram_receive_buffer_size(Some(DATAGRAM_BUFFER))
        .datagram_send_buffer_size(DATAGRAM_BUFFER)
        .congestion_controller_factory(Arc::new(congestion))
        .enable_segmentation_offload(true);
    Arc::new(transport)
}

/// An endpoint's own.
pub(super) fn endpoint(reset_key: [u8; 32], seed: [u8; 32], size: u16) -> Arc<EndpointConfig> {
    let mut config = EndpointConfig::new(Arc::new(ResetKey::new(reset_key)));
    config
        .supported_versions(vec![VERSION])
        .grease_quic_bit(false)
        .min_reset_interval(Duration::from_millis(1))
        .rng_seed(Some(seed))
        .cid_generator(Arc::new(move || Box::new(Ids::new(seed))));
    // Below 1,200 bytes there is no carrier.
    let _ = config.max_udp_payload_size(size.max(LEAST_DATAGRAM));
    Arc::new(config)
}

fn null(limits: &Limits) -> Arc<Null> {
    let first = varint(Windows::new(limits).first);
    Arc::new(Null { first })
}

/// The side that listens.
pub(super) fn server(limits: &Limits, size: u16, mixed: Mixed) -> Arc<ServerConfig> {
    let mut config = ServerConfig::new(null(limits), Arc::new(NoTokens));
    config
        .transport_config(transport(limits, size, streams(limits), mixed))
        .migration(false)
        .max_incoming(2)
        .incoming_buffer_size(64 << 10)
        .incoming_buffer_size_total(64 << 10);
    Arc::new(config)
}

/// The side that connects; `id` is the random name that the server is given until it says its own.
pub(super) fn client(limits: &Limits, size: u16, id: [u8; 8], mixed: Mixed) -> ClientConfig {
    let mut config = ClientConfig::new(null(limits));
    config
        .transport_config(transport(limits, size, 0, mixed))
        .version(VERSION)
        .token_store(Arc::new(NoneTokenStore))
        .initial_dst_cid_provider(Arc::new(move || ConnectionId::new(&id)));
    config
}
