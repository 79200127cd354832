"""What the sections of a configuration must be to each other, beyond each being right by itself.

Works with the sections that could be read, so that its errors come together with theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from awgproxy import _native
from awgproxy.config.allowed_ips import overlaps
from awgproxy.config.model import Http
from awgproxy.config.path import least_mtu, most_mtu
from awgproxy.config.values import MOST_LISTEN_PORTS, is_one_hosts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from awgproxy.config.findings import Findings
    from awgproxy.config.model import (
        Interface,
        Listening,
        Obfuscated,
        Obfuscation,
        Peer,
        Server,
        TCPClientTunnel,
        TCPServerTunnel,
        UDPProxyTunnel,
    )
    from awgproxy.config.values import Endpoint, PortRange


class _Placed(NamedTuple):
    """Ports, where the file names them."""

    ports: PortRange
    line: int
    section: Obfuscated


def check_consistency(
    interface: Interface | None,
    further: Sequence[Obfuscation | None],
    peers: Sequence[Peer | None],
    listening: Sequence[Listening | None],
    findings: Findings,
) -> None:
    """Add what does not fit together to ``findings``; None stands for a section that is absent or wrong."""
    sets = [one for one in further if one is not None]
    if interface is not None:
        sections: tuple[Obfuscated, ...] = (interface, *sets)
        for one in sections:
            _check_mtu(interface, one, findings)
        _check_addresses(interface, findings)
    _check_ports(interface, sets, findings)
    _check_keys(interface, peers, findings)
    _check_allowed_ips(peers, findings)
    for each in listening:
        if each is not None:
            _check_users(each, findings)


def check_local_ports(
    listening: Sequence[Listening | None],
    streams: Sequence[TCPClientTunnel | None],
    datagrams: Sequence[UDPProxyTunnel | None],
    findings: Findings,
) -> None:
    """Add to ``findings`` what two sections want to listen at: each port is one section's, of TCP and of UDP."""
    bound: dict[tuple[bool, Endpoint], str] = {}
    named: list[tuple[str, Listening | TCPClientTunnel | UDPProxyTunnel | None]] = [
        *((type(each).__name__.lower(), each) for each in listening),
        *((f"tcpclienttunnel {number}", each) for number, each in enumerate(streams, 1)),
        *((f"udpproxytunnel {number}", each) for number, each in enumerate(datagrams, 1)),
    ]
    for label, section in named:
        if section is None or not section.bind_address.port:
            continue
        title = type(section).__name__
        other = bound.setdefault((label.startswith("udp"), section.bind_address), f"{label} {title}")
        if other != f"{label} {title}":
            message = f"{section.bind_address} is the port of [{other.split()[-1]}] already"
            suggestion = "another port"
            if title == "Http":
                suggestion += ", or no [Http]: [Socks5] takes HTTP as well"
            findings.error(findings.lines[label, "bindaddress"], title, "BindAddress", message, suggestion)


def _check_users(section: Listening, findings: Findings) -> None:
    """Credentials are whole, users told apart, and nobody else's machine uses the tunnel unasked."""
    title = type(section).__name__
    label = title.lower()
    if (section.username is None) != (section.password is None):
        given, absent = ("Username", "Password") if section.password is None else ("Password", "Username")
        line = findings.lines[label, given.lower()]
        findings.error(line, title, given, f"stands without {absent}", "give both, or neither")
    if isinstance(section, Http) and ":" in (section.username or ""):
        line = findings.lines[label, "username"]
        message = "has a colon, which HTTP takes for the end of a name (RFC 7617)"
        findings.error(line, title, "Username", message, "another name")
    names = set() if section.username is None else {section.username}
    for index, user in enumerate(section.more_users):
        if user.name in names:
            line = findings.lines[label, "user", index]
            findings.error(line, title, "User", "has a name that stands before", "one password for each name")
        names.add(user.name)
    address = section.bind_address.address
    is_open = address is not None and not address.is_loopback and not names
    if is_open and not section.allow_unauthenticated:
        place = findings.lines.get((label, "bindaddress"), findings.lines.get((label, "")))
        message = f"{section.bind_address} takes connections from other machines without a password"
        suggestion = "bind to 127.0.0.1, set Username and Password, or say AllowUnauthenticated = yes"
        findings.error(place, title, "BindAddress", message, suggestion)


def _check_mtu(interface: Interface, obfuscated: Obfuscated, findings: Findings) -> None:
    """The MTU must carry the addresses' kind of IP, and fit a datagram together with a section's S4."""
    least = least_mtu(interface.addresses)
    line = findings.lines.get(("interface", "mtu"))
    if interface.mtu is not None and interface.mtu < least and obfuscated is interface:
        message = f"{interface.mtu} is too small for the IPv6 address"
        findings.error(line, "Interface", "MTU", message, f"{least} at least, or no IPv6 in Address")
    try:
        most = most_mtu(obfuscated.obfuscation)
    except ValueError:
        return  # those are errors of their own
    if most < least:
        line = findings.lines[obfuscated.label, "s4"]
        message = f"leaves no room for packets of {least} bytes, the least MTU"
        findings.error(line, obfuscated.title, "S4", message, "a few dozen bytes at most")
    elif interface.mtu is not None and interface.mtu > most:
        findings.error(line, "Interface", "MTU", f"{interface.mtu} does not fit a datagram with S4", f"{most} at most")


