"""From text to a `Config`: every error of a file at once, each with its line, its key and what would be right.

Touches nothing but the text. What a value may be is said in `values` and `model`, what sections must be to each other
in `consistency`, what an end must have in `roles`, what an obfuscation parameter may be in the extension.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from awgproxy import _native
from awgproxy.config.carrier import check_carrier
from awgproxy.config.consistency import (
    check_consistency,
    check_exposed_ports,
    check_local_ports,
    check_source_addresses,
)
from awgproxy.config.document import Section as Text
from awgproxy.config.document import read_document
from awgproxy.config.findings import Findings, in_order
from awgproxy.config.model import (
    SECTIONS,
    Client,
    Config,
    Http,
    Interface,
    Log,
    Obfuscation,
    Peer,
    Role,
    Section,
    Server,
    Socks5,
    STDIOTunnel,
    TCPClientTunnel,
    TCPServerTunnel,
    Tunnel,
    UDPProxyTunnel,
)
from awgproxy.config.roles import check_role, role_of
from awgproxy.config.sections import nearest, parameters_of, read_section
from awgproxy.config.values import InvalidValue, SearchDomain, excerpt, looks_like_key, set_name

if TYPE_CHECKING:
    from collections.abc import Sequence

Model = TypeVar("Model", bound=Section)


def parse(text: str, file: str, role: Role | None = None) -> Config:
    """Read the ``.conf`` dialect; ``file`` is what problems call it.

    ``role``: the end that is to run with it; where None, the one that it is most likely for.

    Raises:
        ConfigError: with everything that is wrong, and everything that the role lacks.
    """
    findings = Findings(file)
    sections = _known_sections(read_document(text, findings), findings)
    interface = _the_only(Interface, sections, findings)
    tunnel = _the_only(Tunnel, sections, findings)
    peers = _each(Peer, sections, findings)
    further = _further_obfuscation(sections, tunnel, findings)
    socks5 = _the_only(Socks5, sections, findings)
    http = _the_only(Http, sections, findings)
    tcp_clients = _each(TCPClientTunnel, sections, findings)
    tcp_servers = _each(TCPServerTunnel, sections, findings)
    udp_proxies = _each(UDPProxyTunnel, sections, findings)
    stdio = _the_only(STDIOTunnel, sections, findings)
    client = _the_only(Client, sections, findings)
    server = _the_only(Server, sections, findings)
    log = _the_only(Log, sections, findings)
    for section in sections:
        if section.name.lower() == "interface":
            _check_obfuscation(section, "interface", "Interface", tunnel, findings)
    check_consistency(interface, further, peers, [socks5, http], findings)
    check_local_ports([socks5, http], tcp_clients, udp_proxies, findings)
    check_exposed_ports(tcp_servers, findings)
    _check_state_file(server, findings)
    check_source_addresses(server, findings)
    role = role or role_of(sections)
    check_role(role, sections, findings)
    check_carrier(role, tunnel, peers, findings)
    if ("interface", "") not in findings.lines:
        findings.error(None, "Interface", None, "is missing", "every configuration has an [Interface] section")
    if findings.errors or interface is None:
        raise findings.failure()
    _warn_of_search_domains(interface, findings)
    return Config(
        file=file,
        role=role,
        interface=interface,
        peers=tuple(peer for peer in peers if peer is not None),
        further_obfuscation=tuple(one for one in further if one is not None),
        socks5=socks5 or (None if http or stdio or tcp_clients or tcp_servers or udp_proxies else Socks5.absent()),
        http=http,
        tcp_client_tunnels=tuple(one for one in tcp_clients if one is not None),
        tcp_server_tunnels=tuple(one for one in tcp_servers if one is not None),
        udp_proxy_tunnels=tuple(one for one in udp_proxies if one is not None),
        stdio_tunnel=stdio,
        client=client or Client.absent(),
        server=server or Server.absent(),
        tunnel=tunnel or Tunnel.absent(),
        log=log or Log.absent(),
        warnings=tuple(in_order(findings.warnings)),
        lines=findings.lines,
    )


def _known_sections(sections: Sequence[Text], findings: Findings) -> list[Text]:
    """The sections with a known name; the others are errors."""
    titles = [kind.__name__ for kind in SECTIONS.values()]
    known = []
    for section in sections:
        if section.name.lower() in SECTIONS or _is_further(section):
            known.append(section)
            continue
        near = nearest(section.name, titles)
        suggestion = f"did you mean [{near}]?" if near else f"known are {', '.join(titles)}"
        findings.error(section.line, excerpt(section.name), None, "is not a known section", suggestion)
    return known


def _the_only(kind: type[Model], sections: Sequence[Text], findings: Findings) -> Model | None:
    """The model of a section that may stand once; None where it is absent or wrong."""
    title = kind.__name__
    named = [section for section in sections if section.name.lower() == title.lower()]
    if not named:
        return None
    first, *others = named
    for other in others:
        findings.error(other.line, title, None, "stands twice", f"put its keys below line {first.line}")
        read_section(kind, other, f"{title.lower()} in line {other.line}", findings)
    return read_section(kind, first, title.lower(), findings)


def _each(kind: type[Model], sections: Sequence[Text], findings: Findings) -> list[Model | None]:
    """The models of a section that may repeat, by ``name 1``, ``name 2`` and so on; None for one that is wrong."""
    title = kind.__name__.lower()
    named = [section for section in sections if section.name.lower() == title]
    return [read_section(kind, section, f"{title} {number}", findings) for number, section in enumerate(named, 1)]


def _is_further(section: Text) -> bool:
    """Whether it is an ``[Obfuscation NAME]``, the name given or not."""
    return section.name.lower().split()[:1] == ["obfuscation"]


def _further_obfuscation(
    sections: Sequence[Text], tunnel: Tunnel | None, findings: Findings
) -> list[Obfuscation | None]:
    """Every ``[Obfuscation NAME]``; None for one that is wrong."""
    further = []
    first_lines: dict[str, int] = {}
    for section in filter(_is_further, sections):
        name = section.name[len("obfuscation") :].strip()
        title = f"Obfuscation {excerpt(name)}".rstrip()
        label = f"obfuscation {name.lower()}"
        errors_before = len(findings.errors)
        try:
            set_name(name)
        except InvalidValue as error:
            findings.error(section.line, title, None, str(error), error.suggestion)
        first = first_lines.setdefault(label, section.line)
        if first != section.line:
            findings.error(section.line, title, None, f"is the name of line {first} again", "another name for each")
        misnamed = len(findings.errors) > errors_before
        if misnamed:
            label = f"obfuscation in line {section.line}"
        one = read_section(Obfuscation, section, label, findings, excerpt(name))
        further.append(None if misnamed else one)
        _check_obfuscation(section, label, title, tunnel, findings)
    return further


def _check_obfuscation(section: Text, label: str, title: str, tunnel: Tunnel | None, findings: Findings) -> None:
    """Let the extension judge a section's obfuscation parameters together, as they bind each other."""
    settings = parameters_of(section)
    if tunnel is not None:
        settings["KeepalivePadding"] = tunnel.keepalive_padding.value
    for parameter, problem in _native.check_obfuscation(list(settings.items())):
        secret = parameter != "HeaderProtectionKey" and looks_like_key(settings.get(parameter, ""))
        message = "holds what looks like a key" if secret else problem
        if parameter == "KeepalivePadding":
            findings.error(findings.lines.get(("tunnel", "keepalivepadding")), "Tunnel", parameter, message)
            continue
        line = findings.lines.get((label, parameter.lower()), findings.lines.get((label, "")))
        findings.error(line, title, parameter, message)


def _check_state_file(server: Server | None, findings: Findings) -> None:
    """It is replaced whenever a handshake comes, so it must not be the configuration."""
    if server is not None and server.state_file is not None:
        own = Path(findings.file).absolute()
        if os.path.normpath(own.parent / server.state_file) == os.path.normpath(own):
            line = findings.lines["server", "statefile"]
            message = "is this configuration itself, which would be overwritten"
            findings.error(line, "Server", "StateFile", message, "another file, which need not exist")


def _warn_of_search_domains(interface: Interface, findings: Findings) -> None:
    for index, entry in enumerate(interface.dns_entries):
        if isinstance(entry, SearchDomain):
            line = findings.lines.get(("interface", "dns", index))
            findings.warning(
                line,
                "Interface",
                "DNS",
                f"`{excerpt(entry.name)}` is a domain to search in, which is not used",
                "give addresses of DNS servers",
            )
