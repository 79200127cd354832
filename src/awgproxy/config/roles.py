"""What a configuration must have for the end that it is to run: a client dials, a server listens."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from awgproxy.errors import ConfigError, Problem

if TYPE_CHECKING:
    from awgproxy.config.model import Config


class Role(StrEnum):
    """The two ends."""

    CLIENT = "client"
    SERVER = "server"


def role_of(config: Config) -> Role:
    """The end that a configuration is most likely for.

    A ``[Server]`` section makes a server, and so does a ListenPort without any Endpoint and without ``[Socks5]``.
    """
    if ("server", "") in config.lines:
        return Role.SERVER
    dials = any(peer.endpoint is not None for peer in config.peers) or ("socks5", "") in config.lines
    return Role.SERVER if config.interface.listen_port and not dials else Role.CLIENT


def problems_as(role: Role, config: Config) -> list[Problem]:
    """What keeps a configuration from running as ``role``; empty where nothing does."""
    return _client_problems(config) if role is Role.CLIENT else _server_problems(config)


def require_client(config: Config) -> None:
    """Raise `ConfigError` unless a client can run with this: it needs a peer that it can dial."""
    _require(_client_problems(config))


def require_server(config: Config) -> None:
    """Raise `ConfigError` unless a server can run with this: it needs a port and a peer to serve."""
    _require(_server_problems(config))


def _require(problems: list[Problem]) -> None:
    if problems:
        raise ConfigError(problems)


def _client_problems(config: Config) -> list[Problem]:
    if not config.peers:
        return [_no_peer(config, "a client needs the server as its peer")]
    if any(peer.endpoint is not None for peer in config.peers):
        return []
    line = config.lines.get(("peer 1", ""))
    suggestion = "where the server is, such as vpn.example.org:51820"
    return [Problem(config.file, line, "Peer", "Endpoint", "is missing, and a client needs one", suggestion)]


def _server_problems(config: Config) -> list[Problem]:
    problems = []
    if not config.interface.listen_port:
        line = config.lines.get(("interface", "listenport"), config.lines.get(("interface", "")))
        suggestion = "the UDP port that clients dial, such as 51820"
        problems.append(
            Problem(config.file, line, "Interface", "ListenPort", "is missing, and a server needs one", suggestion)
        )
    if not config.peers:
        problems.append(_no_peer(config, "a server needs a [Peer] for each of its clients"))
    return problems


def _no_peer(config: Config, suggestion: str) -> Problem:
    return Problem(config.file, None, "Peer", None, "is missing", suggestion)
