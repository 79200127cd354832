//! AmneziaWG 3.x, against recordings of amneziawg-go v3.1.20260814 and between two ends of our own.

mod behaviour;
mod messages;
mod pairs;
mod times;

use awg_obfuscation::Parameters;

use super::link::Setup;

fn setup(settings: &[(&str, &str)]) -> Setup {
    Setup {
        parameters: Parameters::from_settings(settings.iter().copied()).unwrap(),
        ..Setup::default()
    }
}

fn other(device: &str) -> &'static str {
    match device {
        "A" => "B",
        _ => "A",
    }
}
