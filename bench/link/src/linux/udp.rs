//! The link between UDP sockets: clients send to the near one, and reach one server from a far one each.
//!
//! As a NAT router does, every source at the near end has a socket of its own at the far one, so that the server tells
//! them apart. There may be [`SOURCES`] of them; datagrams of further ones are dropped and counted.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsRawFd, RawFd};

use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};

use super::namespace::Namespace;
use super::{Drops, Ends};
use crate::{Packet, Packets, Way};

/// Sources at the near end.
pub const SOURCES: usize = 256;
/// A grain of 200 µs at 10 Gbit/s are 250 KB; the rest is for a machine that is busy.
static SOCKET_BUFFER: libc::c_int = 16 << 20;
const BUFFER: usize = 1 << 16;
/// Calls that one round takes from one socket, so that no flood keeps it from the other direction.
const CALLS: usize = 8;

struct Port {
    socket: Socket,
    state: UdpSocketState,
}

impl Port {
    fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::DGRAM,
            Some(Protocol::UDP),
        )?;
        for option in [libc::SO_RCVBUFFORCE, libc::SO_SNDBUFFORCE] {
            // SAFETY: the pointer and the size describe a static. Without the right to it the buffers stay small.
            unsafe {
                libc::setsockopt(
                    socket.as_raw_fd(),
                    libc::SOL_SOCKET,
                    option,
                    (&raw const SOCKET_BUFFER).cast(),
                    size_of::<libc::c_int>() as libc::socklen_t,
                );
            }
        }
        let bound =
            |error: io::Error| io::Error::new(error.kind(), format!("UDP {address}: {error}"));
        socket.bind(&address.into()).map_err(bound)?;
        let state = UdpSocketState::new((&socket).into())?;
        Ok(Self { socket, state })
    }

    fn send(&self, destination: SocketAddr, contents: &[u8], segment: usize) -> io::Result<()> {
        let segment_size = (contents.len() > segment).then_some(segment);
        let transmit = Transmit {
            destination,
            ecn: None,
            contents,
            segment_size,
            src_ip: None,
        };
        self.state.try_send((&self.socket).into(), &transmit)
    }
}

struct Source {
    address: SocketAddr,
    port: Port,
}

/// See the module.
pub struct UdpEnds {
    near: Port,
    sources: Vec<Source>,
    server: SocketAddr,
    from: IpAddr,
    far_namespace: Option<Namespace>,
    descriptors: Vec<RawFd>,
    buffers: Vec<u8>,
    together: Vec<u8>,
    drops: [Drops; 2],
}

