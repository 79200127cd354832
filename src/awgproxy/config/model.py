"""What a configuration says: one frozen model a section.

The models are the list of what is known: the field's alias is the key as documentation spells it, a tuple is a key that
may repeat or hold a list, a field without default is required. Secrets are `SecretStr`, which shows stars.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic.alias_generators import to_pascal

from awgproxy.config import limits, values
from awgproxy.config.path import tunnel_mtu
from awgproxy.config.values import Address, Endpoint, Network, PortRange, SearchDomain, Seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from awgproxy.config.lines import Place
    from awgproxy.errors import Problem

AWG_2_KEYS = (
    *("Jc", "Jmin", "Jmax"),
    *("S1", "S2", "S3", "S4"),
    *("H1", "H2", "H3", "H4"),
    *("I1", "I2", "I3", "I4", "I5"),
)
"""The AmneziaWG 2.0 parameters."""

AWG_3_KEYS = (
    *("HeaderProtectionKey", "ContentPaddingAddition", "RandomTrailers", "DisableCookies"),
    *("RekeyAfterTime", "RekeyTimeout", "RejectAfterTime", "KeepaliveTimeout", "MaxHandshakeAttempts"),
)
"""What AmneziaWG 3.0 and 3.1 added; `HeaderProtectionKey` is a secret."""

OBFUSCATION_KEYS = (*AWG_2_KEYS, *AWG_3_KEYS)
"""The parameters that stand in ``[Interface]`` and in each ``[Obfuscation NAME]``; `_native` says what each may be."""

Settings = tuple[tuple[str, str], ...]
"""Obfuscation parameters as written, (name, value) each. One of them is a secret: they are in no ``repr`` or dump."""


class Role(StrEnum):
    """The two ends."""

    CLIENT = "client"
    SERVER = "server"


class KeepalivePadding(StrEnum):
    """Whether a keepalive is sent with S4 bytes of padding, or bare as amneziawg-go v0.2.16 does."""

    PADDED = "padded"
    REFERENCE = "reference"


class Recovery(StrEnum):
    """How soon an end comes back after the other one restarted, or the network in between was gone."""

    FAST = "fast"
    REFERENCE = "reference"


class Carrier(StrEnum):
    """What connections ride on inside the tunnel: QUIC streams to our own server, or IP packets."""

    AUTO = "auto"
    QUIC = "quic"
    IP = "ip"


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


WHOLE: Final = object()
"""Marks a key that may repeat and whose value may hold commas: it is no list."""

_Key = Annotated[str, _read(values.key)]
_Secret = Annotated[SecretStr, _read(lambda text: SecretStr(values.key(text)))]
_Address = Annotated[Address, _read(values.address)]
_Tunnel = Annotated[values.Interface, _read(values.interface)]
_Network = Annotated[Network, _read(values.network)]
_Ports = Annotated[PortRange, _read(values.port_range)]
_ListenPorts = Annotated[PortRange, _read(values.listen_ports)]
_Seconds = Annotated[Seconds | None, _read(values.keepalive)]


class Section(BaseModel):
    """What all sections share: nothing unknown, nothing changed later, no input in error texts."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        alias_generator=to_pascal,
        validate_by_name=True,
        validate_by_alias=True,
        defer_build=True,  # most files have few of the sections
    )

    @classmethod
    def absent(cls) -> Self:
        """The section where a file has none: its defaults, taken as they are."""
        return cls.model_construct()


class Obfuscated(Section):
    """What sections with obfuscation parameters share: the ports where those are spoken.

    ``label`` is what `Findings.lines` calls the section, ``title`` what people read.
    """

    listen: Annotated[tuple[_ListenPorts, ...], Field(alias="ListenPort")] = ()
    obfuscation: Annotated[Settings, Field(alias="obfuscation", repr=False, exclude=True)] = ()

    @property
    def label(self) -> str:
        """The section for programs."""
        return "interface"

    @property
    def title(self) -> str:
        """The section for people."""
        return "Interface"

    @property
    def listen_ports(self) -> tuple[int, ...]:
        """Every UDP port to listen on, in order; ``()`` leaves one to the system."""
        return tuple(port for ports in self.listen for port in range(ports.first, ports.last + 1) if port)

    @property
    def listen_port(self) -> int | None:
        """The first of the ports; None leaves it to the system."""
        return next(iter(self.listen_ports), None)


class Interface(Obfuscated):
    """``[Interface]``: this end of the tunnel."""

    private_key: _Secret
    addresses: Annotated[tuple[_Tunnel, ...], Field(alias="Address", min_length=1)]
    dns_entries: Annotated[
        tuple[Annotated[Address | SearchDomain, _read(values.dns_server)], ...], Field(alias="DNS")
    ] = ()
    mtu: Annotated[int | None, _read(values.mtu), Field(alias="MTU")] = None
    fw_mark: Annotated[int | None, _read(values.firewall_mark)] = None

    @property
    def dns(self) -> tuple[Address, ...]:
        """The DNS servers, asked through the tunnel, in order."""
        return tuple(entry for entry in self.dns_entries if not isinstance(entry, SearchDomain))


