"""An engine in memory: what a test does to the session's Python without a tunnel."""

import asyncio
import os
import socket
import sys

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

MESSAGES = socket.SOCK_SEQPACKET if sys.platform == "linux" else socket.SOCK_DGRAM
"""What the engine gives for a flow of datagrams."""


class MemoryEngine:
    """Keeps what it was told, and tells what a test has it `tell`.

    Datagram and stream flows end in `far_ends`; a test's server begins in `on_open`. Each of a session's calls can be
    waited for by its name, with `called`.
    """

    def __init__(self) -> None:
        self.attached: dict[int, socket.socket] = {}
        self.rejected: dict[int, str] = {}
        self.closed: list[int] = []
        self.opened: list[tuple[str, tuple[str, int]]] = []
        self.far_ends: list[socket.socket] = []
        self.next_flow = 1
        self.refusal: Exception | None = None
        self.state = "built"
        self.peers_at: dict[str, tuple[str, int]] = {}
        """Where a snapshot has the peers, by public key."""
        self.counted: dict[str, dict] = {}
        """What else it has of them."""
        self._events: list[object] = []
        self._readable, self._writable = os.pipe()
        self._calls: asyncio.Queue = asyncio.Queue()
        self._passed_over: list[tuple] = []

    # What a session calls.

    def start(self) -> None:
        self._refuse()
        self.state = "started"

    def event_fd(self) -> int:
        return self._readable

    def take_events(self):
        if self._events:
            os.read(self._readable, 1)
        events, self._events = self._events, []
        return events

    def local_port(self) -> int:
        return 51820

    def local_ports(self) -> list[int]:
        return [self.local_port()]

    def open(self, destinations, fd, early, replies) -> int:
        self._refuse()
        flow = self._new_flow()
        self.far_ends.append(socket.socket(fileno=fd))
        self._call("open", destinations, early, replies, flow)
        return flow

    def attach(self, flow: int, fd: int) -> None:
        self._refuse()
        self.attached[flow] = socket.socket(fileno=fd)
        self._call("attach", flow)

    def reject(self, flow: int, reason: str) -> None:
        self._refuse()
        self.rejected[flow] = reason
        self._call("reject", flow, reason)

    def close_flow(self, flow: int) -> None:
        self.closed.append(flow)

    def open_datagrams(self, destination):
        return self._pair("udp", MESSAGES, destination)

    def open_stream(self, destinations):
        flow, descriptor = self._pair("tcp", socket.SOCK_STREAM, destinations[0])
        self._call("open_stream", destinations, flow)
        return flow, descriptor

    def open_association(self, control_fd, datagram_fd, client, port) -> int:
        self._refuse()
        flow = self._new_flow()
        self.far_ends += [socket.socket(fileno=fd) for fd in (control_fd, datagram_fd)]
        self._call("open_association", client, port, flow)
        return flow

    def name_found(self, flow, name, addresses) -> None:
        self._refuse()
        self._call("name_found", flow, name, addresses)

    def set_peers(self, peers) -> None:
        self._refuse()
        self._call("set_peers", peers)

    def handshake(self) -> None:
        self._refuse()
        self._call("handshake")

    def snapshot(self):
        peers = {key: {"endpoint": endpoint} for key, endpoint in self.peers_at.items()}
        for key, counted in self.counted.items():
            peers.setdefault(key, {}).update(counted)
        return {"counters": {"tunnel_replayed": 3, "tunnel_expired": 0}, "peers": peers}

    def drain(self) -> None:
        self.state = "draining"
        self._call("drain")

    def stop(self) -> None:
        self.state = "stopped"

    # What a test calls.

    def tell(self, *events) -> None:
        """Have the session hear of these."""
        if not self._events:
            os.write(self._writable, b"!")
        self._events.extend(events)

    def calls_waiting(self) -> int:
        """How many calls `called` has not given yet."""
        return self._calls.qsize() + len(self._passed_over)

    async def called(self, name: str):
        """The arguments of the next call of that name."""
        for call in self._passed_over:
            if call[0] == name:
                self._passed_over.remove(call)
                return call[1:]
        while (call := await self._calls.get())[0] != name:
            self._passed_over.append(call)
        return call[1:]

    def on_open(self, kind, destination, far) -> None:
        """A test's server begins here."""

    def close(self) -> None:
        for one in (*self.far_ends, *self.attached.values()):
            one.close()
        os.close(self._readable)
        os.close(self._writable)

    def _call(self, *call) -> None:
        self._calls.put_nowait(call)

    def _refuse(self) -> None:
        if self.refusal is not None:
            raise self.refusal

    def _new_flow(self) -> int:
        flow, self.next_flow = self.next_flow, self.next_flow + 1
        return flow

    def _pair(self, kind, type_, destination):
        near, far = socket.socketpair(socket.AF_UNIX, type_)
        far.setblocking(False)
        self.opened.append((kind, destination))
        self.far_ends.append(far)
        self.on_open(kind, destination, far)
        return self._new_flow(), near.detach()


