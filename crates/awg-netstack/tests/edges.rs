//! Data at the edges of a connection: with the end of the handshake, and after the peer's FIN.

mod segments;
mod wire;

use awg_netstack::{Event, Limits};
use segments::server::{ENDS, PEER, World};
use segments::{ACK, FIN, Segment};

/// The segment that completes a handshake may have data (RFC 9293 section 3.5): the handshake is told of first.
#[test]
fn data_that_completes_a_handshake_is_told_of_after_it() {
    for [client, target] in ENDS {
        let mut world = World::new(Limits::default());
        let (flow, first) = world.accepted(client, target);
        let mut data = Segment::new(client, target, FIN, 1001).acknowledging(first);
        data.data = vec![1; 10];
        world.give(PEER, &data);
        let expected = [
            Event::Established { flow },
            Event::Readable { flow },
            Event::Finished { flow },
        ];
        assert_eq!(world.events(), expected);
        assert_eq!(world.stack.receivable(flow), 10);
    }
}

/// After its FIN a peer has nothing more to say: text beyond it is ignored (RFC 9293 section 3.10.7.4).
#[test]
fn data_after_the_end_does_not_come_out() {
    for [client, target] in ENDS {
        let mut world = World::new(Limits::default());
        let (flow, first) = world.accepted(client, target);
        let mut last = Segment::new(client, target, FIN, 1001).acknowledging(first);
        last.data = vec![1; 10];
        world.give(PEER, &last);
        // Behind the FIN, over it, and the end once more, as one sends it whose acknowledgement was lost.
        for sequence in [1012, 1006] {
            let mut more = Segment::new(client, target, ACK, sequence).acknowledging(first);
            more.data = vec![2; 10];
            world.give(PEER, &more);
            assert_eq!(world.stack.receivable(flow), 10);
        }
        world.give(PEER, &last);
        assert_eq!(world.stack.receivable(flow), 10);
        world.stack.shutdown(flow);
        let fin = world.sent(PEER).pop().expect("a FIN");
        assert_eq!((fin.flags & FIN, fin.acknowledgement), (FIN, 1012));
    }
}
