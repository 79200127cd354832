//! Views of what arrives: the IP header ([`IpHeader`]) and the TCP header ([`Segment`]). They check lengths and
//! checksums once; what they hand out may be relied on.
//!
//! Not here: UDP, ICMP and fragments, which have modules of their own.

mod extensions;
mod ip;
mod segment;

pub(crate) use extensions::{Behind, FRAGMENT, FRAGMENT_HEADER};
pub(crate) use ip::{ICMP, ICMPV6, IPV4_HEADER, IPV6_HEADER, IpHeader, TCP, UDP, is_unicast};
pub(crate) use segment::{Flags, Segment, TCP_HEADER, seal};