class DnsEngine(MemoryEngine):
    """At the far end of its flows are DNS servers that know `zone`: (name, type) → records."""

    def __init__(self, zone):
        super().__init__()
        self.zone = zone
        self.codes: dict[str, dns.rcode.Rcode] = {}
        """Types of records that are answered by an error."""
        self.truncate = False
        """Whether datagrams have no room for records."""
        self.forge = False
        """Whether somebody else's answers come first."""
        self.first: list[bytes] = []
        """Datagrams that come before the answer."""
        self.hangs_up = False
        """Whether flows end instead of an answer."""
        self.silent: set[str] = set()
        """Servers, types of records and kinds of flow that get no answer."""
        self.negative_ttl: int | None = None
        """For how long the zone says that there is nothing; None = it does not say."""
        self.held: dict[str, asyncio.Event] = {}
        """Types of records whose answers wait for their event."""
        self._servers: list[asyncio.Task] = []

    def on_open(self, kind, destination, far):
        if not self.silent & {destination[0], kind}:
            self._servers.append(asyncio.get_running_loop().create_task(self._serve(kind, far)))

    def close(self) -> None:
        for server in self._servers:
            server.cancel()
        super().close()

    async def _serve(self, kind, far):
        loop = asyncio.get_running_loop()
        data = await loop.sock_recv(far, 65535)
        question = dns.message.from_wire(data[2:] if kind == "tcp" else data)
        asked = dns.rdatatype.to_text(question.question[0].rdtype)
        if asked in self.silent:
            return
        if asked in self.held:
            await self.held[asked].wait()
        if self.hangs_up:
            far.close()
            return
        for datagram in self.first:
            far.send(datagram)
        if self.forge and kind == "udp":
            forged = dns.message.make_response(question)
            forged.id ^= 1
            await loop.sock_sendall(far, forged.to_wire())
            await loop.sock_sendall(far, b"garbage")
        wire = self._answer(question, asked, truncated=self.truncate and kind == "udp").to_wire()
        await loop.sock_sendall(far, len(wire).to_bytes(2, "big") + wire if kind == "tcp" else wire)

    def _answer(self, question, asked, *, truncated):
        answer = dns.message.make_response(question)
        name = question.question[0].name.to_text()
        known = any(name == owner for owner, _ in self.zone)
        answer.set_rcode(self.codes.get(asked, dns.rcode.NOERROR if known else dns.rcode.NXDOMAIN))
        if asked in self.codes:
            return answer
        if truncated:
            answer.flags |= dns.flags.TC
            return answer
        while (name, "CNAME") in self.zone:
            (target,) = self.zone[name, "CNAME"]
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", "CNAME", target))
            name = target
        if (name, asked) in self.zone:
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", asked, *self.zone[name, asked]))
        elif self.negative_ttl is not None:
            says = f"a. b. 1 2 3 4 {self.negative_ttl}"
            answer.authority.append(dns.rrset.from_text("example.", 3600, "IN", "SOA", says))
        return answer
