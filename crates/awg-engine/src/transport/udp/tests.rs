//! UDP over loopback: every kind to every kind, with and without offload, and what the system refuses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::BorrowedFd;

use socket2::{Domain, Protocol, SockRef, Socket, Type};

use super::super::{ReceiveBatch, SendBatch, SendProgress, Transport};
use super::{BindError, UdpKind, UdpSettings, open, path_mtu};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn settings(address: Option<IpAddr>, kind: UdpKind) -> UdpSettings {
    UdpSettings {
        address,
        fwmark: None,
        kind,
    }
}

fn bound(address: Option<IpAddr>, kind: UdpKind) -> Box<dyn Transport> {
    let transport = open(&settings(address, kind), 0).expect("a free port").0;
    limit_buffer(&*transport);
    transport
}

/// Gives the socket what an unprivileged process has by default, so that the tests pass for everybody or for nobody.
fn limit_buffer(transport: &dyn Transport) {
    // SAFETY: the transport keeps its socket open for longer.
    let socket = unsafe { BorrowedFd::borrow_raw(transport.descriptor().expect("a socket")) };
    SockRef::from(&socket)
        .set_recv_buffer_size(212_992)
        .expect("less than any limit");
}

/// Waits until `transport` can receive.
fn wait_readable(transport: &dyn Transport) {
    let mut poll = libc::pollfd {
        fd: transport.descriptor().expect("a socket"),
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one `pollfd` that outlives the call.
    assert_eq!(
        unsafe { libc::poll(&raw mut poll, 1, 10_000) },
        1,
        "nothing arrived in 10 s"
    );
}

/// Datagram `number`, recognisable in each of its bytes.
fn datagram(number: usize, len: usize) -> Vec<u8> {
    (0..len).map(|index| (number * 31 + index) as u8).collect()
}

/// Sends datagrams of the given sizes and asserts that they arrive byte for byte and in order.
fn exchange(
    from: &mut dyn Transport,
    to: &mut dyn Transport,
    destination: SocketAddr,
    sizes: &[usize],
) {
    let mut batch = SendBatch::new(256, 4 << 20);
    let mut received = ReceiveBatch::new(ReceiveBatch::DEFAULT_MESSAGES);
    for (number, &len) in sizes.iter().enumerate() {
        assert!(batch.push(&datagram(number, len), destination));
    }
    assert_eq!(from.send(&mut batch), SendProgress::Complete);
    let mut next = 0;
    while next < sizes.len() {
        wait_readable(to);
        while to.receive(&mut received).expect("a working socket") > 0 {
            let count = received.len();
            let first = next;
            for (sender, bytes) in received.datagrams() {
                assert_eq!(sender.port(), from.local_address().port());
                assert_eq!(
                    sender.is_ipv4(),
                    destination.is_ipv4(),
                    "{sender} is not in its own family"
                );
                assert_eq!(bytes.len(), sizes[next], "datagram {next}");
                assert!(
                    bytes == datagram(next, sizes[next]),
                    "datagram {next} is changed"
                );
                next += 1;
            }
            assert_eq!(next - first, count);
        }
    }
    assert_eq!(
        to.receive(&mut received).expect("a working socket"),
        0,
        "more arrived than was sent"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_batch_that_was_not_filled_is_the_last() {
    let both = [(); 2].map(|()| bound(Some(LOOPBACK), UdpKind::Batched));
    let [mut left, mut right] = both;
    let destination = right.local_address();
    let mut batch = SendBatch::new(8, 0);
    // Of different sizes: the system joins none of them.
    for len in [10, 20, 30] {
        assert!(batch.push(&datagram(0, len), destination));
    }
    assert_eq!(left.send(&mut batch), SendProgress::Complete);
    let mut two = ReceiveBatch::new(2);
    let mut arrived = 0;
    while arrived < 3 {
        wait_readable(&*right);
        let count = right.receive(&mut two).expect("a working socket");
        assert_eq!(two.is_last(), count == 1);
        arrived += count;
    }
}

fn patterns() -> Vec<Vec<usize>> {
    vec![
        vec![1],
        vec![0],
        vec![1_452; 2],
        vec![1_452; 64],
        vec![500; 200],
        (1..=200).collect(),
        (0..200)
            .map(|index| if index % 3 == 2 { 92 } else { 520 })
            .collect(),
        vec![1_452, 1_452, 60, 60, 1_452, 0, 0, 1_452, 1_453, 1],
        vec![65_507, 1, 65_507, 40_000, 40_000],
    ]
}

fn destination(transport: &dyn Transport, ip: IpAddr) -> SocketAddr {
    SocketAddr::new(ip, transport.local_address().port())
}

#[test]
fn batches_arrive_whole_and_in_order_between_all_kinds() {
    for ip in [LOOPBACK, Ipv6Addr::LOCALHOST.into()] {
        for sender in [UdpKind::Auto, UdpKind::Portable] {
            for receiver in [UdpKind::Auto, UdpKind::Portable] {
                let (mut from, mut to) = (bound(Some(ip), sender), bound(Some(ip), receiver));
                let to_address = destination(&*to, ip);
                for sizes in patterns() {
                    exchange(&mut *from, &mut *to, to_address, &sizes);
                }
                let (sent, received) = (from.counters(), to.counters());
                assert_eq!(
                    (sent.sent, sent.sent_bytes),
                    (received.received, received.received_bytes)
                );
                assert_eq!((sent.unsendable, received.truncated), (0, 0));
            }
        }
    }
}

#[test]
fn a_socket_for_all_addresses_serves_both_families() {
    for kind in [UdpKind::Auto, UdpKind::Portable] {
        let (mut from, mut to) = (bound(None, kind), bound(None, kind));
        for ip in [LOOPBACK, Ipv6Addr::LOCALHOST.into()] {
            let to_address = destination(&*to, ip);
            exchange(&mut *from, &mut *to, to_address, &[1_452; 100]);
        }
    }
}

#[test]
fn destinations_may_be_mixed_and_those_out_of_reach_are_dropped_and_counted() {
    for kind in [UdpKind::Auto, UdpKind::Portable] {
        let mut from = bound(Some(LOOPBACK), kind);
        let segmentation = from.counters().segmentation;
        let mut receivers = [bound(Some(LOOPBACK), kind), bound(Some(LOOPBACK), kind)];
        let mut batch = SendBatch::new(200, 1 << 20);
        let unreachable = [
            // Another family, the port that cannot be sent to, and more than a datagram holds.
            (SocketAddr::from((Ipv6Addr::LOCALHOST, 9)), 10),
            (SocketAddr::new(LOOPBACK, 0), 10),
            (destination(&*receivers[0], LOOPBACK), 65_508),
        ];
        for number in 0..60 {
            for receiver in &receivers {
                assert!(batch.push(&datagram(number, 500), destination(&**receiver, LOOPBACK)));
            }
            if let Some(&(to, len)) = unreachable.get(number) {
                assert!(batch.push(&vec![0; len], to));
            }
        }
        // A whole group of them, too.
        for _ in 0..3 {
            assert!(batch.push(&[0; 10], SocketAddr::new(LOOPBACK, 0)));
        }
        assert_eq!(from.send(&mut batch), SendProgress::Complete);
        assert_eq!((from.counters().sent, from.counters().unsendable), (120, 6));
        assert_eq!(from.counters().segmentation, segmentation);
        for receiver in &mut receivers {
            let mut received = ReceiveBatch::new(4);
            let mut next = 0;
            while next < 60 {
                wait_readable(&**receiver);
                receiver.receive(&mut received).expect("a working socket");
                for (_, bytes) in received.datagrams() {
                    assert!(bytes == datagram(next, 500));
                    next += 1;
                }
            }
        }
    }
}

#[test]
fn a_second_server_on_a_port_is_refused_even_with_so_reuseport() {
    for (first, second) in [
        (None, None),
        (Some(LOOPBACK), Some(LOOPBACK)),
        (None, Some(LOOPBACK)),
    ] {
        let server = bound(first, UdpKind::Auto);
        let port = server.local_address().port();
        let again = open(&settings(second, UdpKind::Auto), port);
        let error = again.expect_err("the port is taken");
        assert!(
            matches!(error, BindError::InUse(address) if address.port() == port),
            "{error}"
        );
        assert_eq!(error.raw_os_error(), Some(libc::EADDRINUSE));
        assert!(error.to_string().contains(&port.to_string()));
    }

    let willing = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP)).expect("a socket");
    willing
        .set_reuse_port(true)
        .expect("an option of every socket");
    willing
        .bind(&SocketAddr::new(LOOPBACK, 0).into())
        .expect("a free port");
    let port = willing
        .local_addr()
        .expect("bound")
        .as_socket()
        .expect("an address")
        .port();
    let error = open(&settings(Some(LOOPBACK), UdpKind::Auto), port).err();
    assert!(matches!(error, Some(BindError::InUse(_))), "{error:?}");
}

#[test]
fn a_foreign_address_is_refused_with_its_name() {
    let foreign = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 77));
    let error = open(&settings(Some(foreign), UdpKind::Auto), 0).expect_err("no interface has it");
    assert!(matches!(error, BindError::NoSuchAddress(_)), "{error}");
    assert!(error.to_string().contains("192.0.2.77"));
}

