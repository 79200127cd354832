"""Configurations: the AmneziaWG ``.conf`` dialect, its model, its lint and its generator.

`load` reads a file, `parse` a text; both give a `Config` or raise `ConfigError` with everything that is wrong. The keys
are described in docs/reference/configuration.md.
"""

from awgproxy.config.load import load
from awgproxy.config.model import (
    Carrier,
    Client,
    Config,
    Http,
    Interface,
    KeepalivePadding,
    Limits,
    Log,
    LogFormat,
    LogLevel,
    Obfuscation,
    Peer,
    Recovery,
    Role,
    Rules,
    Server,
    Socks5,
    Tunnel,
)
from awgproxy.config.parse import parse
from awgproxy.config.values import Endpoint, PortRange, Seconds

__all__ = [
    "Carrier",
    "Client",
    "Config",
    "Endpoint",
    "Http",
    "Interface",
    "KeepalivePadding",
    "Limits",
    "Log",
    "LogFormat",
    "LogLevel",
    "Obfuscation",
    "Peer",
    "PortRange",
    "Recovery",
    "Role",
    "Rules",
    "Seconds",
    "Server",
    "Socks5",
    "Tunnel",
    "load",
    "parse",
]
