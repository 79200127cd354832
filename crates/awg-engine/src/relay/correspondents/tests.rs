//! Who is known, and for how long.

use std::net::Ipv4Addr;

use super::*;

fn address(number: usize) -> IpAddr {
    Ipv4Addr::from_bits(0x0a00_0000 + u32::try_from(number).unwrap()).into()
}

#[test]
fn only_those_who_were_sent_to_are_known() {
    let mut correspondents = Correspondents::default();
    assert!(!correspondents.know(address(1)));
    correspondents.note(address(1));
    correspondents.note(address(2));
    assert!(correspondents.know(address(1)) && correspondents.know(address(2)));
    assert!(!correspondents.know(address(3)));
}

#[test]
fn the_latest_are_known_and_the_oldest_forgotten() {
    let mut correspondents = Correspondents::default();
    for number in 0..10 * AT_LEAST {
        correspondents.note(address(number));
        let earliest = (number + 1).saturating_sub(AT_LEAST);
        assert!(correspondents.know(address(earliest)));
        assert!(correspondents.recent.len() + correspondents.former.len() <= 2 * AT_LEAST);
    }
    assert!(!correspondents.know(address(0)));
}

#[test]
fn who_is_sent_to_again_is_not_forgotten() {
    let mut correspondents = Correspondents::default();
    for number in 1..10 * AT_LEAST {
        correspondents.note(address(0));
        correspondents.note(address(number));
        assert!(correspondents.know(address(0)));
    }
}
