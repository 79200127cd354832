use std::time::{Duration, Instant};

use awg_tunnel::Contact;

use super::{Action, Circumstances, Liveness};

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// A peer as the test describes it, and what is wanted of it.
struct World {
    now: Instant,
    liveness: Liveness,
    circumstances: Circumstances,
}

impl World {
    fn new(answers_pings: bool) -> Self {
        let start = Instant::now();
        let handshake = Some(start);
        Self {
            now: start + 60 * SECOND,
            liveness: Liveness::default(),
            circumstances: Circumstances {
                contact: Contact {
                    received: handshake,
                    content: None,
                    received_bytes: 92,
                    handshake_message: handshake,
                    handshake_heard: handshake,
                    handshake_under_way: false,
                    round_trip: Some(20 * MILLISECOND),
                    between_initiations: 5 * SECOND,
                    silence: 15 * SECOND,
                },
                answers_pings,
                flows_open: true,
            },
        }
    }

    fn send(&mut self) {
        let received = self.circumstances.contact.received_bytes;
        self.liveness.handle_sent(self.now, received);
    }

    /// Something comes in: content, or a keepalive.
    fn hear(&mut self, bytes: u64, content: bool) {
        let contact = &mut self.circumstances.contact;
        contact.received = Some(self.now);
        contact.received_bytes += bytes;
        if content {
            contact.content = Some(self.now);
            self.liveness.handle_received(self.now);
        }
    }

    /// A handshake is begun and answered, now.
    fn shake_hands(&mut self) {
        self.hear(92, false);
        let contact = &mut self.circumstances.contact;
        contact.handshake_message = Some(self.now);
        contact.handshake_heard = Some(self.now);
    }

    /// The same, and the session stands.
    fn begin_session(&mut self) {
        self.shake_hands();
        let contact = self.circumstances.contact;
        self.liveness.handle_session(self.now, &contact);
    }

    /// What is to be done within `time`, and when.
    fn within(&mut self, time: Duration) -> Vec<(Duration, Action)> {
        let (begin, end) = (self.now, self.now + time);
        let mut done = Vec::new();
        let mut wakes = 0;
        while let Some(at) = self.liveness.next_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            wakes += 1;
            assert!(wakes < 50, "it spins");
            while let Some(action) = self.liveness.handle_timeout(self.now, &self.circumstances) {
                done.push((self.now - begin, action));
                if action == Action::Handshake {
                    self.circumstances.contact.handshake_under_way = true;
                }
            }
        }
        self.now = end;
        done
    }
}

#[test]
fn what_nobody_answers_begins_a_handshake() {
    let mut world = World::new(false);
    world.send();
    assert_eq!(
        world.within(10 * SECOND),
        [(400 * MILLISECOND, Action::Handshake)]
    );
    // Of a peer that is farther away more is expected.
    let mut world = World::new(false);
    world.circumstances.contact.round_trip = Some(200 * MILLISECOND);
    world.send();
    assert_eq!(
        world.within(10 * SECOND),
        [(800 * MILLISECOND, Action::Handshake)]
    );
}

#[test]
fn where_pings_are_answered_one_comes_first() {
    let mut world = World::new(true);
    world.send();
    assert_eq!(
        world.within(10 * SECOND),
        [
            (200 * MILLISECOND, Action::Ping),
            (400 * MILLISECOND, Action::Handshake)
        ]
    );
}

#[test]
fn whatever_is_heard_is_a_sign_of_life() {
    for content in [false, true] {
        let mut world = World::new(true);
        world.send();
        assert_eq!(
            world.within(300 * MILLISECOND),
            [(200 * MILLISECOND, Action::Ping)]
        );
        world.hear(60, content);
        assert_eq!(world.within(60 * SECOND), []);
        assert_eq!(
            world.liveness.next_timeout(),
            None,
            "and nothing is left to wake for"
        );
    }
}

#[test]
fn a_target_that_never_answers_is_asked_about_every_two_seconds_at_most() {
    let mut world = World::new(true);
    let mut pings = 0;
    for _ in 0..100 {
        world.send();
        for (_, action) in world.within(100 * MILLISECOND) {
            assert_eq!(action, Action::Ping);
            pings += 1;
            world.hear(60, true);
        }
    }
    assert!((4..=6).contains(&pings), "{pings}");
}

