//! A peer whose window is shut: nothing is sent into it, and it is asked until it opens, whatever was lost.

mod segments;
mod wire;

use std::time::Duration;

use awg_netstack::Limits;
use segments::server::{ENDS, PEER, World};
use segments::{ACK, Segment};

/// A flow whose peer has taken some data and shut its window, with more waiting; the peer's acknowledgement.
fn shut_out([client, target]: [&str; 2]) -> (World, Segment) {
    let mut world = World::new(Limits::default());
    let (flow, first) = world.accepted(client, target);
    let open = Segment::new(client, target, ACK, 1001).acknowledging(first);
    world.give(PEER, &open);
    world.stack.send(flow, &mut |free| free.len().min(100_000));
    let sent = world.sent(PEER);
    let taken = &sent[0];
    let end = taken.sequence.wrapping_add(taken.data.len() as u32);
    let shut = Segment {
        window: 0,
        ..open.acknowledging(end)
    };
    let sent = world.give(PEER, &shut);
    assert!(sent.iter().all(|segment| segment.data.is_empty()));
    (world, shut)
}

/// What is sent while time passes from deadline to deadline, and after how many seconds; each is answered by `answer`.
fn meanwhile(world: &mut World, time: Duration, answer: Option<&Segment>) -> Vec<(u64, Segment)> {
    let begin = world.now;
    let end = begin + time;
    let mut all = Vec::new();
    while let Some(next) = world.stack.next_timeout().filter(|next| *next <= end) {
        world.pass(next.saturating_duration_since(world.now));
        let mut sent = world.sent(PEER);
        while !sent.is_empty() {
            let after = world.now.saturating_duration_since(begin).as_secs();
            all.extend(sent.drain(..).map(|segment| (after, segment)));
            if let Some(answer) = answer {
                sent = world.give(PEER, answer);
            }
        }
    }
    all
}

#[test]
fn a_shut_window_is_asked_for_ever_and_never_filled() {
    for ends in ENDS {
        for answers in [false, true] {
            let (mut world, shut) = shut_out(ends);
            // The same again, as one sends it whose data came twice: three are what a loss looks like.
            for _ in 0..5 {
                let sent = world.give(PEER, &shut);
                assert!(sent.iter().all(|segment| segment.data.is_empty()));
            }
            let answer = answers.then_some(&shut);
            let sent = meanwhile(&mut world, Duration::from_mins(10), answer);
            assert!(sent.iter().all(|(_, segment)| segment.data.len() <= 1));
            let times: Vec<_> = sent.iter().map(|(after, _)| *after).collect();
            let gaps = times.windows(2).map(|two| two[1] - two[0]);
            assert!(times[0] <= 2 && gaps.max() <= Some(61), "{times:?}");
            assert!(times.last() >= Some(&530), "{times:?}");
            assert!(times.len() < 60, "{times:?}");
        }
    }
}

/// That it opened was lost; the answer to the next question tells it.
#[test]
fn a_window_whose_opening_was_lost_is_filled_after_the_next_question() {
    for ends in ENDS {
        for minutes in [1, 5] {
            let (mut world, shut) = shut_out(ends);
            meanwhile(&mut world, Duration::from_mins(minutes), Some(&shut));
            let opened = Segment {
                window: u16::MAX,
                ..shut
            };
            let sent = meanwhile(&mut world, Duration::from_secs(61), Some(&opened));
            let data: usize = sent.iter().map(|(_, segment)| segment.data.len()).sum();
            assert!(data > 1000, "{data}");
        }
    }
}
