"""An engine in memory: what a test does to the session's Python without a tunnel."""

import socket


class MemoryEngine:
    """Keeps what it was told; datagram and stream flows end in `servers`, functions of (socket, destination)."""

    def __init__(self) -> None:
        self.attached: dict[int, socket.socket] = {}
        self.rejected: dict[int, str] = {}
        self.closed: list[int] = []
        self.opened: list[tuple[str, tuple[str, int]]] = []
        self.far_ends: list[socket.socket] = []
        self.next_flow = 1

    def attach(self, flow: int, fd: int) -> None:
        self.attached[flow] = socket.socket(fileno=fd)

    def reject(self, flow: int, reason: str) -> None:
        self.rejected[flow] = reason

    def close_flow(self, flow: int) -> None:
        self.closed.append(flow)

    def open_datagrams(self, destination):
        return self._pair("udp", socket.SOCK_DGRAM, destination)

    def open_stream(self, destinations):
        return self._pair("tcp", socket.SOCK_STREAM, destinations[0])

    def _pair(self, kind, type_, destination):
        near, far = socket.socketpair(socket.AF_UNIX, type_)
        far.setblocking(False)
        self.opened.append((kind, destination))
        self.far_ends.append(far)
        self.on_open(kind, destination, far)
        flow, self.next_flow = self.next_flow, self.next_flow + 1
        return flow, near.detach()

    def on_open(self, kind, destination, far) -> None:
        """A test's server begins here."""

    def close(self) -> None:
        for one in (*self.far_ends, *self.attached.values()):
            one.close()