#[test]
fn handshakes_stay_five_seconds_apart_and_fifteen_where_they_change_nothing() {
    let mut world = World::new(false);
    world.circumstances.contact.handshake_message = world.now.checked_sub(SECOND);
    world.send();
    assert_eq!(world.within(10 * SECOND), [(4 * SECOND, Action::Handshake)]);
    world.circumstances.contact.handshake_under_way = false;
    world.shake_hands();
    world.send();
    assert_eq!(
        world.within(60 * SECOND),
        [(15 * SECOND, Action::Handshake)]
    );
    // One that helped is no reason to wait with the next one.
    world.circumstances.contact.handshake_under_way = false;
    world.shake_hands();
    world.now += SECOND;
    world.hear(100, true);
    world.send();
    let done = world.within(60 * SECOND);
    assert_eq!(done.first(), Some(&(4 * SECOND, Action::Handshake)));
}

#[test]
fn while_a_handshake_is_under_way_nothing_is_added_and_nobody_is_woken() {
    let mut world = World::new(true);
    world.circumstances.contact.handshake_under_way = true;
    world.send();
    assert_eq!(world.within(60 * SECOND), []);
    assert_eq!(world.liveness.next_timeout(), None);
}

#[test]
fn what_waited_for_a_session_is_lost_and_what_was_sent_just_now_may_be() {
    let mut world = World::new(false);
    world.send();
    world.now += 300 * MILLISECOND;
    world.shake_hands();
    assert!(
        world
            .liveness
            .handle_session(world.now, &world.circumstances.contact)
    );
    let mut world = World::new(false);
    world.send();
    world.now += 20 * MILLISECOND;
    world.shake_hands();
    assert!(
        !world
            .liveness
            .handle_session(world.now, &world.circumstances.contact)
    );
    assert_eq!(world.within(SECOND), [(180 * MILLISECOND, Action::Resume)]);
    // Nothing waited.
    let mut world = World::new(false);
    world.shake_hands();
    assert!(
        !world
            .liveness
            .handle_session(world.now, &world.circumstances.contact)
    );
    assert_eq!(world.within(SECOND), []);
}

#[test]
fn a_stream_that_stops_is_shown_where_we_are_and_then_asked_about_once() {
    for answers_pings in [false, true] {
        let mut world = World::new(answers_pings);
        for _ in 0..20 {
            world.hear(1400, true);
            assert_eq!(world.within(100 * MILLISECOND), []);
        }
        world.hear(1400, true);
        let done = world.within(1300 * MILLISECOND);
        assert_eq!(
            done[..2],
            [(150 * MILLISECOND, Action::Show), (SECOND, Action::Probe)]
        );
        // The question is one that expects an answer.
        assert_eq!(
            world.within(SECOND),
            [(100 * MILLISECOND, Action::Handshake)]
        );
        world.circumstances.contact.handshake_under_way = false;
        world.hear(1400, true);
        assert_eq!(world.within(60 * SECOND), [], "one packet is no stream");
    }
}

#[test]
fn a_stream_without_a_flow_is_nobodys() {
    let mut world = World::new(true);
    world.circumstances.flows_open = false;
    world.hear(1 << 20, true);
    assert_eq!(world.within(60 * SECOND), []);
    assert_eq!(world.liveness.next_timeout(), None);
}

#[test]
fn it_is_told_once_that_handshakes_pass_and_nothing_else() {
    let mut world = World::new(true);
    world.send();
    world.now += SECOND;
    world.begin_session();
    let mut told = 0;
    for second in 0..30 {
        assert!(second < 8 || told == 1, "within ten seconds");
        world.send();
        for (_, action) in world.within(SECOND) {
            told += usize::from(action == Action::Warn);
            if action == Action::Handshake {
                world.circumstances.contact.handshake_under_way = false;
                world.begin_session();
            }
        }
    }
    assert_eq!(told, 1);
}

#[test]
fn what_was_sent_before_a_session_is_not_told_to_have_had_no_answer() {
    for answers_pings in [true, false] {
        let mut world = World::new(answers_pings);
        for _ in 0..10 {
            world.circumstances.contact.handshake_under_way = true;
            world.send();
            assert_eq!(world.within(SECOND), []);
        }
        world.circumstances.contact.handshake_under_way = false;
        // What is due at this moment is asked for before the session is told of.
        world.shake_hands();
        world.liveness.wake_at(world.now);
        let done = world.within(Duration::ZERO);
        assert!(done.iter().all(|(_, action)| *action != Action::Warn));
        world.begin_session();
        for _ in 0..4 {
            world.send();
        }
        let done = world.within(SECOND);
        assert!(done.iter().all(|(_, action)| *action != Action::Warn));
        // What nobody answers in it is, and not later than what was sent before would have been.
        let done = world.within(4 * SECOND);
        assert!(done.iter().any(|(_, action)| *action == Action::Warn));
    }
}

#[test]
fn it_is_not_told_of_a_network_that_is_gone() {
    let mut world = World::new(true);
    for _ in 0..30 {
        world.send();
        let done = world.within(SECOND);
        assert!(done.iter().all(|(_, action)| *action != Action::Warn));
    }
}