/// A number that the Linux kernel shows.
#[cfg(target_os = "linux")]
fn shown(path: &str) -> usize {
    let text = std::fs::read_to_string(path).expect("a file of the kernel");
    text.trim().parse().expect("a number")
}

#[cfg(target_os = "linux")]
#[test]
fn buffers_are_as_large_as_asked_for_or_as_the_system_allows() {
    use super::BUFFER_SIZE;

    let (_, buffers) = open(&settings(Some(LOOPBACK), UdpKind::Auto), 0).expect("a free port");
    assert_eq!(buffers.wanted, BUFFER_SIZE);
    for (size, limit) in [
        (buffers.receive, "/proc/sys/net/core/rmem_max"),
        (buffers.send, "/proc/sys/net/core/wmem_max"),
    ] {
        // Who administers the network may pass the limit.
        let allowed = shown(limit).min(BUFFER_SIZE);
        assert!(size == BUFFER_SIZE || size == allowed, "{size}, {limit}");
    }
}

#[test]
fn the_path_mtu_is_that_of_the_interface() {
    let mtu = path_mtu(SocketAddr::new(LOOPBACK, 9), None);
    #[cfg(target_os = "linux")]
    assert_eq!(
        mtu.expect("a route to loopback"),
        shown("/sys/class/net/lo/mtu").min(usize::from(u16::MAX))
    );
    #[cfg(not(target_os = "linux"))]
    mtu.expect_err("only Linux can say");
}

