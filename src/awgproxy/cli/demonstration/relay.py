"""A relay between client and server that looks on: it forwards every datagram and notes the first ones.

On Linux it moves whole trains of datagrams at a time (UDP_GRO and UDP_SEGMENT), so that it is not what the
demonstration measures; elsewhere one by one.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import sys
import threading
from dataclasses import dataclass

_MAX_TRAIN = 65535
_SOL_UDP = 17
_UDP_SEGMENT = 103
_UDP_GRO = 104
_SOCKET_BUFFER = 8 << 20


@dataclass(frozen=True, slots=True)
class Seen:
    """One datagram as it was on the wire."""

    from_client: bool
    data: bytes


class Relay:
    """Forwards datagrams between whoever talks to `address` and `server`."""

    def __init__(self, server: tuple[str, int], keep: int) -> None:
        """`keep`: how many datagrams to note, from the first one on."""
        self._keep = keep
        self._front = _datagram_socket()
        self._front.bind(("127.0.0.1", 0))
        self._back = _datagram_socket()
        self._back.connect(server)
        self._client: tuple[str, int] | None = None
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._forward, daemon=True)
        self.seen: list[Seen] = []

    @property
    def address(self) -> tuple[str, int]:
        """Where the client is to send."""
        host, port = self._front.getsockname()
        return (host, port)

    def start(self) -> None:
        """Begin to forward, in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close the sockets."""
        self._wake.send(b"x")
        self._thread.join()
        for one in (self._front, self._back, self._wake, self._woken):
            one.close()

    def _forward(self) -> None:
        with selectors.DefaultSelector() as selector:
            for one in (self._front, self._back, self._woken):
                selector.register(one, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fileobj is self._woken:
                        return
                    self._forward_train(from_client=key.fileobj is self._front)

    def _forward_train(self, *, from_client: bool) -> None:
        source, sink = (self._front, self._back) if from_client else (self._back, self._front)
        try:
            # What made it readable may be gone: an error that a send has meanwhile met.
            data, ancillary, _, sender = source.recvmsg(_MAX_TRAIN, socket.CMSG_SPACE(4), socket.MSG_DONTWAIT)
        except OSError:
            return  # nobody listens at the other end yet
        segment = _segment_size(ancillary) or len(data)
        if from_client:
            self._client = sender
        elif self._client is None:
            return
        for start in range(0, len(data), segment or 1):
            if len(self.seen) >= self._keep:
                break
            self.seen.append(Seen(from_client, data[start : start + segment]))
        options = []
        if len(data) > segment:
            options = [(_SOL_UDP, _UDP_SEGMENT, struct.pack("=H", segment))]
        try:
            if from_client:
                sink.sendmsg([data], options)
            else:
                sink.sendmsg([data], options, 0, self._client)
        except OSError:
            return  # a datagram lost, as on any network


def _datagram_socket() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        with contextlib.suppress(OSError):  # more than the system allows, which not every kernel cuts down by itself
            made.setsockopt(socket.SOL_SOCKET, option, _SOCKET_BUFFER)
    if sys.platform == "linux":
        made.setsockopt(_SOL_UDP, _UDP_GRO, 1)
    return made


def _segment_size(ancillary: list[tuple[int, int, bytes]]) -> int:
    for level, kind, data in ancillary:
        if level == _SOL_UDP and kind == _UDP_GRO:
            return int(struct.unpack_from("=i", data.ljust(4, b"\0"))[0])
    return 0