class Rules(Section):
    """What sections with rules of their own share: networks and ports that are open or closed."""

    allow: tuple[_Network, ...] = ()
    deny: tuple[_Network, ...] = ()
    allow_ports: tuple[_Ports, ...] = ()
    deny_ports: tuple[_Ports, ...] = ()

    @property
    def has_rules(self) -> bool:
        """Whether there is a rule."""
        return bool(self.allow or self.deny or self.allow_ports or self.deny_ports)


class Limits(Section):
    """What one peer of a server may take; None is no limit, which may also be said."""

    max_flows: Annotated[int | None, _read(limits.flows)] = None
    new_flows_per_second: Annotated[float | None, _read(limits.flow_rate)] = None
    bandwidth: Annotated[int | None, _read(limits.bandwidth)] = None
    """Bytes a second, each way by itself."""
    monthly_quota: Annotated[int | None, _read(limits.quota)] = None
    """Bytes, both ways together."""


class Peer(Rules, Limits):
    """``[Peer]``: another end of the tunnel. Its rules and limits are a server's, its carrier's address a client's."""

    public_key: _Key
    preshared_key: _Secret | None = None
    allowed_ips: Annotated[tuple[_Network, ...], Field(alias="AllowedIPs", min_length=1)]
    endpoints: Annotated[tuple[Annotated[Endpoint, _read(values.endpoint)], ...], Field(alias="Endpoint")] = ()
    persistent_keepalive: _Seconds = None
    carrier_address: Annotated[Endpoint | None, _read(values.carrier_address)] = None


class Obfuscation(Obfuscated):
    """``[Obfuscation NAME]``: a further set of obfuscation parameters, which a server has at ports of its own."""

    name: Annotated[str, Field(alias="name")]
    listen: Annotated[tuple[_Ports, ...], Field(alias="ListenPort", min_length=1)]

    @property
    def label(self) -> str:
        """The section for programs."""
        return f"obfuscation {self.name.lower()}"

    @property
    def title(self) -> str:
        """The section for people."""
        return f"Obfuscation {self.name}"


class User(NamedTuple):
    """Who may use a listener."""

    name: str
    password: SecretStr


def _user(text: str) -> User:
    name, password = values.user(text)
    return User(name, SecretStr(password))


class Listening(Section):
    """What sections with a port for applications share: where it is, and who may use it."""

    bind_address: Annotated[Endpoint, _read(values.listen_address)]
    username: Annotated[str | None, _read(values.credential)] = None
    password: Annotated[SecretStr | None, _read(lambda text: SecretStr(values.credential(text)))] = None
    more_users: Annotated[tuple[Annotated[User, _read(_user)], ...], Field(alias="User"), WHOLE] = ()
    allow_unauthenticated: Annotated[bool, _read(values.truth)] = False

    @property
    def users(self) -> tuple[User, ...]:
        """Everybody who may use it; nobody at all where no password is asked for."""
        if self.username is None or self.password is None:
            return self.more_users
        return (User(self.username, self.password), *self.more_users)


class Socks5(Listening):
    """``[Socks5]``: where a client takes applications' connections."""

    bind_address: Annotated[Endpoint, _read(values.listen_address)] = Endpoint("127.0.0.1", 1080)
    http: Annotated[bool, _read(values.truth)] = True


class Http(Listening):
    """``[Http]``: a port of its own for applications that speak HTTP to a proxy."""


_Target = Annotated[Endpoint, _read(values.target)]


class TCPClientTunnel(Section):
    """``[TCPClientTunnel]``: a local port whose connections go to one target through the tunnel."""

    bind_address: Annotated[Endpoint, _read(values.forward_address)]
    target: _Target


class TCPServerTunnel(Section):
    """``[TCPServerTunnel]``: a port at a client's own tunnel address, whose connections go to a target beside it."""

    listen_port: Annotated[int, _read(values.port)]
    target: _Target


class UDPProxyTunnel(Section):
    """``[UDPProxyTunnel]``: a local port whose datagrams go to one target through the tunnel."""

    bind_address: Annotated[Endpoint, _read(values.forward_address)]
    target: _Target
    inactivity_timeout: Annotated[int, _read(values.idle_time)] = 0


class STDIOTunnel(Section):
    """``[STDIOTunnel]``: standard input and output as one connection through the tunnel."""

    target: _Target


class Client(Rules):
    """``[Client]``: what a client's applications may reach."""


