"""What a configuration says: one frozen model a section.

The models are the list of what is known: the field's alias is the key as documentation spells it, a tuple is a key that
may repeat or hold a list, a field without default is required. Secrets are `SecretStr`, which shows stars.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property, partial
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic.alias_generators import to_pascal

from awgproxy.config import values
from awgproxy.config.path import tunnel_mtu
from awgproxy.config.values import Address, Endpoint, Network, PortRange, SearchDomain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from awgproxy.errors import Problem

OBFUSCATION_KEYS = (
    *("Jc", "Jmin", "Jmax"),
    *("S1", "S2", "S3", "S4"),
    *("H1", "H2", "H3", "H4"),
    *("I1", "I2", "I3", "I4", "I5"),
)
"""The AmneziaWG 2.0 parameters that stand in ``[Interface]``."""


class Role(StrEnum):
    """The two ends."""

    CLIENT = "client"
    SERVER = "server"


class KeepalivePadding(StrEnum):
    """Whether a keepalive is sent with S4 bytes of padding, or bare as amneziawg-go v0.2.16 does."""

    PADDED = "padded"
    REFERENCE = "reference"


class LogLevel(StrEnum):
    """The least important entries that are logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """How entries are written; ``auto`` is ``console`` on a terminal and ``json`` elsewhere."""

    AUTO = "auto"
    CONSOLE = "console"
    JSON = "json"


def _read(read: Callable[[str], object]) -> BeforeValidator:
    """Read text with ``read``; let what has been read already pass."""
    return BeforeValidator(lambda value: read(value) if isinstance(value, str) else value)


_Key = Annotated[str, _read(values.key)]
_Secret = Annotated[SecretStr, _read(lambda text: SecretStr(values.key(text)))]
_Tunnel = Annotated[values.Interface, _read(values.interface)]
_Network = Annotated[Network, _read(values.network)]
_Ports = Annotated[PortRange, _read(values.port_range)]


class Section(BaseModel):
    """What all sections share: nothing unknown, nothing changed later, no input in error texts."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        alias_generator=to_pascal,
        validate_by_name=True,
        validate_by_alias=True,
    )


class Interface(Section):
    """``[Interface]``: this end of the tunnel."""

    private_key: _Secret
    addresses: Annotated[tuple[_Tunnel, ...], Field(alias="Address", min_length=1)]
    listen_port: Annotated[int | None, _read(values.listen_port)] = None
    dns_entries: Annotated[
        tuple[Annotated[Address | SearchDomain, _read(values.dns_server)], ...], Field(alias="DNS")
    ] = ()
    mtu: Annotated[int | None, _read(values.mtu), Field(alias="MTU")] = None
    fw_mark: Annotated[int | None, _read(values.firewall_mark)] = None
    obfuscation: Annotated[tuple[tuple[str, str], ...], Field(alias="obfuscation")] = ()
    """The obfuscation parameters as written, (name, value) each."""

    @property
    def dns(self) -> tuple[Address, ...]:
        """The DNS servers, asked through the tunnel, in order."""
        return tuple(entry for entry in self.dns_entries if not isinstance(entry, SearchDomain))


class Peer(Section):
    """``[Peer]``: another end of the tunnel."""

    public_key: _Key
    preshared_key: _Secret | None = None
    allowed_ips: Annotated[tuple[_Network, ...], Field(alias="AllowedIPs", min_length=1)]
    endpoint: Annotated[Endpoint | None, _read(values.endpoint)] = None
    persistent_keepalive: Annotated[int | None, _read(values.keepalive)] = None


class Socks5(Section):
    """``[Socks5]``: where a client takes applications' connections."""

    bind_address: Annotated[Endpoint, _read(values.listen_address)] = Endpoint("127.0.0.1", 1080)
    username: Annotated[str | None, _read(values.credential)] = None
    password: Annotated[SecretStr | None, _read(lambda text: SecretStr(values.credential(text)))] = None


class Server(Section):
    """``[Server]``: what a server's clients may reach, and whom it asks for names."""

    dns: Annotated[tuple[Annotated[Address, _read(values.address)], ...], Field(alias="DNS")] = ()
    allow_private: Annotated[bool, _read(values.truth)] = False
    allow: tuple[_Network, ...] = ()
    deny: tuple[_Network, ...] = ()
    allow_ports: tuple[_Ports, ...] = ()
    deny_ports: tuple[_Ports, ...] = ()


class Tunnel(Section):
    """``[Tunnel]``: our own switches on the tunnel."""

    keepalive_padding: Annotated[KeepalivePadding, _read(partial(values.word, words=KeepalivePadding))] = (
        KeepalivePadding.PADDED
    )


class Log(Section):
    """``[Log]``: what is logged, and how."""

    level: Annotated[LogLevel, _read(partial(values.word, words=LogLevel))] = LogLevel.INFO
    format: Annotated[LogFormat, _read(partial(values.word, words=LogFormat))] = LogFormat.AUTO


SECTIONS: Mapping[str, type[Section]] = {
    kind.__name__.lower(): kind for kind in (Interface, Peer, Socks5, Server, Tunnel, Log)
}
"""Every section by its name in lower case."""


@dataclass(frozen=True)
class Config:
    """A configuration that has passed every check of its own, and that can run as ``role``.

    ``warnings`` are what was seen and passed over in reading. ``lines`` says where everything stands, as
    `Findings.lines`.
    """

    file: str
    role: Role
    interface: Interface
    peers: tuple[Peer, ...] = ()
    socks5: Socks5 = field(default_factory=Socks5)
    server: Server = field(default_factory=Server)
    tunnel: Tunnel = field(default_factory=Tunnel)
    log: Log = field(default_factory=Log)
    warnings: tuple[Problem, ...] = ()
    lines: Mapping[tuple[str, str] | tuple[str, str, int], int] = field(default_factory=dict, repr=False)

    @property
    def obfuscation(self) -> list[tuple[str, str]]:
        """Every obfuscation setting, as the extension takes them: (name, value)."""
        return [*self.interface.obfuscation, ("KeepalivePadding", self.tunnel.keepalive_padding.value)]

    @cached_property
    def mtu(self) -> int:
        """The largest inner packet in bytes: as configured, else what fits the path, which is looked at once."""
        return tunnel_mtu(self.interface, self.peers)
