//! What connections and datagrams are for: services of this machine.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use super::PATIENCE;

/// A target that serves each connection on a thread of its own.
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    accepted: Receiver<TcpStream>,
}

impl Target {
    /// Hands accepted connections to the test.
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, accepted): (Sender<TcpStream>, _) = channel();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = stream.set_read_timeout(Some(PATIENCE));
                let _ = stream.set_write_timeout(Some(PATIENCE));
                if sender.send(stream).is_err() {
                    break;
                }
            }
        });
        Self { address, accepted }
    }

    pub(crate) fn accept(&self) -> TcpStream {
        self.accepted
            .recv_timeout(PATIENCE)
            .expect("a connection to the target")
    }
}

/// A target that sends back what it gets, and ends when it is told that no more comes.
pub(crate) fn echo_target() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let mut bytes = [0; 16 * 1024];
                while let Ok(length) = stream.read(&mut bytes) {
                    if length == 0 || stream.write_all(&bytes[..length]).is_err() {
                        break;
                    }
                }
            });
        }
    });
    address
}

/// A UDP service that sends back what it gets.
pub(crate) fn udp_echo() -> SocketAddr {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut bytes = vec![0; 65536];
        while let Ok((length, from)) = socket.recv_from(&mut bytes) {
            let _ = socket.send_to(&bytes[..length], from);
        }
    });
    address
}
