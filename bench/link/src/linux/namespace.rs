//! Network namespaces by name: sockets and devices belong to the one in which they are made.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::Path;

/// A network namespace.
#[derive(Debug)]
pub struct Namespace(File);

impl Namespace {
    /// The one of this name (as `ip netns` has it) or at this path.
    ///
    /// # Errors
    /// There is none, or it may not be opened.
    pub fn open(name: &str) -> io::Result<Self> {
        let path = if name.contains('/') {
            name.into()
        } else {
            Path::new("/run/netns").join(name)
        };
        File::open(&path).map(Self).map_err(|error| {
            io::Error::new(
                error.kind(),
                format!("network namespace {}: {error}", path.display()),
            )
        })
    }

    /// The one that this thread is in.
    ///
    /// # Errors
    /// /proc is missing.
    pub fn current() -> io::Result<Self> {
        Self::open("/proc/thread-self/ns/net")
    }

    /// Does something inside, and comes back.
    ///
    /// # Errors
    /// This program may not enter it, or what `inside` says.
    pub fn within<T>(&self, inside: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let home = Self::current()?;
        self.enter()?;
        let done = inside();
        home.enter()?;
        done
    }

    fn enter(&self) -> io::Result<()> {
        // SAFETY: no pointers; the descriptor is open.
        match unsafe { libc::setns(self.0.as_raw_fd(), libc::CLONE_NEWNET) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}
