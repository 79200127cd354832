//! Commands: a share of each turn, and none lost.

use std::net::SocketAddr;
use std::os::unix::net::UnixDatagram;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use super::ends::{Ends, inner};
use crate::command::Command;
use crate::event::Event;
use crate::flow::FlowId;
use crate::shard::Shard;

fn push(shard: &Shard, command: Command) {
    let pushed = shard.shared.desks[0].commands.push((), |()| command);
    pushed.map_err(|(error, ())| error).unwrap();
}

#[test]
fn many_commands_leave_packets_their_turn_and_are_all_carried_out() {
    let [mut shard, _] = Ends::new().shards;
    shard.turn();
    shard.shared.desks[0].commands.open();
    for _ in 0..600 {
        push(&shard, Command::Close { flow: FlowId(7) });
    }
    let (answer, answered) = sync_channel(1);
    push(&shard, Command::Snapshot { answer });
    for _ in 0..2 {
        shard.turn();
        assert!(answered.try_recv().is_err());
        assert_eq!(shard.patience(), Some(Duration::ZERO));
    }
    shard.turn();
    assert!(answered.try_recv().is_ok());
}

#[test]
fn a_flow_whose_command_a_defect_overtook_has_its_last_event() {
    let [mut shard, _] = Ends::new().shards;
    shard.shared.desks[0].commands.open();
    let (_application, ours) = UnixDatagram::pair().unwrap();
    push(&shard, Command::Panic);
    push(
        &shard,
        Command::OpenDatagrams {
            flow: FlowId(7),
            destination: SocketAddr::new(inner(1), 9),
            application: ours.into(),
        },
    );
    catch_unwind(AssertUnwindSafe(|| shard.turn())).unwrap_err();
    shard.end_all_flows();
    let ended = |event: &Event| {
        matches!(
            event,
            Event::FlowClosed {
                flow: FlowId(7),
                ..
            }
        )
    };
    assert!(shard.shared.events.take().iter().any(ended));
}
