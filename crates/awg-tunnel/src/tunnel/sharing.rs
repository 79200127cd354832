//! One end with several tunnels: what is another one's, and what others have handed over.
//!
//! A datagram is counted where it is handled. Of an initiation that comes to the wrong tunnel so much is opened as it takes to know
//! who sends it, under that tunnel's protection from load; the owner of the peer opens it again, and it alone judges timestamps.

use super::Tunnel;
use super::receive::Inbound;
use crate::allowed_ips::AllowedIps;
use crate::endpoint::Endpoint;
use crate::keys::PublicKey;
use crate::message::transport;
use crate::peer::PeerId;
use crate::share::Share;
use crate::time::Now;

/// The owner of networks whose peer another tunnel has; no peer's handle in practice, and no peer of a tunnel with shares.
pub(super) const ELSEWHERE: PeerId = PeerId::from_number(u32::MAX);

impl Tunnel {
    /// From now on this tunnel is one of several of its end. To be said before it has peers, since these have sessions' indices.
    pub fn join(&mut self, share: Share) {
        debug_assert_eq!(self.peers.len(), 0, "indices are chosen already");
        self.checker.share(share.cookies.clone());
        self.share = Some(share);
    }

    /// Says whose all networks are, and which share each peer of the end lives in, in their order: the last one with a network has
    /// it. To be said again after every change of peers. Peers of this share that the tunnel does not have are passed over.
    pub fn place_peers<'p>(
        &mut self,
        peers: impl IntoIterator<Item = (&'p PublicKey, &'p [ipnet::IpNet], usize)>,
    ) {
        let Some(own) = self.share.as_ref().map(Share::number) else {
            return;
        };
        let mut elsewhere = std::mem::take(&mut self.elsewhere);
        elsewhere.clear();
        let mut networks = AllowedIps::new();
        for (key, allowed_ips, share) in peers {
            let owner = if share == own {
                self.by_key.get(key).copied()
            } else if key.check().is_ok() && *key != self.identity.public {
                elsewhere.insert(*key, share);
                Some(ELSEWHERE)
            } else {
                None
            };
            for network in allowed_ips {
                if let Some(owner) = owner {
                    networks.insert(*network, owner);
                }
            }
        }
        self.elsewhere = elsewhere;
        self.allowed_ips = networks;
    }

    /// The share that the datagram last [handled](Self::handle_datagram) belongs to, if that is not this tunnel's: nothing was done
    /// with it, its bytes are as they were, and it is to be [handed over](Self::handle_handed_over) there.
    #[inline]
    pub fn take_misplaced(&mut self) -> Option<usize> {
        self.misplaced.take()
    }

    /// Takes a datagram that came to another tunnel of this end; otherwise as [`handle_datagram`](Self::handle_datagram).
    pub fn handle_handed_over<'d>(
        &mut self,
        now: Now,
        from: Endpoint,
        datagram: &'d mut [u8],
    ) -> Option<Inbound<'d>> {
        self.handed_over = true;
        let inbound = self.open_datagram(now, from, datagram);
        self.handed_over = false;
        inbound
    }

    /// Whose session an index is of, unless it would be one of this tunnel's. What was handed over is not handed on.
    #[inline]
    pub(super) fn index_elsewhere(&self, index: u32) -> Option<usize> {
        let share = self.share.as_ref().filter(|_| !self.handed_over)?;
        share.elsewhere(index)
    }

    /// Whose session a transport message is of, unless it would be one of this tunnel's.
    #[inline]
    pub(super) fn session_elsewhere(&self, message: &mut [u8]) -> Option<usize> {
        self.share.as_ref()?;
        let (index, ..) = transport::split(message)?;
        self.index_elsewhere(index)
    }

    /// The datagram at hand, of so many bytes, is not counted here.
    #[cold]
    pub(super) fn misplace(&mut self, share: usize, size: usize) {
        self.counters.datagrams_received -= 1;
        self.counters.bytes_received -= size as u64;
        self.misplaced = Some(share);
    }
}
