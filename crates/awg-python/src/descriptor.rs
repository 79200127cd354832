//! Descriptors that change hands: the engine's once a call returned, the caller's if it raised.

use std::io;
use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd, RawFd};

use awg_engine::NotTaken;

use crate::arguments::Whole;
use crate::errors::Failure;

/// Takes an open descriptor over from the caller.
pub(crate) fn adopt(fd: Whole) -> Result<OwnedFd, Failure> {
    let fd = RawFd::try_from(fd.get()).unwrap_or(-1);
    // SAFETY: a question about a number, which the system answers for any number.
    if unsafe { libc::fcntl(fd, libc::F_GETFD) } < 0 {
        return Err(Failure::system(&io::Error::last_os_error()));
    }
    // SAFETY: it is open, and by the contract of this boundary the caller gives it away.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Lets the caller keep the descriptor of a command that was not taken.
pub(crate) fn give_back(refused: NotTaken) -> Failure {
    let _callers = refused.descriptor.into_raw_fd();
    refused.error.into()
}