class Server(Rules, Limits):
    """``[Server]``: what a server's clients may reach and take, whom it asks for names, and what it remembers."""

    dns: Annotated[tuple[_Address, ...], Field(alias="DNS")] = ()
    allow_private: Annotated[bool, _read(values.truth)] = False
    source_addresses: Annotated[tuple[_Address, ...], Field(alias="SourceAddress")] = ()
    state_file: Annotated[str | None, _read(values.path)] = None
    carrier_port: Annotated[int | None, _read(values.carrier_port)] = values.CARRIER_PORT


class Tunnel(Section):
    """``[Tunnel]``: our own switches on the tunnel."""

    keepalive_padding: Annotated[KeepalivePadding, _read(partial(values.word, words=KeepalivePadding))] = (
        KeepalivePadding.PADDED
    )
    port_hop: Annotated[Seconds | None, _read(values.port_hop)] = None
    recovery: Annotated[Recovery, _read(partial(values.word, words=Recovery))] = Recovery.FAST
    server_addresses: Annotated[tuple[_Address, ...], Field(alias="ServerAddress")] = ()
    workers: Annotated[int | None, _read(values.workers)] = 1
    """Loops that share the peers; None is as many as the machine runs at once, and as there are peers."""
    carrier: Annotated[Carrier, _read(partial(values.word, words=Carrier))] = Carrier.AUTO


class Log(Section):
    """``[Log]``: what is logged, and how."""

    level: Annotated[LogLevel, _read(partial(values.word, words=LogLevel))] = LogLevel.INFO
    format: Annotated[LogFormat, _read(partial(values.word, words=LogFormat))] = LogFormat.AUTO


SECTIONS: Mapping[str, type[Section]] = {
    kind.__name__.lower(): kind
    for kind in (
        *(Interface, Obfuscation, Peer, Socks5, Http),
        *(TCPClientTunnel, TCPServerTunnel, UDPProxyTunnel, STDIOTunnel),
        *(Client, Server, Tunnel, Log),
    )
}
"""Every section by its name in lower case."""


@dataclass(frozen=True)
class Config:
    """A configuration that has passed every check of its own, and that can run as ``role``.

    ``warnings`` are what was seen and passed over in reading. ``lines`` says where everything stands, as
    `Lines`.
    """

    file: str
    role: Role
    interface: Interface
    peers: tuple[Peer, ...] = ()
    further_obfuscation: tuple[Obfuscation, ...] = ()
    socks5: Socks5 | None = field(default_factory=Socks5.absent)
    http: Http | None = None
    tcp_client_tunnels: tuple[TCPClientTunnel, ...] = ()
    tcp_server_tunnels: tuple[TCPServerTunnel, ...] = ()
    udp_proxy_tunnels: tuple[UDPProxyTunnel, ...] = ()
    stdio_tunnel: STDIOTunnel | None = None
    client: Client = field(default_factory=Client.absent)
    server: Server = field(default_factory=Server.absent)
    tunnel: Tunnel = field(default_factory=Tunnel.absent)
    log: Log = field(default_factory=Log.absent)
    warnings: tuple[Problem, ...] = ()
    lines: Mapping[Place, int] = field(default_factory=dict, repr=False)

    @property
    def obfuscation(self) -> list[tuple[str, str]]:
        """Every obfuscation setting of the interface, as the extension takes them: (name, value)."""
        return self.obfuscation_of(self.interface)

    def obfuscation_of(self, section: Obfuscated) -> list[tuple[str, str]]:
        """Every obfuscation setting of a section, as the extension takes them: (name, value)."""
        return [*section.obfuscation, ("KeepalivePadding", self.tunnel.keepalive_padding.value)]

    @property
    def obfuscated(self) -> tuple[Obfuscated, ...]:
        """Every section with obfuscation parameters, the interface first."""
        return (self.interface, *self.further_obfuscation)

    @property
    def state_file(self) -> Path:
        """Where a server keeps what it must remember: as configured, relative to this file, else beside it."""
        beside = Path(f"{self.file}.state")
        return beside if self.server.state_file is None else beside.parent / self.server.state_file

    @property
    def server_addresses(self) -> tuple[Address, ...]:
        """Where a client's server answers pings: as configured, else the DNS servers in a network of its own."""
        if self.role is not Role.CLIENT:
            return ()
        networks = [address.network for address in self.interface.addresses]
        found = tuple(server for server in self.interface.dns if any(server in network for network in networks))
        return self.tunnel.server_addresses or found

    def limits_of(self, peer: Peer) -> Limits:
        """What a server's peer may take: its own limits, and where it has no word on one, those of ``[Server]``."""
        own = peer.model_fields_set
        return Limits(**{name: getattr(peer if name in own else self.server, name) for name in Limits.model_fields})

    @property
    def usage_file(self) -> Path:
        """Where a server keeps what its peers have used of their quotas: beside the state file."""
        return self.state_file.with_name(f"{self.state_file.name}.usage")

    @cached_property
    def mtu(self) -> int:
        """The largest inner packet in bytes: as configured, else what fits the path, which is looked at once."""
        return tunnel_mtu(self.interface, self.further_obfuscation, self.peers)
