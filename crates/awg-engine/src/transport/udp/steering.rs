//! Which of several sockets at one port a datagram comes to: that of the loop which its session's index names, where the index can
//! be read, by a classic BPF program of six instructions (`socket(7)`, `SO_ATTACH_REUSEPORT_CBPF`). Where it cannot, and for what is no
//! transport message, the choice is arbitrary, and the loops hand over among themselves; beside Linux always.

use std::io;
use std::os::fd::RawFd;

use awg_tunnel::Spread;

/// Has the sockets at the port of `descriptor` chosen by the index that begins at `offset` in a datagram. They are numbered as they
/// were bound.
///
/// # Errors
/// The system does not do it.
#[cfg(target_os = "linux")]
pub(crate) fn steer(descriptor: RawFd, offset: u32, spread: Spread) -> io::Result<()> {
    use libc::{
        BPF_A, BPF_ABS, BPF_ALU, BPF_K, BPF_LD, BPF_MOD, BPF_MUL, BPF_RET, BPF_RSH, BPF_W, BPF_XOR,
    };

    let step = |code: u32, k: u32| libc::sock_filter {
        code: code as u16,
        jt: 0,
        jf: 0,
        k,
    };
    // A load swaps the bytes of the index, as the spread does. Beyond the end of a datagram it ends the program with 0.
    let mut program = [
        step(BPF_LD | BPF_W | BPF_ABS, offset),
        step(BPF_ALU | BPF_XOR | BPF_K, spread.mask),
        step(BPF_ALU | BPF_MUL | BPF_K, spread.factor),
        step(BPF_ALU | BPF_RSH | BPF_K, 16),
        step(BPF_ALU | BPF_MOD | BPF_K, spread.shares),
        step(BPF_RET | BPF_A, 0),
    ];
    let filter = libc::sock_fprog {
        len: program.len() as u16,
        filter: program.as_mut_ptr(),
    };
    // SAFETY: the pointer and the length describe `filter`, which outlives the call, as does the program that it points to.
    let status = unsafe {
        libc::setsockopt(
            descriptor,
            libc::SOL_SOCKET,
            libc::SO_ATTACH_REUSEPORT_CBPF,
            (&raw const filter).cast(),
            size_of_val(&filter) as libc::socklen_t,
        )
    };
    if status == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Other systems do not.
#[cfg(not(target_os = "linux"))]
pub(crate) fn steer(_: RawFd, _: u32, _: Spread) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
