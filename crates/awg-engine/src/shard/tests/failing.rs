//! Applications that fail while what they had said waits for room: how long that may take, and that it arrives if there is room by then.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;

use super::ends::SECOND;
use super::path::{MILLISECOND, World, carried, ours};
use crate::event::Event;
use crate::flow::Outcome;

/// Says as much as is taken while nobody reads it; how much that was.
fn fill(world: &mut World, application: &mut UnixStream) -> usize {
    let part = vec![7; 64 << 10];
    let mut said = 0;
    let mut quiet = 0;
    while quiet < 3 {
        match application.write(&part) {
            Ok(count) => (said, quiet) = (said + count, 0),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                quiet += 1;
                world.run(SECOND);
            }
        }
    }
    said
}

/// How the client's flow ended, if it did.
fn ended(world: &World) -> Option<Outcome> {
    world.told[0].iter().find_map(|event| match event {
        Event::FlowClosed { outcome, .. } => Some(*outcome),
        _ => None,
    })
}

#[test]
fn what_a_failed_application_had_said_waits_for_room_for_a_minute_and_no_longer() {
    for client in [ours, carried] {
        for is_read in [true, false] {
            let mut world = World::new(20 * MILLISECOND, client);
            let (mut application, mut target) = world.connect(80);
            let said = fill(&mut world, &mut application);
            // A socket that is closed with something unread in it resets the other one.
            target.write_all(b"unread").unwrap();
            world.run(SECOND);
            drop(application);
            world.run(55 * SECOND);
            assert_eq!(ended(&world), None);
            if is_read {
                let mut heard = 0;
                let mut part = vec![0; 64 << 10];
                loop {
                    match target.read(&mut part) {
                        Ok(0) => break,
                        Ok(count) => heard += count,
                        Err(error) => {
                            assert_eq!(error.kind(), ErrorKind::WouldBlock);
                            world.run(10 * MILLISECOND);
                        }
                    }
                }
                assert_eq!(heard, said);
            } else {
                world.run(6 * SECOND);
            }
            assert_eq!(ended(&world), Some(Outcome::Reset));
        }
    }
}
