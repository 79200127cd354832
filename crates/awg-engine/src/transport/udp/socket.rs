//! Binding: address families, the exclusive port, buffer sizes and the firewall mark.
//!
//! `SO_REUSEPORT` is not set before a port is bound: two servers that share a port would each get half of the datagrams without a
//! word, so the system refuses the second one, and one that sets the option is refused as well, since both would have to. Only
//! once an engine has a port for itself alone it is set, so that its further loops can bind the same port.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use socket2::{Domain, Protocol, Socket, Type};

use super::UdpSettings;

/// The size asked for each of a socket's two buffers, in bytes.
pub const BUFFER_SIZE: usize = 4 << 20;
#[cfg(target_os = "linux")]
const BUFFER_SIZE_OPTION: libc::c_int = 4 << 20;

/// Why a socket could not be bound.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another socket has the port, for instance a server of ours that is already running.
    #[error(
        "UDP {0} is in use: another server (perhaps awgproxy itself) already has this port; stop it or choose another ListenPort"
    )]
    InUse(SocketAddr),
    /// The system does not let this user have the port.
    #[error("UDP {0} is not allowed for this user: choose a ListenPort of 1024 or above")]
    Forbidden(SocketAddr),
    /// No interface has the address.
    #[error("UDP {0} cannot be bound: no interface of this machine has the address")]
    NoSuchAddress(SocketAddr),
    /// The firewall mark was refused.
    #[error(
        "FwMark {mark:#x} cannot be set: {source} (it needs Linux and the capability CAP_NET_ADMIN, or CAP_NET_RAW since Linux 5.17)"
    )]
    Mark {
        /// The mark.
        mark: u32,
        /// The system's answer.
        source: io::Error,
    },
    /// The batched kind was asked for where there is none.
    #[error("batched UDP is for Linux; use \"auto\" or \"portable\"")]
    NotBatched,
    /// Anything else.
    #[error("UDP {address} cannot be bound: {source}")]
    Other {
        /// The address.
        address: SocketAddr,
        /// The system's answer.
        source: io::Error,
    },
}

impl BindError {
    pub(super) fn new(address: SocketAddr, source: io::Error) -> Self {
        match source.raw_os_error() {
            Some(libc::EADDRINUSE) => Self::InUse(address),
            Some(libc::EACCES) => Self::Forbidden(address),
            Some(libc::EADDRNOTAVAIL) => Self::NoSuchAddress(address),
            _ => Self::Other { address, source },
        }
    }

    /// The system's error number, for callers that speak `errno`.
    pub fn raw_os_error(&self) -> Option<i32> {
        match self {
            Self::InUse(_) => Some(libc::EADDRINUSE),
            Self::Forbidden(_) => Some(libc::EACCES),
            Self::NoSuchAddress(_) => Some(libc::EADDRNOTAVAIL),
            Self::NotBatched => Some(libc::EOPNOTSUPP),
            Self::Mark { source, .. } | Self::Other { source, .. } => source.raw_os_error(),
        }
    }
}

/// How large the socket's buffers became, in bytes of what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocketBuffers {
    /// What was asked for each.
    pub wanted: usize,
    /// The receive buffer (`SO_RCVBUF`).
    pub receive: usize,
    /// The send buffer (`SO_SNDBUF`).
    pub send: usize,
}

impl SocketBuffers {
    /// Whether the system gave less than was asked for: on Linux `net.core.rmem_max` or `wmem_max` is too low.
    pub fn capped(&self) -> bool {
        self.receive.min(self.send) < self.wanted
    }
}

/// A bound, non-blocking socket and the family that its addresses must be given in.
#[derive(Debug)]
pub(super) struct UdpSocket {
    socket: Socket,
    local: SocketAddr,
}

impl UdpSocket {
    pub(super) fn ip(&self) -> IpAddr {
        self.local.ip()
    }

    pub(super) fn port(&self) -> u16 {
        self.local.port()
    }

    pub(super) fn local_address(&self) -> SocketAddr {
        canonical(self.local)
    }

    /// `to` in the family of this socket; `None` if it cannot be reached from it. Port 0 is nowhere: the system refuses it
    /// with the error by which it refuses segmentation.
    pub(super) fn destination(&self, to: SocketAddr) -> Option<SocketAddr> {
        match (self.local, to) {
            _ if to.port() == 0 => None,
            (SocketAddr::V6(_), SocketAddr::V4(v4)) => {
                Some(SocketAddrV6::new(v4.ip().to_ipv6_mapped(), v4.port(), 0, 0).into())
            }
            (SocketAddr::V4(_), SocketAddr::V6(v6)) => v6
                .ip()
                .to_ipv4_mapped()
                .map(|ip| SocketAddr::new(ip.into(), v6.port())),
            _ => Some(to),
        }
    }

    pub(super) fn as_socket(&self) -> &Socket {
        &self.socket
    }
}

impl AsFd for UdpSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl AsRawFd for UdpSocket {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

/// An address in its own family: IPv4 as IPv4, also where an IPv6 socket shows it mapped.
pub(super) fn canonical(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V6(v6) => match v6.ip().to_ipv4_mapped() {
            Some(v4) => SocketAddr::new(v4.into(), v6.port()),
            // The flow label is no part of who the sender is.
            None => SocketAddrV6::new(*v6.ip(), v6.port(), 0, v6.scope_id()).into(),
        },
        v4 @ SocketAddr::V4(_) => v4,
    }
}

