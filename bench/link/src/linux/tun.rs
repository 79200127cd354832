//! The link between two network namespaces: a TUN device in each, and every IP packet passes. Needs root.
//!
//! Packets cross in the large form that the kernel has for rows of them where it can (see [`segments`]), but the link
//! between sees each by itself. Addresses, routes and the MTU are the caller's to set, and that the devices are up; so
//! is a long queue (`txqueuelen`): what it drops is no link's doing, and is seen in the devices' own counters.

use std::fs::{File, OpenOptions};
use std::io::{self, IoSlice, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;

use super::namespace::Namespace;
use super::{Drops, Ends, segments};
use crate::{Packet, Packets, Way};

/// From `linux/if_tun.h`.
const TUNSETIFF: libc::c_ulong = 0x4004_54ca;
const TUNSETOFFLOAD: libc::c_ulong = 0x4004_54d0;
/// Checksums, TCP over IPv4 and IPv6; then UDP (Linux 6.2).
const TCP_OFFLOAD: libc::c_ulong = 0x07;
const UDP_OFFLOAD: libc::c_ulong = 0x60;

/// Reads of one round from one device.
const READS: usize = 256;

/// See the module.
pub struct TunEnds {
    devices: [File; 2],
    descriptors: [RawFd; 2],
    buffer: Vec<u8>,
    head: Vec<u8>,
    drops: [Drops; 2],
}

impl TunEnds {
    /// Makes a device of this name in each of the namespaces; they are gone when this is.
    ///
    /// # Errors
    /// The program may not, or there is such a device.
    pub fn new(name: &str, near: &Namespace, far: &Namespace) -> io::Result<Self> {
        let devices = [near.within(|| device(name))?, far.within(|| device(name))?];
        Ok(Self {
            descriptors: devices.each_ref().map(AsRawFd::as_raw_fd),
            devices,
            buffer: vec![0; segments::HEADER + (1 << 16)],
            head: Vec::with_capacity(256),
            drops: [Drops::default(); 2],
        })
    }
}

fn device(name: &str) -> io::Result<File> {
    if name.is_empty() || name.len() >= libc::IFNAMSIZ {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("a device cannot be called {name:?}"),
        ));
    }
    let device = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NONBLOCK)
        .open("/dev/net/tun")
        .map_err(|error| io::Error::new(error.kind(), format!("/dev/net/tun: {error}")))?;
    // SAFETY: all zeroes are a valid request.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = libc::c_char::from_ne_bytes([from]);
    }
    request.ifr_ifru.ifru_flags =
        (libc::IFF_TUN | libc::IFF_NO_PI | libc::IFF_VNET_HDR) as libc::c_short;
    // SAFETY: the pointer is to a request as TUNSETIFF wants it, which outlives the call.
    if unsafe { libc::ioctl(device.as_raw_fd(), TUNSETIFF as _, &raw mut request) } != 0 {
        let error = io::Error::last_os_error();
        return Err(io::Error::new(
            error.kind(),
            format!("TUN device {name}: {error}"),
        ));
    }
    for offload in [TCP_OFFLOAD | UDP_OFFLOAD, TCP_OFFLOAD] {
        // SAFETY: no pointers. Without offload all packets come singly, which is slower and no different.
        if unsafe { libc::ioctl(device.as_raw_fd(), TUNSETOFFLOAD as _, offload) } == 0 {
            break;
        }
    }
    Ok(device)
}

impl Ends for TunEnds {
    fn receive(
        &mut self,
        way: Way,
        packets: &mut Packets,
        received: &mut Vec<Packet>,
    ) -> io::Result<()> {
        for _ in 0..READS {
            match self.devices[way as usize].read(&mut self.buffer) {
                Ok(len) => {
                    self.drops[way as usize].unplaced +=
                        segments::cut(&self.buffer[..len], packets, received);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn send(&mut self, way: Way, packets: &Packets, mut due: &[Packet]) {
        let mut device = &self.devices[1 - way as usize];
        let mut head = std::mem::take(&mut self.head);
        while !due.is_empty() {
            let row = segments::join(due, packets, &mut head);
            let (together, rest) = due.split_at(row.count.max(1));
            let mut slices = [IoSlice::new(&[]); segments::MOST + 1];
            slices[0] = IoSlice::new(&head);
            for (slice, packet) in slices[1..].iter_mut().zip(together) {
                *slice = IoSlice::new(&packets.bytes(*packet)[row.headers..]);
            }
            if device.write_vectored(&slices[..=together.len()]).is_err() {
                self.drops[way as usize].unsendable += together.len() as u64;
            }
            due = rest;
        }
        self.head = head;
    }

    fn descriptors(&self) -> &[RawFd] {
        &self.descriptors
    }

    fn overhead(&self) -> usize {
        0
    }

    fn drops(&self, way: Way) -> Drops {
        self.drops[way as usize]
    }
}

impl std::fmt::Debug for TunEnds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TunEnds")
            .field("drops", &self.drops)
            .finish_non_exhaustive()
    }
}
