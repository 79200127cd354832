//! What a scene wants of its device: keys, obfuscation, and what else may be set.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use awg_obfuscation::{Obfuscation, Parameters};
use awg_tunnel::{PresharedKey, PrivateKey};

use crate::end::{Peer, Setup};

/// Where the probe is.
pub(crate) const PROBE_ADDRESS: SocketAddr =
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)), 51820);

/// The device's key.
pub fn subject_key() -> PrivateKey {
    PrivateKey::from_bytes([0x11; 32])
}

/// The probe's key.
pub fn probe_key() -> PrivateKey {
    PrivateKey::from_bytes([0x22; 32])
}

/// What a scene wants of its device.
#[derive(Clone, Default)]
pub struct Wish {
    /// The obfuscation.
    pub parameters: Vec<(String, String)>,
    /// A key shared beside the pairs.
    pub preshared: Option<PresharedKey>,
    /// The largest inner packet; 1420 where it is 0.
    pub mtu: u16,
    /// Seconds between packets that keep a way open.
    pub keepalive: Option<u16>,
    /// Whether the device does not know where the probe is.
    pub waits: bool,
    /// Sets the device's randomness apart from other runs of the scene.
    pub seed: u64,
}

impl Wish {
    /// A device with this obfuscation.
    pub fn with(parameters: &[(&str, &str)]) -> Self {
        Self {
            parameters: parameters
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            ..Self::default()
        }
    }

    /// The obfuscation, as our code has it.
    ///
    /// # Panics
    /// Where our code refuses it.
    pub fn obfuscation(&self) -> Obfuscation {
        let parameters = parameters(&self.parameters).expect("parameters of a scene");
        Obfuscation::new(parameters).expect("parameters of a scene")
    }

    /// The key shared beside the pairs; zero where there is none.
    pub fn preshared(&self) -> PresharedKey {
        self.preshared.clone().unwrap_or(PresharedKey::ABSENT)
    }

    /// The largest inner packet, in bytes.
    pub fn mtu(&self) -> u16 {
        if self.mtu == 0 { 1420 } else { self.mtu }
    }

    /// What the device is given: the probe is its peer.
    pub(crate) fn setup(&self) -> Setup {
        Setup {
            private_key: subject_key(),
            mtu: self.mtu(),
            parameters: self.parameters.clone(),
            peers: vec![Peer {
                public_key: probe_key().public_key(),
                preshared_key: self.preshared.clone(),
                endpoint: (!self.waits).then_some(PROBE_ADDRESS),
                allowed_ips: vec!["10.0.0.2/32".to_owned(), "fd00::2/128".to_owned()],
                persistent_keepalive: self.keepalive,
            }],
            seed: self.seed + 1,
        }
    }

    /// A device with every parameter.
    #[must_use]
    pub fn everything() -> Self {
        Self::with(&[
            ("Jc", "4"),
            ("Jmin", "50"),
            ("Jmax", "60"),
            ("S1", "31"),
            ("S2", "17"),
            ("S3", "45"),
            ("S4", "12"),
            ("H1", "100000-199999"),
            ("H2", "200000-299999"),
            ("H3", "300000-399999"),
            ("H4", "400000-499999"),
            ("I1", "<b 0xc2ff00a1><r 16><t>"),
            ("I2", "<rd 12><rc 20>"),
            ("I3", "<b deadbeef>"),
            ("I4", "<r 77>"),
            ("I5", "<t><r 40>"),
        ])
    }

    /// A device whose four messages all have 148 bytes, data of 96 bytes among them.
    #[must_use]
    pub fn colliding() -> Self {
        Self::with(&[
            ("S2", "56"),
            ("S3", "84"),
            ("S4", "20"),
            ("H1", "1000-1999"),
            ("H2", "2000-2999"),
            ("H3", "3000-3999"),
            ("H4", "4000-4999"),
        ])
    }
}

/// A scene's parameters, read by our code.
///
/// # Errors
/// All that is wrong with them.
pub(crate) fn parameters(settings: &[(String, String)]) -> Result<Parameters, String> {
    let pairs = settings
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    Parameters::from_settings(pairs).map_err(|errors| {
        let texts: Vec<_> = errors.iter().map(ToString::to_string).collect();
        texts.join("; ")
    })
}
