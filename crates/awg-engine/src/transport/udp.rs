//! The transport `udp`: the tunnel's datagrams as UDP datagrams, as every AmneziaWG has them.
//!
//! Two kinds behind one face, chosen at run time by [`UdpKind`]: `batched` for Linux, where one call of the system
//! moves hundreds of datagrams, and `portable` for everything else. A socket is IPv4, IPv6, or both (bound to `::`);
//! addresses always appear in their own family, never as IPv4-mapped IPv6.
//!
//! What it deliberately does not: path MTU discovery. A datagram larger than the path's MTU is fragmented by IP, as with
//! wireguard-go, which leaves the socket's setting alone. No DSCP and no ECN are set.
//! Nor does a socket remember at which of several local addresses a peer's datagrams arrived: answers leave from the one that the
//! route gives, so a machine with several that must not be mixed is told one to bind.

#[cfg(target_os = "linux")]
mod batched;
mod path_mtu;
mod portable;
mod socket;
mod steering;

#[cfg(test)]
mod tests;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::RawFd;

use super::Transport;
pub use path_mtu::path_mtu;
pub use socket::{BUFFER_SIZE, BindError, SocketBuffers};
pub(crate) use steering::steer;

/// Which implementation moves the datagrams.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UdpKind {
    /// Batched where there is one, else portable.
    #[default]
    Auto,
    /// `sendmmsg` and `recvmmsg` with GSO and GRO; Linux.
    Batched,
    /// By `quinn-udp`; every platform.
    Portable,
}

/// How to bind.
#[derive(Debug, Clone, Default)]
pub struct UdpSettings {
    /// The local address; `None` = all, IPv4 and IPv6 (IPv4 alone where the system has no IPv6).
    pub address: Option<IpAddr>,
    /// `FwMark` for the sent packets, Linux only; needs `CAP_NET_ADMIN`, or `CAP_NET_RAW` since Linux 5.17.
    pub fwmark: Option<u32>,
    /// The implementation.
    pub kind: UdpKind,
}

/// Binds a socket to `port` (0 = any free one) by `settings`. Also says how large its buffers became, since the system may cap them.
///
/// # Errors
/// See [`BindError`]; in particular another process already serves the port.
pub fn open(
    settings: &UdpSettings,
    port: u16,
) -> Result<(Box<dyn Transport>, SocketBuffers), BindError> {
    open_either(settings, port, false)
}

/// Binds a further socket to a port of this engine's that is [shared](share_port); otherwise as [`open`].
///
/// # Errors
/// See [`BindError`].
pub(crate) fn open_beside(
    settings: &UdpSettings,
    port: u16,
) -> Result<(Box<dyn Transport>, SocketBuffers), BindError> {
    open_either(settings, port, true)
}

/// Lets further sockets of this engine have the port of a bound one: each datagram then comes to one of them.
///
/// # Errors
/// The system refuses.
pub(crate) fn share_port(descriptor: RawFd) -> io::Result<()> {
    socket::share_port(&descriptor)
}

fn open_either(
    settings: &UdpSettings,
    port: u16,
    beside: bool,
) -> Result<(Box<dyn Transport>, SocketBuffers), BindError> {
    let (socket, buffers) = socket::bind(settings, port, beside)?;
    let local = SocketAddr::new(socket.ip().to_canonical(), socket.port());
    let transport: Box<dyn Transport> = match settings.kind {
        UdpKind::Portable => {
            Box::new(portable::PortableUdp::new(socket).map_err(|e| BindError::new(local, e))?)
        }
        #[cfg(target_os = "linux")]
        UdpKind::Auto | UdpKind::Batched => Box::new(batched::BatchedUdp::new(socket)),
        #[cfg(not(target_os = "linux"))]
        UdpKind::Auto => {
            Box::new(portable::PortableUdp::new(socket).map_err(|e| BindError::new(local, e))?)
        }
        #[cfg(not(target_os = "linux"))]
        UdpKind::Batched => return Err(BindError::NotBatched),
    };
    Ok((transport, buffers))
}
