//! Records: what people are told.

use awg_tunnel::PeerConfig;

use super::ends::{Ends, key, peer};
use crate::event::{Event, Level};
use crate::shard::prepared::capped_buffers;
use crate::transport::udp::SocketBuffers;

#[test]
fn a_refused_peer_is_named_by_its_place_and_no_key_is_in_a_record() {
    let mut ends = Ends::new();
    let own = key(1).public_key();
    ends.shards[1].set_peers(vec![peer(0, None).into(), PeerConfig::new(own).into()]);
    let events = ends.shards[1].shared.events.take();
    let record = events.iter().find_map(|event| match event {
        Event::Log(record) if record.message == "a peer was refused" => Some(record),
        _ => None,
    });
    let record = record.expect("a record");
    assert_eq!(record.level, Level::Error);
    assert!(record.fields.contains(&("peer", "peers[1]".to_owned())));
    assert!(!format!("{record:?}").contains(&own.to_string()));
}

#[test]
fn capped_buffers_are_warned_of() {
    let buffers = |receive, send| SocketBuffers {
        wanted: 4000,
        receive,
        send,
    };
    assert_eq!(capped_buffers(buffers(4000, 4000)), None);
    for capped in [buffers(200, 4000), buffers(4000, 200)] {
        let record = capped_buffers(capped).expect("a record");
        assert_eq!(record.level, Level::Warning);
        assert!(record.fields.contains(&("wanted", "4000".to_owned())));
        assert!(
            record
                .fields
                .contains(&("receive", capped.receive.to_string()))
        );
    }
}