def _check_ports(interface: Interface | None, sets: Sequence[Obfuscation], findings: Findings) -> None:
    """A port tells which parameters are spoken there, so it stands once; and there is a bound of them all."""
    sections: list[Obfuscated] = [one for one in (interface, *sets) if one is not None]
    placed = [
        _Placed(ports, findings.lines[one.label, "listenport", index], one)
        for one in sections
        for index, ports in enumerate(one.listen)
    ]
    reaching: _Placed | None = None  # of those so far, the one with the highest port
    for each in sorted(placed, key=lambda each: each.ports.first):
        if reaching is not None and each.ports.first <= reaching.ports.last:
            first, second = sorted((reaching, each), key=lambda each: each.line)
            message = f"{second.ports} has a port that line {first.line} has too"
            findings.error(second.line, second.section.title, "ListenPort", message, "each port once")
        if reaching is None or each.ports.last > reaching.ports.last:
            reaching = each
    if interface is not None and len(interface.listen) > 1 and any(ports.last == 0 for ports in interface.listen):
        line = findings.lines["interface", "listenport"]
        message = "lists 0, which is for one port that the system chooses"
        findings.error(line, "Interface", "ListenPort", message, "0 alone, or ports from 1 on")
    if sum(len(each.ports) for each in placed) > MOST_LISTEN_PORTS:
        last = sections[-1]
        message = f"makes more than {MOST_LISTEN_PORTS} ports in all"
        findings.error(
            findings.lines[last.label, "listenport"],
            last.title,
            "ListenPort",
            message,
            "fewer: some hundreds spread clients as well",
        )


def _check_addresses(interface: Interface, findings: Findings) -> None:
    seen = set()
    for index, address in enumerate(interface.addresses):
        if address.ip in seen:
            line = findings.lines["interface", "address", index]
            findings.error(line, "Interface", "Address", f"{address.ip} stands twice", "keep one")
        seen.add(address.ip)


def _check_keys(interface: Interface | None, peers: Sequence[Peer | None], findings: Findings) -> None:
    own = None if interface is None else _native.public_key(interface.private_key.get_secret_value())
    first_lines: dict[str, int] = {}
    for number, peer in enumerate(peers, 1):
        if peer is None:
            continue
        line = findings.lines[f"peer {number}", "publickey"]
        if peer.public_key == own:
            findings.error(line, "Peer", "PublicKey", "is this end's own", "put the other end's here")
        first = first_lines.setdefault(peer.public_key, line)
        if first != line:
            findings.error(line, "Peer", "PublicKey", f"is that of line {first} again", "one [Peer] for each key")


def _check_allowed_ips(peers: Sequence[Peer | None], findings: Findings) -> None:
    """Else a client of a server could send as another, and a packet would have two ways."""
    for first, second in overlaps(peers):
        where = findings.lines[first.place]
        relation = "is" if first.network == second.network else f"overlaps {first.network},"
        message = f"{second.network} {relation} the peer's of line {where}"
        suggestion = "an address leads to one peer: leave it out of the other's networks"
        findings.error(findings.lines[second.place], "Peer", "AllowedIPs", message, suggestion)


def check_exposed_ports(tunnels: Sequence[TCPServerTunnel | None], findings: Findings) -> None:
    """Add to ``findings`` what stands twice among the ports at a client's own tunnel address."""
    first_lines: dict[int, int] = {}
    for number, tunnel in enumerate(tunnels, 1):
        if tunnel is not None:
            line = findings.lines[f"tcpservertunnel {number}", "listenport"]
            first = first_lines.setdefault(tunnel.listen_port, line)
            if first != line:
                message = f"{tunnel.listen_port} is that of line {first} again"
                findings.error(line, "TCPServerTunnel", "ListenPort", message, "a port leads to one target")


def check_source_addresses(server: Server | None, findings: Findings) -> None:
    """Add what is wrong with the addresses that a server's connections leave from: one of each kind of IP, a host's."""
    seen: set[int] = set()
    for index, address in enumerate(() if server is None else server.source_addresses):
        line = findings.lines["server", "sourceaddress", index]
        if not is_one_hosts(address):
            findings.error(line, "Server", "SourceAddress", f"{address} is no host's address", "one of this machine's")
        elif address.version in seen:
            message = f"{address} is the second of IPv{address.version}"
            findings.error(line, "Server", "SourceAddress", message, "one of each kind")
        seen.add(address.version)
