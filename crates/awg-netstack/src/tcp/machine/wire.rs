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

/// What all flows share: a smoltcp interface for the tunnel's own packet size, and the clock's origin. It holds no flow,
/// so it costs the same however many there are.
pub(crate) struct Link {
    mtu: u16,
    interface: Interface,
    seed: u64,
    origin: Instant,
}

/// How large a flow's packets may be.
pub(super) enum Size {
    /// As large as the tunnel carries.
    Full,
    /// Smaller, since the path beyond carries no more. smoltcp reads the size from its interface, so such a flow has one
    /// of its own (some 300 bytes): whatever a peer says of its paths concerns its own flows alone.
    Narrow(Box<(u16, Interface)>),
}

impl Size {
    /// Bytes of the longest packet.
    pub(super) fn mtu(&self, link: &Link) -> u16 {
        match self {
            Self::Full => link.mtu,
            Self::Narrow(narrow) => narrow.0,
        }
    }

    /// The interface for packets of this size.
    pub(super) fn interface<'a>(&'a mut self, link: &'a mut Link) -> &'a mut Interface {
        match self {
            Self::Full => &mut link.interface,
            Self::Narrow(narrow) => &mut narrow.1,
        }
    }
}

impl Link {
    pub(crate) fn new(mtu: u16, seed: u64, origin: Instant) -> Self {
        Self {
            mtu,
            interface: interface(mtu, seed),
            seed,
            origin,
        }
    }

    /// Bytes of the longest packet that the tunnel carries: what flows begin with.
    pub(crate) fn full_mtu(&self) -> u16 {
        self.mtu
    }

    /// A size of packets of at most `mtu` bytes.
    pub(super) fn narrow(&mut self, mtu: u16) -> Size {
        self.seed = self.seed.wrapping_add(1);
        Size::Narrow(Box::new((mtu, interface(mtu, self.seed))))
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
