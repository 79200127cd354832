use std::io::{self, Read};

use super::{Pumped, READS_PER_TURN, UNWANTED, discard};

/// Gives full reads, then waits or ends.
struct Application {
    reads: usize,
    then: io::Result<usize>,
}

impl Read for &mut Application {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.reads == 0 {
            return match &self.then {
                Ok(length) => Ok(*length),
                Err(error) => Err(error.kind().into()),
            };
        }
        self.reads -= 1;
        Ok(buffer.len().min(UNWANTED))
    }
}

#[test]
fn an_application_that_never_falls_silent_leaves_others_their_turn() {
    let mut application = Application {
        reads: usize::MAX,
        then: Ok(0),
    };
    assert_eq!(discard(&mut application), Pumped::Unfinished);
    assert_eq!(application.reads, usize::MAX - READS_PER_TURN);
}

#[test]
fn last_words_end_with_the_application() {
    for (then, outcome) in [
        (Ok(0), Pumped::Ended("it hung up")),
        (Err(io::ErrorKind::WouldBlock.into()), Pumped::Waiting),
        (
            Err(io::ErrorKind::ConnectionReset.into()),
            Pumped::Failed("its socket failed"),
        ),
    ] {
        let mut application = Application { reads: 3, then };
        assert_eq!(discard(&mut application), outcome);
        assert_eq!(application.reads, 0);
    }
}