/// Binds to `port` by `settings` and enlarges the buffers.
///
/// `beside`: another socket of this engine has the port, and [shares](share_port) it.
pub(super) fn bind(
    settings: &UdpSettings,
    port: u16,
    beside: bool,
) -> Result<(UdpSocket, SocketBuffers), BindError> {
    let bind_to = |address, mark| bind_to(address, mark, beside);
    let address = |ip| SocketAddr::new(ip, port);
    let socket = match settings.address {
        Some(ip) => bind_to(address(ip), settings.fwmark)?,
        None => match bind_to(address(Ipv6Addr::UNSPECIFIED.into()), settings.fwmark) {
            Err(BindError::NoSuchAddress(_)) => {
                bind_to(address(Ipv4Addr::UNSPECIFIED.into()), settings.fwmark)?
            }
            Err(BindError::Other { source, .. }) if no_ipv6(&source) => {
                bind_to(address(Ipv4Addr::UNSPECIFIED.into()), settings.fwmark)?
            }
            bound => bound?,
        },
    };
    let buffers = enlarge(&socket.socket);
    Ok((socket, buffers))
}

fn no_ipv6(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EAFNOSUPPORT | libc::EPROTONOSUPPORT | libc::ENOPROTOOPT)
    )
}

fn bind_to(address: SocketAddr, fwmark: Option<u32>, beside: bool) -> Result<UdpSocket, BindError> {
    let failed = |error| BindError::new(address, error);
    let socket = Socket::new(
        Domain::for_address(address),
        Type::DGRAM,
        Some(Protocol::UDP),
    )
    .map_err(failed)?;
    if let SocketAddr::V6(v6) = address {
        // "::" serves IPv4 as well, whatever net.ipv6.bindv6only says.
        socket
            .set_only_v6(!v6.ip().is_unspecified())
            .map_err(failed)?;
    }
    if let Some(mark) = fwmark {
        set_mark(&socket, mark).map_err(|source| BindError::Mark { mark, source })?;
    }
    socket.set_nonblocking(true).map_err(failed)?;
    if beside {
        share_port(&socket).map_err(failed)?;
    }
    socket.bind(&address.into()).map_err(failed)?;
    let local = socket
        .local_addr()
        .map_err(failed)?
        .as_socket()
        .unwrap_or(address);
    Ok(UdpSocket { socket, local })
}

/// Lets further sockets of this user have the port of this one, if they ask for it too.
pub(super) fn share_port(socket: &impl AsRawFd) -> io::Result<()> {
    set_option(socket, libc::SOL_SOCKET, libc::SO_REUSEPORT, 1)
}

#[cfg(target_os = "linux")]
pub(super) fn set_mark(socket: &Socket, mark: u32) -> io::Result<()> {
    socket.set_mark(mark)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn set_mark(_: &Socket, _: u32) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Asks for buffers of [`BUFFER_SIZE`]. A refusal is no error: the sizes that came out are the answer.
fn enlarge(socket: &Socket) -> SocketBuffers {
    #[cfg(target_os = "linux")]
    {
        // With CAP_NET_ADMIN the system's limit does not count.
        if set_option(
            socket,
            libc::SOL_SOCKET,
            libc::SO_RCVBUFFORCE,
            BUFFER_SIZE_OPTION,
        )
        .is_err()
        {
            let _ = socket.set_recv_buffer_size(BUFFER_SIZE);
        }
        if set_option(
            socket,
            libc::SOL_SOCKET,
            libc::SO_SNDBUFFORCE,
            BUFFER_SIZE_OPTION,
        )
        .is_err()
        {
            let _ = socket.set_send_buffer_size(BUFFER_SIZE);
        }
    }
    #[cfg(not(target_os = "linux"))]
    {
        // These systems refuse a size above their limit instead of giving the limit: ask for less until they agree.
        let halves = || std::iter::successors(Some(BUFFER_SIZE), |size| Some(size / 2)).take(6);
        let _ = halves().any(|size| socket.set_recv_buffer_size(size).is_ok());
        let _ = halves().any(|size| socket.set_send_buffer_size(size).is_ok());
    }
    // Linux books its own overhead in the buffer and answers twice what was asked for (socket(7)).
    let factor = if cfg!(target_os = "linux") { 2 } else { 1 };
    SocketBuffers {
        wanted: BUFFER_SIZE,
        receive: socket.recv_buffer_size().unwrap_or(0) / factor,
        send: socket.send_buffer_size().unwrap_or(0) / factor,
    }
}

/// Sets an option of type `int`.
pub(super) fn set_option(
    socket: &impl AsRawFd,
    level: libc::c_int,
    name: libc::c_int,
    value: libc::c_int,
) -> io::Result<()> {
    // SAFETY: the pointer and the length describe `value`, which outlives the call.
    let status = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            name,
            std::ptr::from_ref(&value).cast(),
            size_of_val(&value) as libc::socklen_t,
        )
    };
    if status == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
