//! Sends the lines of its input to `receiver`, each in an inner packet, and prints what comes back:
//! `sender ADDRESS [NAME=VALUE …]`.

use std::error::Error;
use std::io::{BufRead, stdin};
use std::net::UdpSocket;

use awg_boringtun::{Endpoint, demonstration};

/// How often it waits for an answer, a quarter of a second each time: longer than the first handshake and one more try take.
const PATIENCE: usize = 40;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, settings @ ..] = arguments.as_slice() else {
        return Err("usage: sender ADDRESS [NAME=VALUE ...]".into());
    };
    let peer = demonstration(1, settings)?;
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    let mut endpoint = Endpoint::new(peer, socket, Some(address.parse()?))?;
    for line in stdin().lock().lines() {
        endpoint.send(&packet(&line?))?;
        println!("{}", answer(&mut endpoint)?);
    }
    Ok(())
}

/// What the receiver sends back.
fn answer(endpoint: &mut Endpoint) -> Result<String, Box<dyn Error>> {
    for _ in 0..PATIENCE {
        if let Some(packet) = endpoint.step()?.first() {
            let text = packet.get(20..).unwrap_or_default();
            return Ok(String::from_utf8_lossy(text).escape_debug().to_string());
        }
    }
    Err("no answer: is the receiver there, with the same S and H?".into())
}

/// An IPv4 packet of an experimental protocol (RFC 3692), from 10.0.0.1 to 10.0.0.2, with a text as its content.
fn packet(text: &str) -> Vec<u8> {
    let text = text.as_bytes();
    let text = text.get(..1000).unwrap_or(text);
    let length = (20 + text.len()) as u16;
    let mut packet = vec![0x45, 0];
    packet.extend(length.to_be_bytes());
    packet.extend([0, 0, 0, 0, 64, 253, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    packet.extend(text);
    packet
}
