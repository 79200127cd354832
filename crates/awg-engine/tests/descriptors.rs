//! The descriptors of this process and their limit, in a process of its own where nobody else opens any.

use std::fs::File;
use std::io;

use awg_engine::descriptors::{free_descriptors, open_descriptors, raise_descriptor_limit};

const MANY: usize = 300;

fn limits() -> libc::rlimit {
    let mut limits = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the pointer is to a `rlimit` that outlives the call.
    let status = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limits) };
    assert_eq!(status, 0, "{}", io::Error::last_os_error());
    limits
}

fn set_soft(soft: libc::rlim_t) {
    let limits = libc::rlimit {
        rlim_cur: soft,
        ..limits()
    };
    // SAFETY: the pointer is to a `rlimit` that outlives the call.
    let status = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limits) };
    assert_eq!(status, 0, "{}", io::Error::last_os_error());
}

// One test, since the limit and the descriptors are the process's.
#[test]
fn open_descriptors_are_counted_and_their_limit_rises_to_the_hard_one() {
    set_soft(1024);
    let before = open_descriptors().expect("a system that shows them");
    let files: Vec<File> = (0..MANY)
        .map(|_| File::open("/dev/null").expect("the null device"))
        .collect();
    assert_eq!(open_descriptors(), Some(before + MANY));
    assert_eq!(free_descriptors(), Some(1024 - before - MANY));
    drop(files);
    assert_eq!(open_descriptors(), Some(before));

    let raised = raise_descriptor_limit().expect("the right to raise to the hard limit");
    assert_eq!((raised.before, raised.hard), (1024, limits().rlim_max));
    assert_eq!(raised.now, limits().rlim_cur);
    assert!(raised.now > 1024 || raised.hard <= 1024);
    let again = raise_descriptor_limit().expect("nothing to do");
    assert_eq!((again.before, again.now), (raised.now, raised.now));
}
