//! The names of the network stack's counters, for snapshots.

use awg_netstack::Counters;

macro_rules! named {
    ($counters:expr, $prefix:literal: $($name:ident)*) => {
        [$((concat!($prefix, stringify!($name)), $counters.$name)),*]
    };
}

/// Each counter with its name.
pub(super) fn named(counters: &Counters) -> impl Iterator<Item = (&'static str, u64)> + use<> {
    let own = named!(counters, "":
        packets_received packets_sent malformed not_unicast unknown_protocol elsewhere
        stray_errors
    );
    let tcp = named!(counters.tcp, "tcp_":
        malformed stray repeated_syns half_open_full flows_full half_open_expired send_buffer_full
        time_wait_full resets_sent answers_suppressed waiting_full mtu_lowered fast_retransmits
        retransmission_timeouts flow_polls timer_polls memory_returned flows half_open time_wait
        buffer_bytes
    );
    let udp = named!(counters.datagrams, "udp_":
        received sent malformed bad_checksum unclaimed flows_full queue_full too_large expired
        mtu_lowered timer_looks flows
    );
    let fragments = named!(counters.fragments, "fragments_":
        reassembled malformed refused late expired evicted no_room
    );
    let icmp = named!(counters.icmp, "icmp_":
        echo_replies errors_sent errors_received malformed ignored unanswerable rate_limited
        queue_full
    );
    own.into_iter()
        .chain(tcp)
        .chain(udp)
        .chain(fragments)
        .chain(icmp)
}
