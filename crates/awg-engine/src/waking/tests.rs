use std::os::fd::AsRawFd;

use super::*;

#[test]
fn there_is_one_and_it_is_quiet_while_nobody_sleeps() {
    let waking = take(descriptor().expect("a timer"));
    let mut wanted = libc::pollfd {
        fd: waking.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one structure, which outlives the call.
    let ready = unsafe { libc::poll(&raw mut wanted, 1, 0) };
    assert_eq!(ready, 0);
}
