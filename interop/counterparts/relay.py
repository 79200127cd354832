"""A UDP relay between a client and a server, that notes what passes, takes its time and can change its address.

As a NAT router does: to the server it is the client, and after `move` the client is somewhere else. Over IPv6 it needs
a network that has the addresses ELSEWHERE (`namespaces.internet`).
"""

from __future__ import annotations

import contextlib
import itertools
import selectors
import socket
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Self

from interop.counterparts import ends
from interop.counterparts.namespaces import ELSEWHERE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from interop.counterparts.ends import Address

_turns = itertools.count()


class Relay:
    """Runs in a thread of its own until it is left. `endpoint` is what the client is given."""

    def __init__(self, server: Address, *, hosts: Sequence[str] = (), delay: float = 0) -> None:
        """`hosts`: addresses to be at, in turn, in place of loopback ones; `delay`: seconds that every way takes."""
        self._server = server
        self._hosts = tuple(hosts)
        self._delay = delay
        self._on_the_way: deque[tuple[float, str, bytes]] = deque()
        self._client: Address | None = None
        self._lock = threading.Lock()
        self._sizes: dict[str, list[int]] = {"up": [], "down": []}
        self._version = 6 if ":" in server[0] else 4
        self._near = self._bound({4: "127.0.0.1", 6: "::1"}[self._version], 0)
        self._wake, self._woken = socket.socketpair()
        self._far = self._bound(self._another_host(), 0)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def endpoint(self) -> str:
        """Where the client sends to, "host:port"."""
        return ends.join(*self._near.getsockname()[:2])

    @property
    def outside(self) -> str:
        """What the server sees as the client's endpoint now."""
        with self._lock:
            return ends.join(*self._far.getsockname()[:2])

    def sizes(self, direction: str) -> list[int]:
        """The size of every datagram that passed "up" (to the server) or "down", in order."""
        with self._lock:
            return list(self._sizes[direction])

    def move(self, *, host: bool = True, port: bool = True) -> None:
        """Be at another address, at another port, or both, from now on; what is sent to the old place is lost."""
        with self._lock:
            old_host, old_port = self._far.getsockname()[:2]
            moved = self._bound(self._another_host() if host else old_host, 0 if port else old_port)
            self._far.close()
            self._far = moved
        self._wake.send(b"m")

    def _another_host(self) -> str:
        turn = next(_turns)
        if self._hosts:
            return self._hosts[turn % len(self._hosts)]
        return f"127.0.0.{turn % 250 + 2}" if self._version == 4 else ELSEWHERE[turn % len(ELSEWHERE)]

    def _bound(self, host: str, port: int) -> socket.socket:
        opened = socket.socket({4: socket.AF_INET, 6: socket.AF_INET6}[self._version], socket.SOCK_DGRAM)
        opened.bind((host, port))
        opened.setblocking(False)
        return opened

    def _run(self) -> None:
        while True:
            with self._lock:
                far = self._far
            with selectors.DefaultSelector() as selector:
                for waiting in (self._near, far, self._woken):
                    selector.register(waiting, selectors.EVENT_READ)
                while not self._pass(selector, far):
                    pass
            if self._closed:
                return

    _closed = False

    def _pass(self, selector: selectors.BaseSelector, far: socket.socket) -> bool:
        """Pass on what came; true once the sockets have changed."""
        ready = [key.fileobj for key, _ in selector.select(self._due())]
        if self._woken in ready:
            self._closed = self._woken.recv(1) == b"c"
            return True
        # A datagram to where nobody listens comes back as an error of a later call: it is lost, as on any network.
        with contextlib.suppress(OSError):
            if self._near in ready:
                datagram, self._client = self._near.recvfrom(65536)
                self._take("up", datagram)
        with contextlib.suppress(OSError):
            if far in ready and self._client is not None:
                self._take("down", far.recv(65536))
        while self._on_the_way and self._due() == 0:
            _, direction, datagram = self._on_the_way.popleft()
            with contextlib.suppress(OSError):
                if direction == "up":
                    far.sendto(datagram, self._server)
                elif self._client is not None:
                    self._near.sendto(datagram, self._client)
        return False

    def _take(self, direction: str, datagram: bytes) -> None:
        self._note(direction, datagram)
        self._on_the_way.append((time.monotonic() + self._delay, direction, datagram))

    def _due(self) -> float | None:
        """Seconds until the next datagram has arrived; None while none is on its way."""
        return max(0.0, self._on_the_way[0][0] - time.monotonic()) if self._on_the_way else None

    def _note(self, direction: str, datagram: bytes) -> None:
        with self._lock:
            self._sizes[direction].append(len(datagram))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._wake.send(b"c")
        self._thread.join()
        for used in (self._near, self._far, self._wake, self._woken):
            used.close()
