"""Network namespaces of our own: made, joined by a cable and always removed. Linux, root.

Nothing outside the namespaces is changed.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

INTERNET = {4: "198.51.100.1", 6: "2001:db8::1"}
"""Addresses of documentation (RFC 5737, RFC 3849)."""

ELSEWHERE = ("2001:db8:e::1", "2001:db8:e::2", "2001:db8:e::3", "2001:db8:e::4")
"""More of them, to be at and to move between: IPv6 has but one loopback address."""

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Namespace:
    """A network namespace with its loopback up."""

    name: str

    @property
    def inside(self) -> list[str]:
        """What to put before a command so that it runs in here."""
        return ["ip", "netns", "exec", self.name]

    def ip(self, arguments: str) -> None:
        """`ip` in here, e.g. `link set awg0 up`. Raises CommandError."""
        _run(["ip", "-n", self.name, *arguments.split()])

    def run(self, command: list[str], timeout: float = 30) -> str:
        """Run a command in here to its end and return its output. Raises CommandError, TimeoutExpired."""
        return _run([*self.inside, *command], timeout)

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Within, sockets that this thread opens are in here; they stay so afterwards."""
        with Path("/proc/thread-self/ns/net").open() as home, Path("/run/netns", self.name).open() as here:
            _enter(here.fileno())
            try:
                yield
            finally:
                _enter(home.fileno())

    def set(self, parameter: str, value: str) -> None:
        """`sysctl` in here."""
        self.run(["sysctl", "-qw", f"{parameter}={value}"])


@contextlib.contextmanager
def namespace() -> Iterator[Namespace]:
    """A fresh namespace; removed with all that is in it."""
    made = Namespace(f"awg-{os.getpid()}-{next(_numbers)}")
    _run(["ip", "netns", "add", made.name])
    try:
        made.ip("link set lo up")
        yield made
    finally:
        _run(["ip", "netns", "del", made.name])


def internet(where: Namespace) -> None:
    """Give a namespace the addresses that stand for the internet.

    They are on its loopback interface, but not loopback addresses: those a tunnel's client would never send out.
    """
    for version, address in INTERNET.items():
        where.ip(f"-{version} address add {address} dev lo" + (" nodad" if version == 6 else ""))
    for address in ELSEWHERE:
        where.ip(f"-6 address add {address} dev lo nodad")


@contextlib.contextmanager
def pair(near: str, far: str) -> Iterator[tuple[Namespace, Namespace]]:
    """Two namespaces joined by a veth pair, whose ends are called `cable` and have these addresses (`a.b.c.d/n`).

    The cable is removed by name: the kernel may keep a namespace alive, for a connection in TIME-WAIT, long after it
    lost its own.
    """
    with namespace() as here, namespace() as there:
        here.ip(f"link add cable type veth peer name cable netns {there.name}")
        try:
            for end, address in ((here, near), (there, far)):
                # An IPv6 address is usable at once only without the search for duplicates.
                end.ip(f"address add {address} dev cable" + (" nodad" if ":" in address else ""))
                end.ip("link set cable up")
            yield here, there
        finally:
            here.ip("link delete cable")


def _enter(namespace: int) -> None:
    # os.setns came with Python 3.12.
    if _libc.setns(namespace, _CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


class CommandError(Exception):
    """A command in a namespace failed; the text holds the command and its own words."""


def _run(command: list[str], timeout: float = 30) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=timeout)
    if done.returncode:
        raise CommandError(f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout
