"""What happens to a pair, and how long it is away: each scene gives seconds by what was waited for."""

from __future__ import annotations

import hashlib
import itertools
import socket
import threading
import time
from typing import TYPE_CHECKING

from interop.counterparts import conversation, socks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.recovery.systems import Pair

    Scene = Callable[[Pair], Mapping[str, float]]

IDLE_SECONDS = 8.0
"""How long a client is idle before: its last handshake is no news any more."""
DOWN_SECONDS = 3.0
SILENCE_SECONDS = 1.0
PATIENCE = 600.0
LOST = float("inf")
"""In place of seconds: what was under way did not survive."""
TRANSFER = 64 << 20
PACE = 2 << 20
"""Bytes a second of a transfer while nothing is wrong."""
PING_SECONDS = 0.02
WATCH_SECONDS = 4.0


def restart(pair: Pair) -> Mapping[str, float]:
    """The server is killed and started again while the client is idle; then an application wants something."""
    conversation.echo(pair.proxy, pair.services["echo"])
    time.sleep(IDLE_SECONDS)
    pair.kill_server()
    pair.start_server()
    return {"new connection": _until_echo(pair)}


def restart_in_use(pair: Pair) -> Mapping[str, float]:
    """The same, but an application has asked while the server was down, and the client's initiation was lost."""
    conversation.echo(pair.proxy, pair.services["echo"])
    time.sleep(IDLE_SECONDS)
    pair.kill_server()
    asking = threading.Thread(target=_ask, args=(pair,), daemon=True)
    asking.start()
    time.sleep(DOWN_SECONDS)
    pair.start_server()
    return {"new connection": _until_echo(pair)}


def restart_in_download(pair: Pair) -> Mapping[str, float]:
    """A download's server is killed and started again: how long until the application gets a byte or an error."""
    with _Download(pair, TRANSFER) as download:
        download.wait_for_bytes(2 * PACE)
        pair.kill_server()
        download.hurry()
        download.wait_for_silence()
        pair.start_server()
        return {"byte or error": download.next_change(time.monotonic())}


def outage(seconds: float) -> Scene:
    """Nothing gets through for so long, under a download, an upload and then a new connection."""

    def scene(pair: Pair) -> Mapping[str, float]:
        with _Download(pair, TRANSFER) as download, _Upload(pair, TRANSFER) as upload:
            download.wait_for_bytes(2 * PACE)
            with pair.blackout():
                time.sleep(seconds)
            begun = time.monotonic()
            for transfer in (download, upload):
                transfer.hurry()
            new = _until_echo(pair)
            away = {
                "download goes on": download.next_progress(begun),
                "upload goes on": upload.next_progress(begun),
                "new connection": new,
            }
            for name, transfer in (("download", download), ("upload", upload)):
                if not transfer.is_whole_at_the_end():
                    away[f"{name} goes on"] = LOST
        return away

    return scene


def move(pair: Pair, *, host: bool, download: bool) -> Mapping[str, float]:
    """The client is seen at another address or port from now on: the longest gap in a conversation, or a download."""
    if download:
        with _Download(pair, TRANSFER) as transfer:
            transfer.wait_for_bytes(PACE)
            transfer.watch_gaps()
            pair.relay.move(host=host, port=not host)
            time.sleep(WATCH_SECONDS)
            return {"gap in a download": transfer.longest_gap()}
    with socks.connect(pair.proxy, pair.services["echo"], PATIENCE) as talk:
        talk.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        longest, begun, moved = 0.0, time.monotonic(), False
        while (now := time.monotonic()) < begun + WATCH_SECONDS:
            if not moved and now > begun + 1:
                pair.relay.move(host=host, port=not host)
                moved = True
            talk.sendall(b"x")
            socks.take(talk, 1)
            longest = max(longest, time.monotonic() - now)
            time.sleep(PING_SECONDS)
        return {"gap in a conversation": longest}


def other_address(pair: Pair) -> Mapping[str, float]:
    """Another address of the client."""
    return move(pair, host=True, download=False)


def other_port(pair: Pair) -> Mapping[str, float]:
    """Another port of it, as of a NAT router that forgot."""
    return move(pair, host=False, download=False)


def other_port_in_download(pair: Pair) -> Mapping[str, float]:
    """The same while the client only receives."""
    return move(pair, host=False, download=True)


SCENES: dict[str, tuple[float, Scene]] = {
    "server restart, idle client, 100 ms": (0.05, restart),
    "server restart, idle client, 1 ms": (0.0005, restart),
    "server restart, asked meanwhile": (0.0005, restart_in_use),
    "server restart under a download": (0.0005, restart_in_download),
    "outage of 30 s": (0.0005, outage(30)),
    "outage of 150 s": (0.0005, outage(150)),
    "another address": (0.0005, other_address),
    "another port": (0.0005, other_port),
    "another port, download": (0.0005, other_port_in_download),
}
"""By name: seconds that every way takes, and what happens."""


