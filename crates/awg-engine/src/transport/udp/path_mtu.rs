//! What the system knows of a path's MTU, for warnings about datagrams that would be fragmented.

use std::io;
use std::net::SocketAddr;

/// The MTU in bytes, IP header included, of the path to `remote` as far as the system knows it: the interface's, or less
/// if it has learnt so. No packet is sent. `fwmark` as in [`UdpSettings`](super::UdpSettings), since the route may depend on it.
///
/// # Errors
/// There is no route, or the system (anything but Linux) cannot say.
#[cfg(target_os = "linux")]
pub fn path_mtu(remote: SocketAddr, fwmark: Option<u32>) -> io::Result<usize> {
    use socket2::{Domain, Protocol, Socket, Type};
    use std::os::fd::AsRawFd;

    let socket = Socket::new(
        Domain::for_address(remote),
        Type::DGRAM,
        Some(Protocol::UDP),
    )?;
    if let Some(mark) = fwmark {
        super::socket::set_mark(&socket, mark)?;
    }
    socket.connect(&remote.into())?;
    let (level, name) = match remote {
        SocketAddr::V4(_) => (libc::IPPROTO_IP, libc::IP_MTU),
        SocketAddr::V6(_) => (libc::IPPROTO_IPV6, libc::IPV6_MTU),
    };
    let mut mtu: libc::c_int = 0;
    let mut len = size_of_val(&mtu) as libc::socklen_t;
    // SAFETY: the pointers describe `mtu` and its size, which outlive the call.
    let status = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            level,
            name,
            std::ptr::from_mut(&mut mtu).cast(),
            &raw mut len,
        )
    };
    if status != 0 {
        return Err(io::Error::last_os_error());
    }
    usize::try_from(mtu).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// As on Linux, but this system cannot say.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub fn path_mtu(_remote: SocketAddr, _fwmark: Option<u32>) -> io::Result<usize> {
    Err(io::ErrorKind::Unsupported.into())
}