#[test]
fn fragmentation_is_left_to_the_system() {
    for kind in [UdpKind::Auto, UdpKind::Portable] {
        let transport = bound(None, kind);
        #[cfg(target_os = "linux")]
        for (level, name) in [
            (libc::IPPROTO_IP, libc::IP_MTU_DISCOVER),
            (libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER),
        ] {
            assert_eq!(
                option(transport.descriptor().expect("a socket"), level, name),
                1,
                "IP_PMTUDISC_WANT, {kind:?}"
            );
        }
        drop(transport);
    }
}

#[cfg(target_os = "linux")]
fn option(socket: i32, level: libc::c_int, name: libc::c_int) -> libc::c_int {
    let mut value = -1;
    let mut len = 4;
    // SAFETY: the pointers describe `value` and its size, which outlive the call.
    let status = unsafe {
        libc::getsockopt(
            socket,
            level,
            name,
            std::ptr::from_mut(&mut value).cast(),
            &raw mut len,
        )
    };
    assert_eq!(status, 0);
    value
}

#[cfg(target_os = "linux")]
mod batched {
    use std::cell::RefCell;

    use super::super::batched::BatchedUdp;
    use super::super::socket::{bind, set_option};
    use super::*;

    fn batched() -> BatchedUdp {
        let transport = BatchedUdp::new(
            bind(&settings(Some(LOOPBACK), UdpKind::Batched), 0, false)
                .expect("a free port")
                .0,
        );
        limit_buffer(&transport);
        transport
    }

    #[test]
    fn groups_take_few_calls_of_the_system() {
        let (mut from, mut to) = (batched(), batched());
        let to_address = destination(&to, LOOPBACK);
        exchange(&mut from, &mut to, to_address, &[500; 200]);
        assert!(from.counters().segmentation, "loopback segments");
        assert_eq!(from.counters().send_calls, 1, "one call for four groups");
        assert!(
            to.counters().receive_calls < 20,
            "joined: {:?}",
            to.counters()
        );
    }

    #[test]
    fn offload_may_be_off_at_either_end() {
        for (from_off, to_off) in [(true, false), (false, true), (true, true)] {
            let build = |off| {
                if off {
                    batched().without_offload()
                } else {
                    batched()
                }
            };
            let (mut from, mut to) = (build(from_off), build(to_off));
            let to_address = destination(&to, LOOPBACK);
            for sizes in patterns() {
                exchange(&mut from, &mut to, to_address, &sizes);
            }
        }
    }

    #[test]
    fn segmentation_that_the_kernel_refuses_is_turned_off_and_nothing_is_lost() {
        let (mut from, mut to) = (batched(), batched());
        // The kernel answers EINVAL to segmentation without checksums (udp_send_skb in net/ipv4/udp.c).
        set_option(from.socket(), libc::SOL_SOCKET, libc::SO_NO_CHECK, 1)
            .expect("an option of every socket");
        let to_address = destination(&to, LOOPBACK);
        assert!(from.counters().segmentation);
        exchange(
            &mut from,
            &mut to,
            to_address,
            &[60, 1_452, 1_452, 1_452, 60],
        );
        assert!(!from.counters().segmentation);
        assert_eq!(from.counters().unsendable, 0);
        exchange(&mut from, &mut to, to_address, &[1_452; 100]);
    }

