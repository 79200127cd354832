//! UDP on Linux, many datagrams a call: `sendmmsg(2)` of groups that the kernel cuts into datagrams (`UDP_SEGMENT`, GSO)
//! and `recvmmsg(2)` of datagrams that it joined (`UDP_GRO`); both in `udp(7)`.
//!
//! All that the calls need is allocated once. Where a group fails with an error that segmentation may be to blame for (`EIO`
//! or `EINVAL`: a card without checksum offload, a tunnel device) its datagrams are sent again one by one; if that works,
//! segmentation is turned off for good.

use std::io;
use std::mem::zeroed;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd, RawFd};
use std::ptr;

use socket2::SockAddr;

use super::super::{ReceiveBatch, SendBatch, SendProgress, Transport, TransportCounters};
use super::socket::{UdpSocket, canonical, set_option};

/// `UDP_MAX_SEGMENTS` of Linux before 6.9; later ones take more.
const MAX_SEGMENTS: usize = 64;
/// Groups in one call.
const MAX_GROUPS: usize = 64;

/// `sendmmsg(2)`, replaced in tests by one that fails as asked.
pub(super) type SendCall =
    unsafe extern "C" fn(libc::c_int, *mut libc::mmsghdr, libc::c_uint, libc::c_int) -> libc::c_int;

/// Room for the control messages of one message, aligned as `cmsghdr` wants it.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Control([u8; 64]);

/// What one direction hands to the kernel. The pointers in the headers are set before each call, to memory that stays
/// where it is until the call returns, and are never followed after it.
struct Headers {
    messages: Vec<libc::mmsghdr>,
    slices: Vec<libc::iovec>,
    addresses: Vec<libc::sockaddr_storage>,
    controls: Vec<Control>,
}

// SAFETY: the raw pointers in `messages` and `slices` are written before each call of the system and are not used after
// it, so that nothing is shared between threads through them.
unsafe impl Send for Headers {}

impl Headers {
    fn new(count: usize) -> Self {
        // SAFETY: all zero is a valid value of these C structures of integers and pointers.
        let (message, slice, address) = unsafe { (zeroed(), zeroed(), zeroed()) };
        Self {
            messages: vec![message; count],
            slices: vec![slice; count],
            addresses: vec![address; count],
            controls: vec![Control([0; 64]); count],
        }
    }

    /// Points message `index` at `bytes`, with its address and control room of the given sizes.
    fn set(
        &mut self,
        index: usize,
        bytes: *mut u8,
        len: usize,
        address_len: usize,
        control_len: usize,
    ) {
        let slice = &mut self.slices[index];
        *slice = libc::iovec {
            iov_base: bytes.cast(),
            iov_len: len,
        };
        let slice = ptr::from_mut(slice);
        let message = &mut self.messages[index];
        message.msg_len = 0;
        let header = &mut message.msg_hdr;
        header.msg_name = ptr::from_mut(&mut self.addresses[index]).cast();
        header.msg_namelen = address_len as libc::socklen_t;
        header.msg_iov = slice;
        header.msg_iovlen = 1;
        header.msg_control = if control_len == 0 {
            ptr::null_mut()
        } else {
            ptr::from_mut(&mut self.controls[index]).cast()
        };
        header.msg_controllen = control_len as _;
        header.msg_flags = 0;
    }
}

/// See the module.
pub(super) struct BatchedUdp {
    socket: UdpSocket,
    incoming: Headers,
    outgoing: Headers,
    /// Datagrams in each prepared group.
    groups: Vec<usize>,
    segmentation: bool,
    /// So many of the next datagrams go without segmentation, since as a group they failed.
    singly: usize,
    /// Whether segmentation is to blame for that, if they go now.
    suspected: bool,
    send_call: SendCall,
    counters: TransportCounters,
}

impl std::fmt::Debug for BatchedUdp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BatchedUdp")
            .field("socket", &self.socket)
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}

impl BatchedUdp {
    pub(super) fn new(socket: UdpSocket) -> Self {
        // Without GRO (before Linux 5.0) the datagrams arrive one by one.
        let _ = set_option(&socket, libc::SOL_UDP, libc::UDP_GRO, 1);
        Self {
            segmentation: supports_segmentation(&socket),
            socket,
            incoming: Headers::new(ReceiveBatch::DEFAULT_MESSAGES),
            outgoing: Headers::new(MAX_GROUPS),
            groups: Vec::with_capacity(MAX_GROUPS),
            singly: 0,
            suspected: false,
            send_call: libc::sendmmsg,
            counters: TransportCounters::default(),
        }
    }

    /// The same with its `sendmmsg` replaced.
    #[cfg(test)]
    pub(super) fn with_send_call(mut self, call: SendCall) -> Self {
        self.send_call = call;
        self
    }

