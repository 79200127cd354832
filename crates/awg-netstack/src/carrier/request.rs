//! What is said on a stream before its bytes: the request, the answer to it, and the codes by which one is refused or reset.
//! The format is that of `docs/reference/carrier.md`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use noq_proto::VarInt;

use crate::event::{Refusal, Rejection};
use crate::flow::Target;

#[cfg(test)]
mod tests;

/// The version of QUIC that is spoken: one of our own (RFC 9000 section 15), with everything of this module and of
/// [`null`](super::null) in it.
pub(super) const VERSION: u32 = 0x6177_6701;

/// The status byte of a connection that the server made.
pub(super) const OPEN: u8 = 0;

/// The longest name (RFC 1035 section 2.3.4).
const NAME: usize = 253;

/// The kind of a request for datagrams, which is all of it.
pub(super) const DATAGRAMS: u8 = 0;
const IPV4: u8 = 1;
const BY_NAME: u8 = 3;
const IPV6: u8 = 4;

/// What a stream is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Request {
    /// A connection to a target.
    Connection(Target),
    /// Datagrams of one source.
    Datagrams,
}

/// Why bytes are no request.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum Invalid {
    #[error("no such kind of request")]
    Kind,
    #[error("a name is 1 to 253 visible ASCII characters")]
    Name,
    #[error("port 0 is none")]
    Port,
    #[error("the address is no host's")]
    Address,
}

impl Request {
    /// The request at the beginning of `bytes` and its length; `None` if it is not there as a whole.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, Invalid> {
        let Some((kind, rest)) = bytes.split_first() else {
            return Ok(None);
        };
        if *kind == DATAGRAMS {
            return Ok(Some((Self::Datagrams, 1)));
        }
        if *kind == BY_NAME {
            let Some((length, rest)) = rest.split_first() else {
                return Ok(None);
            };
            let length = usize::from(*length);
            if !(1..=NAME).contains(&length) {
                return Err(Invalid::Name);
            }
            let name = rest.get(..length).unwrap_or(rest);
            if !name.iter().all(u8::is_ascii_graphic) {
                return Err(Invalid::Name);
            }
            let Some(port) = rest.get(length..).and_then(<[u8]>::first_chunk) else {
                return Ok(None);
            };
            let port = u16::from_be_bytes(*port);
            if port == 0 {
                return Err(Invalid::Port);
            }
            let Ok(name) = std::str::from_utf8(name) else {
                return Err(Invalid::Name);
            };
            let target = Target::Name {
                name: name.into(),
                port,
            };
            return Ok(Some((Self::Connection(target), 2 + length + 2)));
        }
        let Some((address, length)) = parse_address(bytes)? else {
            return Ok(None);
        };
        if address.port() == 0 {
            return Err(Invalid::Port);
        }
        let target = Target::Address(address);
        Ok(Some((Self::Connection(target), length)))
    }

    /// Appends the request to `out`; `false` if its name or port is none, and nothing was appended.
    pub(super) fn write(&self, out: &mut Vec<u8>) -> bool {
        match self {
            Self::Datagrams => out.push(DATAGRAMS),
            Self::Connection(Target::Address(address)) => {
                if address.port() == 0 || address.ip().to_canonical().is_unspecified() {
                    return false;
                }
                write_address(out, *address);
            }
            Self::Connection(Target::Name { name, port }) => {
                let visible = name.bytes().all(|byte| byte.is_ascii_graphic());
                if !(1..=NAME).contains(&name.len()) || !visible || *port == 0 {
                    return false;
                }
                out.extend([BY_NAME, name.len() as u8]);
                out.extend(name.bytes());
                out.extend(port.to_be_bytes());
            }
        }
        true
    }
}

/// The address and port at the beginning of `bytes` and their length; `None` if they are not there as a whole.
pub(super) fn parse_address(bytes: &[u8]) -> Result<Option<(SocketAddr, usize)>, Invalid> {
    let Some((kind, rest)) = bytes.split_first() else {
        return Ok(None);
    };
    let (address, rest): (IpAddr, _) = match *kind {
        IPV4 => match rest.split_first_chunk::<4>() {
            Some((octets, rest)) => (Ipv4Addr::from(*octets).into(), rest),
            None => return Ok(None),
        },
        IPV6 => match rest.split_first_chunk::<16>() {
            Some((octets, rest)) => (Ipv6Addr::from(*octets).into(), rest),
            None => return Ok(None),
        },
        _ => return Err(Invalid::Kind),
    };
    let Some(port) = rest.first_chunk() else {
        return Ok(None);
    };
    // A mapped address would be another way of writing an address that policies know.
    if address.is_unspecified() || address.to_canonical() != address {
        return Err(Invalid::Address);
    }
    let address = SocketAddr::new(address, u16::from_be_bytes(*port));
    Ok(Some((address, address_length(address))))
}

/// Appends an address and a port.
pub(super) fn write_address(out: &mut Vec<u8>, address: SocketAddr) {
    match address.ip().to_canonical() {
        IpAddr::V4(address) => {
            out.push(IPV4);
            out.extend(address.octets());
        }
        IpAddr::V6(address) => {
            out.push(IPV6);
            out.extend(address.octets());
        }
    }
    out.extend(address.port().to_be_bytes());
}

/// Bytes of an address and a port.
pub(super) fn address_length(address: SocketAddr) -> usize {
    match address.ip().to_canonical() {
        IpAddr::V4(_) => 1 + 4 + 2,
        IpAddr::V6(_) => 1 + 16 + 2,
    }
}

/// Why a stream ends before its time: the application error code of `RESET_STREAM` and `STOP_SENDING`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub(super) enum Code {
    /// Nothing failed: no more datagrams come, or are wanted.
    Done = 0,
    Refused = 1,
    NetworkUnreachable = 2,
    HostUnreachable = 3,
    Prohibited = 4,
    TimedOut = 5,
    Failed = 6,
    /// There is no room for another flow.
    Full = 7,
    /// The request makes no sense.
    Malformed = 8,
    /// The flow failed at the end that says so, after it was open.
    Aborted = 16,
}

impl From<Code> for VarInt {
    fn from(code: Code) -> Self {
        Self::from_u32(code as u32)
    }
}

impl From<Rejection> for Code {
    fn from(why: Rejection) -> Self {
        match why {
            Rejection::Refused => Self::Refused,
            Rejection::NetworkUnreachable => Self::NetworkUnreachable,
            Rejection::HostUnreachable => Self::HostUnreachable,
            Rejection::Prohibited => Self::Prohibited,
            Rejection::TimedOut => Self::TimedOut,
            Rejection::Failed => Self::Failed,
            Rejection::Full => Self::Full,
        }
    }
}

/// What a code means for a connection that was not open yet.
pub(super) fn refusal(code: VarInt) -> Refusal {
    match code.into_inner() {
        1 => Refusal::PortUnreachable,
        2 => Refusal::NetworkUnreachable,
        3 => Refusal::HostUnreachable,
        4 => Refusal::Prohibited,
        5 => Refusal::TimedOut,
        16 => Refusal::Reset,
        _ => Refusal::Failed,
    }
}
