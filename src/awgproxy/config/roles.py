"""Which end a configuration is for, and what that end must have: a client dials, a server listens.

Looks at the text, so that what is missing is told together with what is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awgproxy.config.model import SECTIONS, Limits, Role, Rules
from awgproxy.config.sections import keys_of
from awgproxy.config.values import InvalidValue, excerpt, listen_ports

if TYPE_CHECKING:
    from collections.abc import Sequence

    from awgproxy.config.document import Section
    from awgproxy.config.findings import Findings

_OF_A_SERVERS_PEER = {key.lower(): key for kind in (Rules, Limits) for key in keys_of(kind)}
"""What a ``[Peer]`` has at a server alone."""


_PORTS = "a server has no ports for applications"
_OF_A_CLIENT = {
    "socks5": None,
    "http": None,
    "client": "what the peers may reach stands in [Server], or in each [Peer]",
    "tcpclienttunnel": _PORTS,
    "tcpservertunnel": _PORTS,
    "udpproxytunnel": _PORTS,
    "stdiotunnel": _PORTS,
}
"""Sections that make a client, and what is said of them at a server, where they are an error."""


def role_of(sections: Sequence[Section]) -> Role:
    """The end that a file is most likely for.

    A ``[Server]`` or ``[Obfuscation NAME]`` section makes a server, and so does a ListenPort without any Endpoint and
    without a section of a client's.
    """
    names = {word for section in sections for word in section.name.lower().split()[:1]}
    if names & {"server", "obfuscation"}:
        return Role.SERVER
    dials = names & set(_OF_A_CLIENT) or _given(sections, "peer", "endpoint")
    return Role.SERVER if _listens(sections) and not dials else Role.CLIENT


def check_role(role: Role, sections: Sequence[Section], findings: Findings) -> None:
    """Add what ``role`` lacks to ``findings``: a client needs a peer that it can dial, a server a port and a peer.

    And what only the other end can have.
    """
    lines = findings.lines
    if role is Role.SERVER and ("interface", "") in lines and not _listens(sections):
        line = lines.get(("interface", "listenport"), lines["interface", ""])
        suggestion = "the UDP port that clients dial, such as 51820"
        findings.error(line, "Interface", "ListenPort", "is missing, and a server needs one", suggestion)
    if role is Role.CLIENT:
        _refuse_a_servers(sections, findings)
    else:
        _refuse_a_clients(sections, findings)
    if ("peer 1", "") not in lines:
        clients = "a server needs a [Peer] for each of its clients"
        suggestion = clients if role is Role.SERVER else "a client needs the server as its peer"
        findings.error(None, "Peer", None, "is missing", suggestion)
    elif role is Role.CLIENT and not _given(sections, "peer", "endpoint"):
        suggestion = "where the server is, such as vpn.example.org:51820"
        message = "is missing, and a client needs one"
        findings.error(lines["peer 1", ""], "Peer", "Endpoint", message, suggestion)


def _refuse_a_servers(sections: Sequence[Section], findings: Findings) -> None:
    """What has a meaning at a server alone."""
    ports = _listen_ports(sections)
    if len(ports) > 1 or any("-" in port.strip("-") for port in ports):
        line = findings.lines.get(("interface", "listenport"))
        message = "names several ports, which is for a server"
        findings.error(line, "Interface", "ListenPort", message, "one port, or leave it out; Endpoint takes a range")
    for section in sections:
        if section.name.lower().startswith("obfuscation"):
            message = "is for a server: a client has one set of parameters, in [Interface]"
            findings.error(section.line, excerpt(section.name), None, message, "put them there")
    for section in sections:
        for entry in section.entries:
            if section.name.lower() == "peer" and (key := _OF_A_SERVERS_PEER.get(entry.key.lower())) is not None:
                message = "is for a server: it says what this peer may reach and take there"
                suggestion = "what this end's applications may reach stands in [Client]"
                findings.error(entry.line, "Peer", key, message, suggestion)


def _refuse_a_clients(sections: Sequence[Section], findings: Findings) -> None:
    """What has a meaning at a client alone."""
    for section in sections:
        suggestion = _OF_A_CLIENT.get(section.name.lower())
        if suggestion is not None:
            findings.error(section.line, SECTIONS[section.name.lower()].__name__, None, "is for a client", suggestion)


def _listen_ports(sections: Sequence[Section]) -> list[str]:
    given = ",".join(_given(sections, "interface", "listenport"))
    return [port.strip() for port in given.split(",") if port.strip()]


def _given(sections: Sequence[Section], name: str, key: str) -> list[str]:
    """Every value of a key, in the order of the file; section and key in lower case."""
    return [
        entry.value
        for section in sections
        if section.name.lower() == name
        for entry in section.entries
        if entry.key.lower() == key
    ]


def _listens(sections: Sequence[Section]) -> bool:
    """Whether a port to listen on is given; one that cannot be read is an error of its own."""
    given = _given(sections, "interface", "listenport")
    try:
        return any(listen_ports(text).last for text in _listen_ports(sections)) or "" in given
    except InvalidValue:
        return True