    /// Turns segmentation and joining off, as on a kernel or a card without them.
    #[cfg(test)]
    pub(super) fn without_offload(mut self) -> Self {
        self.segmentation = false;
        set_option(&self.socket, libc::SOL_UDP, libc::UDP_GRO, 0)
            .expect("an option of every socket");
        self
    }

    #[cfg(test)]
    pub(super) fn socket(&self) -> &UdpSocket {
        &self.socket
    }

    /// Fills the headers with what is next in `batch`, until a destination that this socket cannot reach.
    fn prepare(&mut self, batch: &SendBatch) {
        self.groups.clear();
        let limit = if self.segmentation && self.singly == 0 {
            MAX_SEGMENTS
        } else {
            1
        };
        for (index, group) in batch.groups(limit).take(MAX_GROUPS).enumerate() {
            let Some(destination) = self.socket.destination(group.to) else {
                break;
            };
            let address = SockAddr::from(destination);
            // SAFETY: a `SockAddr` is a `sockaddr_storage` of which `len` bytes matter; the rest is initialised too.
            self.outgoing.addresses[index] =
                unsafe { *address.as_ptr().cast::<libc::sockaddr_storage>() };
            let segmented = group.datagrams > 1;
            // SAFETY: a computation on a constant.
            let control_len = if segmented {
                unsafe { libc::CMSG_SPACE(2) as usize }
            } else {
                0
            };
            // The kernel only reads what `sendmmsg` points to.
            let bytes = group.bytes.as_ptr().cast_mut();
            self.outgoing.set(
                index,
                bytes,
                group.bytes.len(),
                address.len() as usize,
                control_len,
            );
            if segmented {
                write_segment_size(&self.outgoing.messages[index].msg_hdr, group.segment as u16);
            }
            self.groups.push(group.datagrams);
        }
    }

    /// Counts the groups that went and takes them from the batch.
    fn advance(&mut self, batch: &mut SendBatch, groups: usize) {
        let datagrams = self.groups.iter().take(groups).sum();
        let bytes: usize = self
            .outgoing
            .slices
            .iter()
            .take(groups)
            .map(|slice| slice.iov_len)
            .sum();
        self.counters.send_calls += 1;
        self.counters.sent += datagrams as u64;
        self.counters.sent_bytes += bytes as u64;
        self.singly = self.singly.saturating_sub(datagrams);
        if self.suspected {
            self.suspected = false;
            self.segmentation = false;
        }
        batch.advance(datagrams);
    }

    /// Gives up the next datagram.
    fn drop_next(&mut self, batch: &mut SendBatch) {
        self.suspected = false;
        self.counters.unsendable += 1;
        self.singly = self.singly.saturating_sub(1);
        batch.advance(1);
    }
}

impl Transport for BatchedUdp {
    fn receive(&mut self, batch: &mut ReceiveBatch) -> io::Result<usize> {
        batch.clear();
        let mut count = 0;
        for (index, buffer) in batch
            .buffers()
            .take(self.incoming.messages.len())
            .enumerate()
        {
            let (address_len, control_len) =
                (size_of::<libc::sockaddr_storage>(), size_of::<Control>());
            self.incoming.set(
                index,
                buffer.as_mut_ptr(),
                buffer.len(),
                address_len,
                control_len,
            );
            count += 1;
        }
        let messages = loop {
            // SAFETY: the first `count` headers point at buffers, addresses and control room that are alive, disjoint
            // and of the sizes given.
            let received = unsafe {
                libc::recvmmsg(
                    self.socket.as_raw_fd(),
                    self.incoming.messages.as_mut_ptr(),
                    count,
                    libc::MSG_DONTWAIT,
                    ptr::null_mut(),
                )
            };
            if let Ok(messages) = usize::try_from(received) {
                break messages;
            }
            let error = io::Error::last_os_error();
            match error.raw_os_error() {
                Some(libc::EAGAIN) => return Ok(0),
                // Interrupted, or the report of a datagram that was sent earlier; reading it has cleared it.
                Some(
                    libc::EINTR
                    | libc::ECONNREFUSED
                    | libc::EHOSTUNREACH
                    | libc::ENETUNREACH
                    | libc::EMSGSIZE,
                ) => {}
                _ => return Err(error),
            }
        };
        let mut datagrams = 0;
        for (message, address) in self
            .incoming
            .messages
            .iter()
            .zip(&self.incoming.addresses)
            .take(messages)
        {
            let header = &message.msg_hdr;
            let cut = header.msg_flags & libc::MSG_TRUNC != 0;
            // A message that must be dropped keeps its buffer, as an empty one, so that the others stay in step.
            let len = if cut { 0 } else { message.msg_len as usize };
            let stride = segment_size(header).unwrap_or(len);
            let from =
                read_address(address).unwrap_or(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0));
            batch.push(from, len, stride);
            self.counters.truncated += u64::from(cut);
            self.counters.received_bytes += len as u64;
            datagrams += len.div_ceil(stride.max(1)).max(1);
        }
        // recvmmsg(2) also stops short at an error of the socket's; readiness tells of that, too. ICMP errors are none: the socket is
        // not connected, and does not ask for them.
        if messages < count as usize {
            batch.end();
        }
        self.counters.receive_calls += 1;
        self.counters.received += datagrams as u64;
        Ok(datagrams)
    }

    fn send(&mut self, batch: &mut SendBatch) -> SendProgress {
        let run = batch.socket();
        while run.is_some() && batch.socket() == run {
            self.prepare(batch);
            let Some(&first) = self.groups.first() else {
                self.drop_next(batch);
                continue;
            };
            // SAFETY: the first `groups.len()` headers point at bytes of the batch, addresses and control messages that
            // are alive and of the sizes given; the kernel writes to the headers alone.
            let sent = unsafe {
                (self.send_call)(
                    self.socket.as_raw_fd(),
                    self.outgoing.messages.as_mut_ptr(),
                    self.groups.len() as libc::c_uint,
                    libc::MSG_DONTWAIT,
                )
            };
            if let Ok(groups) = usize::try_from(sent)
                && groups > 0
            {
                self.advance(batch, groups);
                continue;
            }
            // The error is that of the first group; those before it, if any, were reported by the call before.
            match io::Error::last_os_error().raw_os_error() {
                Some(libc::EINTR) => {}
                Some(libc::EAGAIN) => return SendProgress::Blocked,
                Some(libc::ENOBUFS) => return SendProgress::Congested,
                Some(error) if first > 1 => {
                    self.singly = first;
                    self.suspected = matches!(error, libc::EIO | libc::EINVAL);
                }
                _ => self.drop_next(batch),
            }
        }
        SendProgress::Complete
    }

    fn local_address(&self) -> SocketAddr {
        self.socket.local_address()
    }

    fn descriptor(&self) -> Option<RawFd> {
        Some(self.socket.as_raw_fd())
    }

    fn counters(&self) -> TransportCounters {
        TransportCounters {
            segmentation: self.segmentation,
            ..self.counters
        }
    }
}

