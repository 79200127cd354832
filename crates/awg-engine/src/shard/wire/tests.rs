use std::net::SocketAddr;
use std::time::Instant;

use awg_obfuscation::Parameters;
use awg_tunnel::{Now, PrivateKey, Tunnel, TunnelConfig};

use super::{RETRY, Wire};
use crate::transport::memory::MemoryTransport;

#[test]
fn a_failed_receive_is_tried_again_without_a_report() {
    let now = Instant::now();
    let address = SocketAddr::from(([192, 0, 2, 1], 1));
    let (transport, _) = MemoryTransport::pair([address; 2], 0.0, [1; 32]);
    let tunnel = Tunnel::new(
        TunnelConfig::new(PrivateKey::from_bytes([1; 32]), Parameters::default(), 1420),
        [1; 32],
        Now {
            instant: now,
            unix: std::time::Duration::ZERO,
        },
    )
    .unwrap();
    let mut wire = Wire::new(Box::new(transport), &tunnel);
    wire.receive_failed(now);
    assert!(!wire.has_work(), "it does not spin");
    assert_eq!(wire.next_timeout(), Some(now + RETRY));
    wire.retry_receive(now + RETRY / 2);
    assert!(!wire.has_work());
    wire.retry_receive(now + RETRY);
    assert!(wire.has_work());
    assert_eq!(wire.next_timeout(), None);
}
