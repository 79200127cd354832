//! A packet written again is one that this crate reads.

use proptest::prelude::*;

use super::*;
use crate::datagram::header::Header;
use crate::packet::IpHeader;

proptest! {
    #[test]
    fn it_is_read_as_what_it_was(ipv6: bool, ports in (1..=u16::MAX, 1..=u16::MAX), payload in proptest::collection::vec(any::<u8>(), 0..1200)) {
        let (source, destination): (IpAddr, IpAddr) = if ipv6 {
            ("fd00::2".parse().unwrap(), "2001:db8::1".parse().unwrap())
        } else {
            ("10.8.0.2".parse().unwrap(), "192.0.2.1".parse().unwrap())
        };
        let (from, to) = (SocketAddr::new(source, ports.0), SocketAddr::new(destination, ports.1));
        let packet = written_again(from, to, &payload).unwrap();
        let ip = IpHeader::parse(&packet).unwrap();
        prop_assert_eq!((ip.source, ip.destination, ip.protocol), (source, destination, UDP));
        let (header, read) = Header::parse(source, destination, &packet[ip.payload]).unwrap();
        prop_assert_eq!((header.source_port, header.destination_port), ports);
        prop_assert_eq!(read, &payload[..]);
    }
}

#[test]
fn what_was_no_packet_is_none() {
    let (ipv4, ipv6) = (
        "10.8.0.2:1".parse().unwrap(),
        "[fd00::2]:1".parse().unwrap(),
    );
    assert_eq!(written_again(ipv4, ipv6, b""), None);
    assert_eq!(written_again(ipv4, ipv4, &vec![0; 65_536]), None);
    // Long ones are cut to what an error quotes at most.
    assert_eq!(
        written_again(ipv6, ipv6, &[0; 9000]).unwrap().len(),
        48 + QUOTED
    );
}
