"""Two ends held against each other: what must be the same and is not, and who does not know whom.

Looks at nothing but the two configurations. No key is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from awgproxy import _native
from awgproxy.config.carrier import carrier_host
from awgproxy.config.findings import in_order
from awgproxy.config.model import Carrier, Role
from awgproxy.config.shape import HEADERS, PADDINGS, Shape
from awgproxy.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from awgproxy.config.model import Config, Obfuscated, Peer
    from awgproxy.config.values import PortRange

_BOTH = "make it the same on both ends"


class _Known(NamedTuple):
    """A peer and what `Config.lines` calls it."""

    peer: Peer
    label: str


def compare(one: Config, other: Config) -> list[Problem]:
    """Everything that keeps two ends from working together, in the order of the file of the end that dials.

    A server and its client, in either order; of two alike, the first is taken for the one that dials.
    """
    swap = one.role is Role.SERVER and other.role is not Role.SERVER
    return list(in_order(_Pair(other, one).findings() if swap else _Pair(one, other).findings()))


class _Pair:
    def __init__(self, client: Config, server: Config) -> None:
        """`client`: whichever end dials."""
        self._client = client
        self._server = server
        self._servers_peer = _known(server, client)
        self._clients_peer = _known(client, server)

    def findings(self) -> Iterator[Problem]:
        yield from self._keys()
        yield from self._addresses()
        section, missed = self._section()
        yield from missed
        yield from self._parameters(section)
        yield from self._mtu()
        yield from self._carrier()

    def _keys(self) -> Iterator[Problem]:
        """Each must know the other by its public key, and share its preshared key."""
        client, server = self._client, self._server
        for ours, theirs, known in ((client, server, self._clients_peer), (server, client, self._servers_peer)):
            if known is None:
                lines = [ours.lines.get((f"peer {number}", "publickey")) for number in range(1, len(ours.peers) + 1)]
                line = lines[0] if len(lines) == 1 else None
                message = f"is not that of the PrivateKey in {theirs.file}"
                if line is None:
                    message = f"of no peer is that of the PrivateKey in {theirs.file}"
                suggestion = "`awgproxy pubkey` tells it from a private key"
                yield Problem(ours.file, line, "Peer", "PublicKey", message, suggestion, grave=True)
        if self._clients_peer is None or self._servers_peer is None:
            return
        if self._clients_peer.peer.preshared_key != self._servers_peer.peer.preshared_key:
            place = (self._clients_peer.label, "presharedkey")
            line = client.lines.get(place, client.lines.get((self._clients_peer.label, "")))
            there = _place(server, self._servers_peer.label, "PresharedKey")
            yield Problem(client.file, line, "Peer", "PresharedKey", f"differs from {there}", _BOTH, grave=True)

    def _addresses(self) -> Iterator[Problem]:
        """What the client sends from another address than its own is dropped."""
        if self._servers_peer is None:
            return
        allowed = self._servers_peer.peer.allowed_ips
        there = _place(self._server, self._servers_peer.label, "AllowedIPs")
        for index, address in enumerate(self._client.interface.addresses):
            if not any(address.ip in network for network in allowed):
                line = self._client.lines.get(("interface", "address", index))
                message = f"{address.ip} is not in {there}: what comes from there is dropped"
                suggestion = "add it there, or take another address"
                yield Problem(self._client.file, line, "Interface", "Address", message, suggestion, grave=True)

    def _section(self) -> tuple[Obfuscated, list[Problem]]:
        """The server's set of parameters at the port that the client dials, and what is wrong with that port.

        Where none is there, as behind a router that translates ports, the set that fits best.
        """
        sections = self._server.obfuscated
        best = min(sections, key=lambda section: len(list(self._parameters(section))))
        known = self._clients_peer or next(iter(_peers(self._client)), None)
        if known is None or not known.peer.endpoints or not self._server.interface.listen_ports:
            return best, []
        spoken: list[Obfuscated] = []
        problems = []
        for index, endpoint in enumerate(known.peer.endpoints):
            line = self._client.lines.get((known.label, "endpoint", index))
            met = [section for section in sections if _listens(section, endpoint.ports)]
            if len({section.label for section in (*spoken[:1], *met)}) > 1:
                others = met if len(met) > 1 else [spoken[0], *met]
                names = " and ".join(f"[{section.title}]" for section in others)
                dialled = endpoint.ports if len(met) > 1 else f"{known.peer.endpoints[0].ports} and {endpoint.ports}"
                message = f"{dialled} {'holds' if len(met) > 1 else 'are'} ports of {names}, which speak differently"
                suggestion = "ports of one of them"
                problems.append(Problem(self._client.file, line, "Peer", "Endpoint", message, suggestion, grave=True))
            problems.extend(self._missing(endpoint.ports, line))
            spoken.extend(met)
        return (spoken[0] if spoken else best), problems

    def _missing(self, dialled: PortRange, line: int | None) -> Iterator[Problem]:
        """Ports that are dialled, and where the server does not listen."""
        everything = {port for section in self._server.obfuscated for port in section.listen_ports}
        missing = [port for port in range(dialled.first, dialled.last + 1) if port not in everything]
        if missing:
            what = f"{len(missing)} of its ports, such as {missing[0]}, are" if len(dialled) > 1 else f"{dialled} is"
            message = f"{what} not in any ListenPort of {self._server.file}"
            suggestion = "unless a router on the way translates it, name a port of that list"
            yield Problem(self._client.file, line, "Peer", "Endpoint", message, suggestion)

    def _parameters(self, section: Obfuscated) -> Iterator[Problem]:
        """S, H, the header protection key and the trailers must be the same."""
        client, server = self._client, self._server
        ours, theirs = Shape.of(client.obfuscation), Shape.of(server.obfuscation_of(section))
        differing = [
            *(
                (name, str(one), str(other))
                for name, one, other in zip(PADDINGS, ours.paddings, theirs.paddings, strict=True)
            ),
            *(
                (name, str(one), str(other))
                for name, one, other in zip(HEADERS, ours.headers, theirs.headers, strict=True)
            ),
            ("RandomTrailers", _on(ours.trailers), _on(theirs.trailers)),
        ]
        for name, here, there in differing:
            if here != there:
                where = _place(server, section.label, name)
                yield self._different(name, f"is {here}, and {there} in {where}")
        keys = [_header_key(one) for one in (client.interface, section)]
        if ours.header_protection != theirs.header_protection:
            absent = "is missing, and stands in" if theirs.header_protection else "stands here, and is missing in"
            where = _place(server, section.label, "HeaderProtectionKey")
            yield self._different("HeaderProtectionKey", f"{absent} {where}")
        elif ours.header_protection and keys[0] != keys[1]:
            where = _place(server, section.label, "HeaderProtectionKey")
            yield self._different("HeaderProtectionKey", f"differs from that of {where}")

    def _different(self, key: str, message: str) -> Problem:
        lines = self._client.lines
        line = lines.get(("interface", key.lower()), lines.get(("interface", "")))
        return Problem(self._client.file, line, "Interface", key, message, _BOTH, grave=True)

    def _mtu(self) -> Iterator[Problem]:
        """Larger packets than the other end's MTU are dropped there."""
        ours, theirs = self._client.interface.mtu, self._server.interface.mtu
        if ours is not None and theirs is not None and ours != theirs:
            line = self._client.lines.get(("interface", "mtu"))
            message = f"is {ours}, and {theirs} in {_place(self._server, 'interface', 'MTU')}: larger packets are lost"
            yield Problem(self._client.file, line, "Interface", "MTU", message, _BOTH)

    def _carrier(self) -> Iterator[Problem]:
        """Where nobody listens, connections ride on IP packets, unless they must not."""
        client, server, known = self._client, self._server, self._clients_peer
        carrier = client.tunnel.carrier
        if known is None or known.peer.carrier_address is None or carrier is Carrier.IP:
            return
        address, port = known.peer.carrier_address, server.server.carrier_port
        there, message, suggestion = _place(server, "server", "CarrierPort"), None, ""
        if port is None:
            message, suggestion = f"{address} is closed by {there}", "a port there, or no CarrierAddress here"
        elif carrier_host(known.peer) not in {each.ip for each in server.interface.addresses}:
            own = _place(server, "interface", "Address")
            message, suggestion = f"{address.host} is no Address of {own}", "the server's own address in the tunnel"
        elif address.port != port:
            message, suggestion = f"{address.port} is not the CarrierPort of {server.file}, {port}", "the same port"
        if message is not None:
            line = client.lines.get((known.label, "carrieraddress"))
            grave = carrier is Carrier.QUIC
            yield Problem(client.file, line, "Peer", "CarrierAddress", message, suggestion, grave=grave)


def _peers(config: Config) -> Sequence[_Known]:
    return [_Known(peer, f"peer {number}") for number, peer in enumerate(config.peers, 1)]


def _known(config: Config, other: Config) -> _Known | None:
    """The peer in `config` that is the end `other`."""
    key = _native.public_key(other.interface.private_key.get_secret_value())
    return next((known for known in _peers(config) if known.peer.public_key == key), None)


def _listens(section: Obfuscated, dialled: PortRange) -> bool:
    return any(ports.overlaps(dialled) for ports in section.listen)


def _place(config: Config, label: str, key: str) -> str:
    """A key's line, or that of the section that lacks it."""
    line = config.lines.get((label, key.lower()), config.lines.get((label, "")))
    return config.file if line is None else f"{config.file}:{line}"


def _header_key(section: Obfuscated) -> str:
    return dict(section.obfuscation).get("HeaderProtectionKey", "")


def _on(flag: bool) -> str:
    return "true" if flag else "false"
