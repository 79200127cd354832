use awg_tunnel::{Parameters, PrivateKey};

use super::packet_mtu;
use crate::settings::{EngineSettings, FurtherObfuscation};

fn padded(range: &str) -> Parameters {
    Parameters::from_settings([("ContentPaddingAddition", range)]).unwrap()
}

#[test]
fn full_packets_stay_below_the_mtu_where_content_is_padded() {
    let mut settings = EngineSettings::new(PrivateKey::from_bytes([7; 32]));
    settings.addresses = vec!["10.0.0.1".parse().unwrap()];
    settings.mtu = 1420;
    assert_eq!(packet_mtu(&settings), 1420);
    settings.obfuscation = padded("0-20");
    assert_eq!(packet_mtu(&settings), 1400);
    settings.further_obfuscation = vec![FurtherObfuscation {
        parameters: padded("5-600"),
        ports: vec![0],
    }];
    assert_eq!(packet_mtu(&settings), 1388, "what any of them needs");
    // What an address family demands comes first.
    settings.mtu = 1290;
    settings.addresses.push("fd00::1".parse().unwrap());
    assert_eq!(packet_mtu(&settings), 1280);
}