    thread_local! {
        /// What the next calls of [`scripted`] do: fail with an error number, or (0) send one message.
        static SCRIPT: RefCell<Vec<i32>> = const { RefCell::new(Vec::new()) };
    }

    /// `sendmmsg` that follows the script, and is the real one after its end.
    unsafe extern "C" fn scripted(
        socket: libc::c_int,
        messages: *mut libc::mmsghdr,
        count: libc::c_uint,
        flags: libc::c_int,
    ) -> libc::c_int {
        let step = SCRIPT.with_borrow_mut(|script| {
            if script.is_empty() {
                None
            } else {
                Some(script.remove(0))
            }
        });
        match step {
            // SAFETY: the caller's arguments, or fewer of the same messages.
            None => unsafe { libc::sendmmsg(socket, messages, count, flags) },
            Some(0) => unsafe { libc::sendmmsg(socket, messages, 1, flags) },
            Some(error) => {
                // SAFETY: the pointer is this thread's errno.
                unsafe { *libc::__errno_location() = error };
                -1
            }
        }
    }

    fn filled(to: SocketAddr, sizes: &[usize]) -> SendBatch {
        let mut batch = SendBatch::new(256, 1 << 20);
        for (number, &len) in sizes.iter().enumerate() {
            assert!(batch.push(&datagram(number, len), to));
        }
        batch
    }

    fn arrived(to: &mut BatchedUdp, count: usize) -> Vec<usize> {
        let mut received = ReceiveBatch::new(16);
        let mut sizes = Vec::new();
        while sizes.len() < count {
            wait_readable(to);
            to.receive(&mut received).expect("a working socket");
            sizes.extend(received.datagrams().map(|(_, bytes)| bytes.len()));
        }
        sizes
    }

    #[test]
    fn a_full_socket_or_queue_keeps_the_rest_for_later() {
        for (error, progress) in [
            (libc::EAGAIN, SendProgress::Blocked),
            (libc::ENOBUFS, SendProgress::Congested),
        ] {
            let (mut from, mut to) = (batched().with_send_call(scripted), batched());
            let sizes = [300, 300, 200, 400, 400, 100];
            let mut batch = filled(destination(&to, LOOPBACK), &sizes);
            SCRIPT.set(vec![libc::EINTR, 0, error]);
            assert_eq!(from.send(&mut batch), progress);
            assert_eq!(batch.len(), 3, "the first group went");
            assert_eq!(from.send(&mut batch), SendProgress::Complete);
            assert!(batch.is_empty());
            assert_eq!(arrived(&mut to, sizes.len()), sizes);
            assert!(from.counters().segmentation);
        }
    }

    #[test]
    fn a_group_too_large_for_its_path_goes_singly_and_segmentation_stays() {
        let (mut from, mut to) = (batched().with_send_call(scripted), batched());
        let sizes = [300, 300, 300, 700, 700];
        let mut batch = filled(destination(&to, LOOPBACK), &sizes);
        SCRIPT.set(vec![libc::EMSGSIZE]);
        assert_eq!(from.send(&mut batch), SendProgress::Complete);
        assert_eq!(arrived(&mut to, sizes.len()), sizes);
        assert!(from.counters().segmentation);
        assert_eq!(from.counters().unsendable, 0);
    }

    #[test]
    fn a_destination_that_is_refused_is_not_blamed_on_segmentation() {
        let (mut from, mut to) = (batched().with_send_call(scripted), batched());
        let sizes = [300, 300, 300, 700, 700];
        let mut batch = filled(destination(&to, LOOPBACK), &sizes);
        SCRIPT.set(vec![libc::EINVAL; 4]);
        assert_eq!(from.send(&mut batch), SendProgress::Complete);
        assert_eq!(arrived(&mut to, 2), [700, 700]);
        assert!(from.counters().segmentation);
        assert_eq!(from.counters().unsendable, 3);
    }

    #[test]
    fn a_datagram_that_is_refused_does_not_hold_up_the_others() {
        let (mut from, mut to) = (batched().with_send_call(scripted), batched());
        let mut batch = filled(destination(&to, LOOPBACK), &[100, 200, 300]);
        SCRIPT.set(vec![libc::EPERM, 0, libc::EHOSTUNREACH]);
        assert_eq!(from.send(&mut batch), SendProgress::Complete);
        assert_eq!(arrived(&mut to, 1), [200]);
        assert_eq!((from.counters().sent, from.counters().unsendable), (1, 2));
    }
}