def _until_echo(pair: Pair) -> float:
    """Seconds from now until something came back through a new connection; asks again where it is refused."""
    begun = time.monotonic()
    while True:
        try:
            with socks.connect(pair.proxy, pair.services["echo"], PATIENCE) as talk:
                talk.sendall(b"x")
                socks.take(talk, 1)
                return time.monotonic() - begun
        except (OSError, socks.RefusedError):
            if time.monotonic() > begun + PATIENCE:
                raise
            time.sleep(0.05)


def _ask(pair: Pair) -> None:
    with pair.near.entered():
        _until_echo(pair)


class LostError(Exception):
    """A transfer did not survive what was done to it."""


class _Transfer:
    """One transfer in a thread of its own, at `PACE` until it is hurried; keeps when its bytes moved."""

    def __init__(self, pair: Pair, length: int) -> None:
        self.ended = threading.Event()
        self.failed = False
        self._pair = pair
        self._length = length
        self._moved = 0
        self._times: list[float] = []
        self._hurry = threading.Event()
        self._leave = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> _Transfer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._leave.set()
        self._hurry.set()
        self._thread.join(PATIENCE)

    def hurry(self) -> None:
        """As fast as it goes from now on."""
        self._hurry.set()

    def wait_for_bytes(self, count: int) -> None:
        """Until so many have moved."""
        deadline = time.monotonic() + PATIENCE
        while self._moved < count:
            if time.monotonic() > deadline:
                raise LostError("the transfer does not begin")
            time.sleep(0.01)

    def next_progress(self, begun: float) -> float:
        """Seconds from `begun` until a byte moved; nan where none did."""
        deadline = begun + PATIENCE
        while time.monotonic() < deadline and not (self.ended.is_set() and self.failed):
            moved = [at for at in tuple(self._times) if at >= begun]
            if moved:
                return moved[0] - begun
            time.sleep(0.01)
        return float("nan")

    def wait_for_silence(self) -> None:
        """Until what was under way has come."""
        while self._times and time.monotonic() < self._times[-1] + SILENCE_SECONDS:
            time.sleep(0.01)

    def next_change(self, begun: float) -> float:
        """Seconds from `begun` until a byte moved or the transfer failed; nan where neither happened."""
        deadline = begun + PATIENCE
        while time.monotonic() < deadline:
            if self.ended.is_set() or self._times[-1] >= begun:
                return time.monotonic() - begun
            time.sleep(0.01)
        return float("nan")

    def watch_gaps(self) -> None:
        """Gaps count from now on."""
        self._times.clear()

    def longest_gap(self) -> float:
        """The longest time without a byte."""
        times = tuple(self._times)
        return max((later - earlier for earlier, later in itertools.pairwise(times)), default=float("nan"))

    def is_whole_at_the_end(self) -> bool:
        """Wait for its end, and whether it lost nothing."""
        return self.ended.wait(PATIENCE) and not self.failed

    def _run(self) -> None:
        try:
            with self._pair.near.entered():
                self._transfer()
        except (OSError, LostError, socks.RefusedError):
            self.failed = True
        finally:
            self.ended.set()

    def _transfer(self) -> None:
        raise NotImplementedError

    def _went(self, count: int) -> None:
        self._moved += count
        self._times.append(time.monotonic())
        self._hurry.wait(count / PACE)


class _Download(_Transfer):
    def _transfer(self) -> None:
        digest = hashlib.sha256()
        with socks.connect(self._pair.proxy, self._pair.services["source"], PATIENCE) as connection:
            # The kernel keeps little of it, so that what is read has just come.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
            connection.sendall(b"%d\n" % self._length)
            while not self._leave.is_set() and (piece := connection.recv(1 << 15)):
                digest.update(piece)
                self._went(len(piece))
        if not self._leave.is_set() and digest.hexdigest() != conversation.pattern_digest(self._length):
            raise LostError("what came is not what was sent")


class _Upload(_Transfer):
    def _transfer(self) -> None:
        with socks.connect(self._pair.proxy, self._pair.services["digest"], PATIENCE) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
            for piece in conversation.pieces(self._length):
                for start in range(0, len(piece), 1 << 15):
                    if self._leave.is_set():
                        return
                    connection.sendall(piece[start : start + (1 << 15)])
                    self._went(min(1 << 15, len(piece) - start))
            connection.shutdown(socket.SHUT_WR)
            answer = connection.makefile().readline()
        if conversation.pattern_digest(self._length) not in answer:
            raise LostError("what came is not what was sent")
