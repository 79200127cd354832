"""Configuration files for both ends of one tunnel, in the .conf dialect.

The keys were made for this file and protect nothing.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from awgproxy import _native

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVER_PRIVATE = "aJcYGICzFh3r0g5vshQE2kwjWkdGldBhoxEPNcuNWGk="
SERVER_PUBLIC = "xJII9t5LYpXEzBLe8rfEaPXNfTihptvHynWxxwYnMjk="
CLIENT_PRIVATE = "EOlx5os4kxzlj9Wbr4ca7EAGfeivTlXWmfEgFGICUnY="
CLIENT_PUBLIC = "3/+/jwzK/pgwLl55ez+LiV4nauMxzx8lWn4q6H1w8Q4="
PRESHARED = "ajGQFEK52TBn3qznPbO1jOHdXRGusZLTdC2i1b63xfM="

SERVER_ADDRESSES = {4: "10.66.0.1", 6: "fd66::1"}
CLIENT_ADDRESSES = {4: "10.66.0.2", 6: "fd66::2"}
PREFIX_LENGTHS = {4: 32, 6: 128}
"""Of a single address."""

PLAIN: Mapping[str, str] = {}
"""No obfuscation: the wire is WireGuard's."""

EVERYTHING: Mapping[str, str] = {
    "Jc": "5",
    "Jmin": "40",
    "Jmax": "90",
    "S1": "37",
    "S2": "61",
    "S3": "23",
    "S4": "16",
    "H1": "100000-200000",
    "H2": "300000-400000",
    "H3": "500000-600000",
    "H4": "3000000000-4000000000",
    "I1": "<b 0xf6ab3267fa><t><r 24>",
    "I2": "<rc 12><rd 8>",
    "I3": "<b 0x16030100><d><ds><dz 4>",
    "I4": "<r 200>",
    "I5": "<rd 5><t>",
}
"""Every parameter, the type words as ranges, and every tag that the reference takes (it refuses `<c>`)."""

VERSION_3: Mapping[str, str] = {
    **EVERYTHING,
    "HeaderProtectionKey": "cLfc8enkw2a01FGI5gD9Gv69+49YuvNioq96svN59MA=",
    "ContentPaddingAddition": "0-60",
    "RandomTrailers": "true",
    "DisableCookies": "true",
    "RekeyAfterTime": "100-140",
    "KeepaliveTimeout": "8-12",
}
"""The same with what AmneziaWG 3.1 adds to every packet, and some of its times. Only awgproxy speaks it here."""

HANDSHAKE_ONLY: Mapping[str, str] = {
    "Jc": "4",
    "Jmin": "40",
    "Jmax": "70",
    "S1": "72",
    "S2": "56",
    "H1": "1148327621",
    "H2": "1763098457",
    "H3": "2031455092",
    "H4": "986721340",
}
"""As AmneziaWG's own installers made them before 2.0: only the handshake pays."""

PADDED_DATA: Mapping[str, str] = {"S4": "24"}
"""Padding before transport messages alone: what the two forms of keepalive are about."""


def client_private(number: int) -> str:
    """The private key of a client, who is told from others of the same server by a number: 0 is the first."""
    if number == 0:
        return CLIENT_PRIVATE
    return base64.b64encode(hashlib.sha256(b"awgproxy interop client %d" % number).digest()).decode()


def client_public(number: int) -> str:
    """The public key of that client."""
    return CLIENT_PUBLIC if number == 0 else _native.public_key(client_private(number))


def client_addresses(number: int) -> dict[int, str]:
    """The addresses of that client inside the tunnel, by IP version."""
    return {version: str(ipaddress.ip_address(first) + number) for version, first in CLIENT_ADDRESSES.items()}


@dataclass(frozen=True)
class Tunnel:
    """One tunnel between a server and its clients, as the ends' files describe it.

    `endpoint` is where clients find the server, "host:port"; `inner` lists the IP versions inside; `clients` is how
    many the server knows.
    """

    endpoint: str = ""
    obfuscation: Mapping[str, str] = field(default_factory=dict)
    preshared: bool = False
    inner: tuple[int, ...] = (4,)
    mtu: int = 1380
    persistent_keepalive: int = 0
    clients: int = 1

    def at(self, endpoint: str) -> Tunnel:
        """The same tunnel, found at another place."""
        return dataclasses.replace(self, endpoint=endpoint)

    def server_file(self, listen_port: int) -> str:
        """The server's file, as any implementation takes it."""
        interface = self._interface(SERVER_PRIVATE, SERVER_ADDRESSES) | {"ListenPort": str(listen_port)}
        text = _section("Interface", interface)
        for number in range(self.clients):
            addresses = client_addresses(number)
            allowed = ", ".join(f"{addresses[version]}/{PREFIX_LENGTHS[version]}" for version in self.inner)
            text += _section("Peer", self._peer(client_public(number), allowed))
        return text

    def client_file(self, number: int = 0) -> str:
        """A client's file, as any implementation takes it: everything goes through the tunnel."""
        interface = self._interface(client_private(number), client_addresses(number))
        interface["DNS"] = ", ".join(SERVER_ADDRESSES[version] for version in self.inner[:1])
        allowed = ", ".join({4: "0.0.0.0/0", 6: "::/0"}[version] for version in self.inner)
        peer = self._peer(SERVER_PUBLIC, allowed) | {"Endpoint": self.endpoint}
        return _section("Interface", interface) + _section("Peer", peer)

    def _interface(self, private_key: str, addresses: Mapping[int, str]) -> dict[str, str]:
        return {
            "PrivateKey": private_key,
            "Address": ", ".join(f"{addresses[version]}/{PREFIX_LENGTHS[version]}" for version in self.inner),
            "MTU": str(self.mtu),
            **self.obfuscation,
        }

    def _peer(self, public_key: str, allowed: str) -> dict[str, str]:
        peer = {"PublicKey": public_key, "AllowedIPs": allowed}
        if self.preshared:
            peer["PresharedKey"] = PRESHARED
        if self.persistent_keepalive:
            peer["PersistentKeepalive"] = str(self.persistent_keepalive)
        return peer


@dataclass(frozen=True)
class Ours:
    """What a file of awgproxy's may say beside: sections that nobody else knows, and the carrier's address."""

    keepalive_padding: str | None = None
    socks: str | None = None
    allow: tuple[str, ...] = ()
    names: str | None = None
    server_addresses: tuple[str, ...] = ()
    recovery: str | None = None
    carrier: str | None = None
    carrier_address: str | None = None

    def sections(self) -> str:
        """The text to be put after the tunnel's own, which ends in a peer's section."""
        text = f"#@ CarrierAddress = {self.carrier_address}\n" if self.carrier_address is not None else ""
        tunnel = {}
        if self.keepalive_padding is not None:
            tunnel["KeepalivePadding"] = self.keepalive_padding
        if self.server_addresses:
            tunnel["ServerAddress"] = ", ".join(self.server_addresses)
        if self.recovery is not None:
            tunnel["Recovery"] = self.recovery
        if self.carrier is not None:
            tunnel["Carrier"] = self.carrier
        if tunnel:
            text += _section("Tunnel", tunnel)
        if self.socks is not None:
            text += _section("Socks5", {"BindAddress": self.socks})
        server = {}
        if self.allow:
            server["Allow"] = ", ".join(self.allow)
        if self.names is not None:
            server["DNS"] = self.names
        return text + (_section("Server", server) if server else "")


def _section(name: str, keys: Mapping[str, str]) -> str:
    return "\n".join([f"[{name}]", *(f"{key} = {value}" for key, value in keys.items()), "", ""])