/// Whether the kernel knows `UDP_SEGMENT` (since 4.18).
fn supports_segmentation(socket: &UdpSocket) -> bool {
    let mut value: libc::c_int = 0;
    let mut len = size_of_val(&value) as libc::socklen_t;
    // SAFETY: the pointers describe `value` and its size, which outlive the call.
    let status = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_UDP,
            libc::UDP_SEGMENT,
            ptr::from_mut(&mut value).cast(),
            &raw mut len,
        )
    };
    status == 0
}

/// Writes the control message `UDP_SEGMENT` into the control room of `header`, which is `CMSG_SPACE(2)` long.
fn write_segment_size(header: &libc::msghdr, size: u16) {
    // SAFETY: `header` points at a `Control` of at least `CMSG_SPACE(2)` bytes, aligned for `cmsghdr`.
    unsafe {
        let control = libc::CMSG_FIRSTHDR(header);
        (*control).cmsg_level = libc::SOL_UDP;
        (*control).cmsg_type = libc::UDP_SEGMENT;
        (*control).cmsg_len = libc::CMSG_LEN(2) as _;
        libc::CMSG_DATA(control).cast::<u16>().write_unaligned(size);
    }
}

/// The size of the datagrams that the kernel joined, from the control message `UDP_GRO`.
fn segment_size(header: &libc::msghdr) -> Option<usize> {
    // SAFETY: the kernel filled the control room and set its length; the macros stay within it.
    unsafe {
        let mut control = libc::CMSG_FIRSTHDR(header);
        while let Some(message) = control.as_ref() {
            if message.cmsg_level == libc::SOL_UDP && message.cmsg_type == libc::UDP_GRO {
                let size = libc::CMSG_DATA(control)
                    .cast::<libc::c_int>()
                    .read_unaligned();
                return usize::try_from(size).ok().filter(|&size| size > 0);
            }
            control = libc::CMSG_NXTHDR(header, control);
        }
    }
    None
}

/// The sender's address; `None` if it is of neither family, which the kernel does not do.
fn read_address(storage: &libc::sockaddr_storage) -> Option<SocketAddr> {
    let pointer = ptr::from_ref(storage);
    match libc::c_int::from(storage.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says what the storage, which is large enough and aligned for it, holds.
            let v4 = unsafe { &*pointer.cast::<libc::sockaddr_in>() };
            let ip = Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr));
            Some(SocketAddrV4::new(ip, u16::from_be(v4.sin_port)).into())
        }
        libc::AF_INET6 => {
            // SAFETY: as above.
            let v6 = unsafe { &*pointer.cast::<libc::sockaddr_in6>() };
            let ip = Ipv6Addr::from(v6.sin6_addr.s6_addr);
            Some(canonical(
                SocketAddrV6::new(ip, u16::from_be(v6.sin6_port), 0, v6.sin6_scope_id).into(),
            ))
        }
        _ => None,
    }
}
