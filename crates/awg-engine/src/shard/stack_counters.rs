//! The names of the network stack's counters, for snapshots.

use awg_netstack::{
    CarrierCounters, Counters, DatagramCounters, FragmentCounters, IcmpCounters, TcpCounters,
};

/// Each counter of a structure with its name. The pattern lists all fields, so that one that is added later and forgotten here
/// does not compile.
macro_rules! named {
    ($counters:expr, $type:ident, $prefix:literal: $($name:ident)* $(; $layer:ident)*) => {{
        let $type { $($name,)* $($layer: _,)* } = $counters;
        [$((concat!($prefix, stringify!($name)), $name)),*]
    }};
}

/// Each counter with its name.
pub(super) fn named(counters: &Counters) -> impl Iterator<Item = (&'static str, u64)> + use<> {
    let own = named!(*counters, Counters, "":
        packets_received packets_sent malformed not_unicast unknown_protocol elsewhere stray_errors;
        tcp; datagrams; fragments; icmp; carrier
    );
    let tcp = named!(counters.tcp, TcpCounters, "tcp_":
        malformed stray repeated_syns half_open_full syns_too_long flows_full half_open_expired send_buffer_full
        time_wait_full resets_sent answers_suppressed waiting_full mtu_lowered fast_retransmits
        retransmission_timeouts resumed keepalives_sent keepalives_unanswered flow_polls timer_polls memory_returned flows half_open time_wait
        buffer_bytes
    );
    let udp = named!(counters.datagrams, DatagramCounters, "udp_":
        received sent malformed bad_checksum unclaimed flows_full queue_full no_flow wrong_family too_large expired
        mtu_lowered timer_looks flows
    );
    let fragments = named!(counters.fragments, FragmentCounters, "fragments_":
        reassembled malformed refused late expired evicted no_room
    );
    let icmp = named!(counters.icmp, IcmpCounters, "icmp_":
        echo_replies echoes_sent echoes_answered errors_sent errors_received malformed ignored unanswerable rate_limited
        queue_full
    );
    own.into_iter()
        .chain(tcp)
        .chain(udp)
        .chain(fragments)
        .chain(icmp)
}

/// Each counter of the carriers with its name.
pub(super) fn of_carriers(
    counters: &CarrierCounters,
) -> impl Iterator<Item = (&'static str, u64)> + use<> {
    named!(*counters, CarrierCounters, "":
        received sent malformed peers_full established lost resets_sent attempts_failed panics bad_requests flows_full
        half_open_expired send_buffer_full windows_grown windows_full flows_unread fragmented flows_fragmented datagrams_received datagrams_sent datagrams_by_stream
        datagram_queue_full datagrams_malformed datagrams_expired packets_lost carriers flows half_open
    )
    .into_iter()
}
