//! Prints what `sender` sends, and sends it back: `receiver ADDRESS [NAME=VALUE …]`, until it is interrupted.

use std::error::Error;
use std::net::UdpSocket;

use awg_boringtun::{Endpoint, demonstration};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, settings @ ..] = arguments.as_slice() else {
        return Err("usage: receiver ADDRESS [NAME=VALUE ...]".into());
    };
    let peer = demonstration(2, settings)?;
    let socket = UdpSocket::bind(address.as_str())?;
    println!("listening at {}", socket.local_addr()?);
    let mut endpoint = Endpoint::new(peer, socket, None)?;
    loop {
        for packet in endpoint.step()? {
            let text = packet.get(20..).unwrap_or_default();
            println!("{}", String::from_utf8_lossy(text).escape_debug());
            endpoint.send(&packet)?;
        }
    }
}
