//! smoltcp's view of the network: at most one packet in, and packets out through an [`Outlet`] ([`Wire`], [`Link`]).

use std::time::{Duration, Instant};

use smoltcp::iface::{Config, Interface};
use smoltcp::phy::{ChecksumCapabilities, Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::time::Instant as Clock;
use smoltcp::wire::HardwareAddress;

/// Where a machine's packets go. Their checksums are not filled in yet.
pub(crate) trait Outlet {
    /// Whether one more packet fits.
    fn has_room(&self) -> bool;
    /// Takes a packet of `length` bytes that `emit` writes.
    fn packet(&mut self, length: usize, emit: &mut dyn FnMut(&mut [u8]));
}

/// What all flows share: one smoltcp interface for each packet size in use, and the clock's origin. It holds no flow,
/// so it costs the same however many there are.
pub(crate) struct Link {
    interfaces: Vec<(u16, Interface)>,
    origin: Instant,
}

/// Which of a link's packet sizes a flow uses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Size(u8);

/// Distinct packet sizes that a link keeps; a path that wants yet another gets the next smaller one.
const SIZES: usize = 16;
/// The smallest packets that IPv4 paths are assumed to take (RFC 1122 section 3.3.3), and IPv6 paths must (RFC 8200
/// section 5).
pub(crate) const SMALLEST_V4: u16 = 576;
pub(crate) const SMALLEST_V6: u16 = 1280;

impl Link {
    pub(crate) fn new(mtu: u16, seed: u64, origin: Instant) -> Self {
        let sizes = [mtu, SMALLEST_V6.min(mtu), SMALLEST_V4.min(mtu)];
        let interfaces = sizes
            .into_iter()
            .zip(0..)
            .map(|(size, number)| (size, interface(size, seed.wrapping_add(number))))
            .collect();
        Self { interfaces, origin }
    }

    /// The size that flows begin with.
    pub(super) fn full() -> Size {
        Size(0)
    }

    /// The largest size that is at most `mtu`; below the smallest, the smallest.
    pub(super) fn size_within(&mut self, mtu: u16) -> Size {
        let exists = self.interfaces.iter().any(|(size, _)| *size == mtu);
        if !exists && mtu > SMALLEST_V4 && self.interfaces.len() < SIZES {
            let seed = u64::from(mtu) ^ u64::from(self.mtu(Self::full()));
            self.interfaces.push((mtu, interface(mtu, seed)));
        }
        let fitting = |(_, (size, _)): &(usize, &(u16, Interface))| *size <= mtu;
        let best = self
            .interfaces
            .iter()
            .enumerate()
            .filter(fitting)
            .max_by_key(|(_, (size, _))| *size)
            .or_else(|| {
                self.interfaces
                    .iter()
                    .enumerate()
                    .min_by_key(|(_, (size, _))| *size)
            });
        Size(best.map_or(0, |(index, _)| index as u8))
    }

    pub(super) fn mtu(&self, size: Size) -> u16 {
        self.interfaces
            .get(usize::from(size.0))
            .map_or(SMALLEST_V4, |(mtu, _)| *mtu)
    }

    /// The interface of a size.
    pub(super) fn interface(&mut self, size: Size) -> &mut Interface {
        let index = usize::from(size.0).min(self.interfaces.len().saturating_sub(1));
        &mut self.interfaces[index].1
    }

    /// smoltcp's time, for a flow whose clock runs `lead` ahead. It begins at an hour, since smoltcp takes zero for
    /// "never".
    pub(super) fn clock(&self, now: Instant, lead: Duration) -> Clock {
        let elapsed = now.saturating_duration_since(self.origin) + lead;
        Clock::from_micros(
            i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX / 4) + 3_600_000_000,
        )
    }
}

fn interface(mtu: u16, seed: u64) -> Interface {
    let mut config = Config::new(HardwareAddress::Ip);
    config.random_seed = seed;
    let mut nowhere = Nowhere;
    let mut wire = Wire {
        mtu,
        inbound: None,
        outlet: &mut nowhere,
    };
    let mut interface = Interface::new(config, &mut wire, Clock::ZERO);
    // Flows are found by their addresses before smoltcp sees a packet: any destination may be ours.
    interface.set_any_ip(true);
    interface
}

struct Nowhere;

impl Outlet for Nowhere {
    fn has_room(&self) -> bool {
        false
    }

    fn packet(&mut self, _: usize, _: &mut dyn FnMut(&mut [u8])) {}
}

/// smoltcp's device for the time of one call.
pub(super) struct Wire<'a> {
    pub(super) mtu: u16,
    pub(super) inbound: Option<&'a [u8]>,
    pub(super) outlet: &'a mut dyn Outlet,
}

impl Device for Wire<'_> {
    type RxToken<'t>
        = Inbound<'t>
    where
        Self: 't;
    type TxToken<'t>
        = Outbound<'t>
    where
        Self: 't;

    fn receive(&mut self, _: Clock) -> Option<(Inbound<'_>, Outbound<'_>)> {
        let packet = self.inbound.take()?;
        Some((Inbound(packet), Outbound(self.outlet)))
    }

    fn transmit(&mut self, _: Clock) -> Option<Outbound<'_>> {
        if self.outlet.has_room() {
            Some(Outbound(self.outlet))
        } else {
            None
        }
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = usize::from(self.mtu);
        // Verified before a packet gets here, and filled in after it left.
        capabilities.checksum = ChecksumCapabilities::ignored();
        capabilities
    }
}

pub(super) struct Inbound<'a>(&'a [u8]);

impl RxToken for Inbound<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(self.0)
    }
}

pub(super) struct Outbound<'a>(&'a mut dyn Outlet);

impl TxToken for Outbound<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        let mut write = Some(f);
        let mut result = None;
        self.0.packet(length, &mut |buffer| {
            if let Some(write) = write.take() {
                result = Some(write(buffer));
            }
        });
        // An outlet that did not ask for the packet gets it written into nothing: smoltcp wants an answer.
        result.unwrap_or_else(|| {
            let mut discarded = vec![0; length];
            match write.take() {
                Some(write) => write(&mut discarded),
                None => unreachable!("either the outlet's call or this one took it"),
            }
        })
    }
}