impl UdpEnds {
    /// Listens at `listen`, in `near`, and sends on to `server` from `from` (any address if `None`), in `far`; the
    /// namespaces are this thread's if they are `None`.
    ///
    /// # Errors
    /// An address cannot be had, or a namespace not be entered.
    pub fn new(
        listen: SocketAddr,
        near: Option<&Namespace>,
        server: SocketAddr,
        from: Option<IpAddr>,
        far: Option<Namespace>,
    ) -> io::Result<Self> {
        let near = within(near, || Port::bind(listen))?;
        let any: IpAddr = match server {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        Ok(Self {
            descriptors: vec![near.socket.as_raw_fd()],
            near,
            sources: Vec::new(),
            server,
            from: from.unwrap_or(any),
            far_namespace: far,
            buffers: vec![0; BUFFER * BATCH_SIZE],
            together: Vec::with_capacity(BUFFER),
            drops: [Drops::default(); 2],
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The system does not say.
    pub fn listening(&self) -> io::Result<SocketAddr> {
        let address = self.near.socket.local_addr()?;
        address
            .as_socket()
            .ok_or_else(|| io::ErrorKind::Unsupported.into())
    }

    /// The number of a source, which gets its far socket when it is first seen.
    fn source(&mut self, address: SocketAddr) -> Option<u16> {
        if let Some(known) = self
            .sources
            .iter()
            .position(|source| source.address == address)
        {
            return Some(known as u16);
        }
        if self.sources.len() >= SOURCES {
            return None;
        }
        let port = within(self.far_namespace.as_ref(), || {
            Port::bind((self.from, 0).into())
        })
        .ok()?;
        self.descriptors.push(port.socket.as_raw_fd());
        self.sources.push(Source { address, port });
        Some((self.sources.len() - 1) as u16)
    }

    /// One call of the system on the near socket (`None`) or on a source's far one; whether more may wait.
    fn receive_from(
        &mut self,
        source: Option<usize>,
        packets: &mut Packets,
        received: &mut Vec<Packet>,
    ) -> io::Result<bool> {
        let mut metas = [RecvMeta::default(); BATCH_SIZE];
        // The buffers are lent to the call, and borrowed again for what it found.
        let mut buffers = std::mem::take(&mut self.buffers);
        let port = source.map_or(&self.near, |source| &self.sources[source].port);
        let mut slices = buffers
            .chunks_mut(BUFFER)
            .map(IoSliceMut::new)
            .collect::<Vec<_>>();
        let messages = port
            .state
            .recv((&port.socket).into(), &mut slices, &mut metas);
        drop(slices);
        let way = if source.is_some() { Way::Down } else { Way::Up };
        let found = match messages {
            Ok(messages) => messages,
            Err(error) => {
                self.buffers = buffers;
                // What was reported of an earlier datagram (refused, unreachable) is as good as nothing.
                return match error.raw_os_error() {
                    Some(libc::EBADF | libc::ENOMEM) => Err(error),
                    _ => Ok(false),
                };
            }
        };
        for (meta, buffer) in metas.iter().take(found).zip(buffers.chunks(BUFFER)) {
            let note = match source {
                Some(source) if meta.addr == self.server => Some(source as u16),
                Some(_) => None,
                None => self.source(meta.addr),
            };
            for datagram in buffer[..meta.len].chunks(meta.stride.max(1)) {
                match note.and_then(|note| packets.take(datagram.len(), note)) {
                    Some((packet, place)) => {
                        place.copy_from_slice(datagram);
                        received.push(packet);
                    }
                    None => self.drops[way as usize].unplaced += 1,
                }
            }
        }
        self.buffers = buffers;
        Ok(found == BATCH_SIZE)
    }
}

impl Ends for UdpEnds {
    fn receive(
        &mut self,
        way: Way,
        packets: &mut Packets,
        received: &mut Vec<Packet>,
    ) -> io::Result<()> {
        let sockets = match way {
            Way::Up => 1,
            Way::Down => self.sources.len(),
        };
        for number in 0..sockets {
            let source = (way == Way::Down).then_some(number);
            for _ in 0..CALLS {
                if !self.receive_from(source, packets, received)? {
                    break;
                }
            }
        }
        Ok(())
    }

    fn send(&mut self, way: Way, packets: &Packets, mut due: &[Packet]) {
        while let Some(first) = due.first() {
            let source = &self.sources[usize::from(first.note)];
            let (port, destination) = match way {
                Way::Up => (&source.port, self.server),
                Way::Down => (&self.near, source.address),
            };
            let most = port
                .state
                .max_gso_segments()
                .min(BUFFER / first.len().max(1))
                .max(1);
            let mut count = 0;
            self.together.clear();
            for packet in due.iter().take(most) {
                if packet.note != first.note
                    || packet.len() > first.len()
                    || packet.is_empty() && count > 0
                {
                    break;
                }
                self.together.extend_from_slice(packets.bytes(*packet));
                count += 1;
                if packet.len() < first.len() {
                    break;
                }
            }
            if port.send(destination, &self.together, first.len()).is_err() {
                // Perhaps it was segmentation that failed.
                for packet in &due[..count] {
                    let sent = port.send(destination, packets.bytes(*packet), packet.len());
                    self.drops[way as usize].unsendable += u64::from(sent.is_err());
                }
            }
            due = &due[count..];
        }
    }

    fn descriptors(&self) -> &[RawFd] {
        &self.descriptors
    }

    fn overhead(&self) -> usize {
        if self.server.is_ipv4() { 28 } else { 48 }
    }

    fn drops(&self, way: Way) -> Drops {
        self.drops[way as usize]
    }
}

impl std::fmt::Debug for UdpEnds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UdpEnds")
            .field("server", &self.server)
            .field("sources", &self.sources.len())
            .finish_non_exhaustive()
    }
}

fn within<T>(
    namespace: Option<&Namespace>,
    inside: impl FnOnce() -> io::Result<T>,
) -> io::Result<T> {
    match namespace {
        Some(namespace) => namespace.within(inside),
        None => inside(),
    }
}
