//! Acknowledgements that the peer did not send: how smoltcp is told of another window, and made to send a segment
//! again.

use std::net::IpAddr;

use super::Ends;
use crate::packet::{TCP, TCP_HEADER};

/// Room for an IPv6 and a TCP header.
pub(super) fn buffer() -> [u8; 60] {
    [0; 60]
}

/// Writes a bare acknowledgement from the remote end into `buffer`. Its checksums are left out: smoltcp does not look
/// at them here.
pub(super) fn acknowledgement<'b>(
    buffer: &'b mut [u8; 60],
    ends: &Ends,
    sequence: u32,
    acknowledgement: u32,
    window: u16,
) -> &'b [u8] {
    let start = match (ends.remote.ip(), ends.local.ip()) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            buffer[0] = 0x45;
            buffer[3] = 20 + TCP_HEADER as u8;
            buffer[8] = 64;
            buffer[9] = TCP;
            buffer[12..16].copy_from_slice(&source.octets());
            buffer[16..20].copy_from_slice(&destination.octets());
            20
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            buffer[0] = 0x60;
            buffer[5] = TCP_HEADER as u8;
            buffer[6] = TCP;
            buffer[7] = 64;
            buffer[8..24].copy_from_slice(&source.octets());
            buffer[24..40].copy_from_slice(&destination.octets());
            40
        }
        _ => return &[],
    };
    let tcp = &mut buffer[start..start + TCP_HEADER];
    tcp[0..2].copy_from_slice(&ends.remote.port().to_be_bytes());
    tcp[2..4].copy_from_slice(&ends.local.port().to_be_bytes());
    tcp[4..8].copy_from_slice(&sequence.to_be_bytes());
    tcp[8..12].copy_from_slice(&acknowledgement.to_be_bytes());
    tcp[12] = 5 << 4;
    tcp[13] = 0x10;
    tcp[14..16].copy_from_slice(&window.to_be_bytes());
    &buffer[..start + TCP_HEADER]
}
