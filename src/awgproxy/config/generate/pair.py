"""A server's configuration and its clients', as texts that match each other."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_interface, ip_network
from itertools import combinations
from secrets import SystemRandom
from typing import TYPE_CHECKING

from awgproxy import _native
from awgproxy.config.carrier import least_carrier_mtu
from awgproxy.config.generate.parameters import Profile, random_parameters
from awgproxy.config.generate.signatures import (
    BOUND_TO_PORT,
    RECIPES,
    USUAL_PORTS,
    Signature,
    quic,
    random_signature,
    sensible_signature,
)
from awgproxy.config.path import fitting_mtu, path_to
from awgproxy.config.values import CARRIER_PORT, Endpoint, InvalidValue, interface

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from random import Random

    from awgproxy.config.values import Address, Interface, Network

PORTS = (10_000, 32_767)
"""Where a port is drawn from: above the well-known ones, below those that Linux gives to outgoing sockets."""

MOST_CLIENTS = 250

_FOR_CLIENTS = """\
# A client of awgproxy: `awgproxy client` with this file's name. The AmneziaWG apps take it too (#@ is ours).
# It holds secrets: show it to nobody.{agreed}
"""

_FOR_SERVER = """\
# A server of awgproxy: `awgproxy server` with this file's name.
# It holds secrets: show it to nobody.{agreed}
"""

_AGREED = {
    Profile.AWG3: " S1 to H4, HeaderProtectionKey and RandomTrailers must be the same on both ends.",
    Profile.AWG2: " The parameters from S1 to H4 must be the same on both ends.",
    Profile.PLAIN: "",
}

_EGRESS = """\
[Server]
# What clients may reach: the public internet, and no private network, unless Allow names it.
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for; what is None is drawn at random.

    ``host`` and ``port``: where clients find the server. ``listen_port``: where it listens, if that is another port.
    ``networks``: the tunnel's, the server takes the first address of each. ``dns``: whom the server asks for names, the
    system's servers where empty. ``path_mtu``: of the server's network; None to ask the system. ``signature``: what I1
    claims to be; where None, something that is believed at the server's port, and nothing in plain WireGuard.
    """

    host: str
    port: int | None = None
    listen_port: int | None = None
    networks: Sequence[Network] = ()
    dns: Sequence[Address] = ()
    clients: int = 1
    path_mtu: int | None = None
    profile: Profile = Profile.AWG3
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Generated:
    """The texts: the server's, and one for each client. Without ``repr``, since they hold keys.

    ``doubt``: a sentence on what is not believed of the signature; empty where there is nothing to say.
    """

    server: str
    clients: tuple[str, ...]
    doubt: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class _Client:
    private_key: str
    public_key: str
    preshared_key: str
    addresses: tuple[Interface, ...]


@dataclass(frozen=True, slots=True, repr=False)
class _Tunnel:
    """What both ends agree on; ``agreed`` is the sentence that says so."""

    server: tuple[Interface, ...]
    endpoint: Endpoint
    mtu: int
    parameters: list[tuple[str, str]]
    agreed: str


def generate(plan: Plan, random: Random | None = None) -> Generated:
    """Draw keys, addresses and parameters, and write the files' texts.

    Keys are from the extension's generator whatever ``random`` is: that is for parameters, the system's by default.

    Raises:
        InvalidValue: a network is too small for the clients, cannot be a tunnel's, or overlaps another, there are too
            many clients, or the signature cannot be.
    """
    random = random or SystemRandom()
    if not 1 <= plan.clients <= MOST_CLIENTS:
        raise InvalidValue(f"{plan.clients} clients cannot be served", f"1 to {MOST_CLIENTS}")
    networks = plan.networks or _random_networks(random)
    _refuse_overlaps(networks)
    server, *others = zip(*(_addresses(network, plan.clients + 1) for network in networks), strict=True)
    port = plan.port or plan.listen_port or random.randint(*PORTS)
    path_mtu = path_to(()).mtu if plan.path_mtu is None else plan.path_mtu
    signature = _signature(plan, port, path_mtu, random)
    parameters = random_parameters(plan.profile, random)
    if signature in RECIPES:
        after_headers = next(index for index, (name, _) in enumerate(parameters) if name == "H4") + 1
        parameters.insert(after_headers, ("I1", random_signature(signature, path_mtu, random)))
    mtu = fitting_mtu(parameters, path_mtu, networks)  # over IPv6 too, so that it fits wherever the client is
    tunnel = _Tunnel(server, Endpoint(plan.host, port), mtu, parameters, _AGREED[plan.profile])
    private_key = _native.generate_private_key()
    clients = [_new_client(tuple(ip_interface(address.ip) for address in addresses)) for addresses in others]
    server_key = _native.public_key(private_key)
    return Generated(
        _server_text(tunnel, plan, private_key, clients),
        tuple(_client_text(tunnel, client, server_key) for client in clients),
        _doubt(signature, port),
    )


def _signature(plan: Plan, port: int, path_mtu: int, random: Random) -> Signature:
    if plan.profile is Profile.PLAIN:
        if plan.signature in RECIPES:
            raise InvalidValue(f"plain WireGuard has no {plan.signature} signature", "none, or another --profile")
        return Signature.NONE
    if plan.signature is None:
        return sensible_signature(port, path_mtu, random)
    if plan.signature is Signature.QUIC and path_mtu < quic.LEAST_PATH_MTU:
        message = f"a QUIC Initial does not fit the path's MTU of {path_mtu} bytes"
        raise InvalidValue(message, f"another signature: it needs {quic.LEAST_PATH_MTU}")
    return plan.signature


def _doubt(signature: Signature, port: int) -> str:
    """What is bound to a port is told at another one."""
    if signature not in BOUND_TO_PORT or port == USUAL_PORTS[signature]:
        return ""
    return f"Only at port {USUAL_PORTS[signature]} is {signature} recognised; the server's is {port}."


def _random_networks(random: Random) -> list[Network]:
    """A private IPv4 network and a unique local IPv6 one (RFC 4193)."""
    global_id = random.getrandbits(40)
    unique_local = (0xFD << 120) | (global_id << 80)
    return [
        ip_network(f"10.{random.randint(1, 254)}.{random.randint(0, 255)}.0/24"),
        ip_network((unique_local, 64)),
    ]


def _refuse_overlaps(networks: Sequence[Network]) -> None:
    for one, other in combinations(networks, 2):
        if one.overlaps(other):
            raise InvalidValue(f"{one} and {other} overlap", "networks that share no address")


def _addresses(network: Network, count: int) -> list[Interface]:
    """The first addresses of a network, the one that names the network left out."""
    if network.num_addresses < count + 2:
        raise InvalidValue(f"{network} is too small for {count} addresses", "a larger network, such as 10.8.0.0/24")
    return [interface(f"{network.network_address + number}/{network.prefixlen}") for number in range(1, count + 1)]


def _new_client(addresses: tuple[Interface, ...]) -> _Client:
    private_key = _native.generate_private_key()
    return _Client(private_key, _native.public_key(private_key), _native.generate_preshared_key(), addresses)


def _server_text(tunnel: _Tunnel, plan: Plan, private_key: str, clients: Sequence[_Client]) -> str:
    interface = [
        ("PrivateKey", private_key),
        ("Address", _listed(tunnel.server)),
        ("ListenPort", str(plan.listen_port or tunnel.endpoint.port)),
        ("MTU", str(tunnel.mtu)),
        *tunnel.parameters,
    ]
    egress = _EGRESS + (f"DNS = {_listed(plan.dns)}\n" if plan.dns else "")
    peers = [
        [
            ("PublicKey", client.public_key),
            ("PresharedKey", client.preshared_key),
            ("AllowedIPs", _listed(client.addresses)),
        ]
        for client in clients
    ]
    sections = [_section("Interface", interface), egress, *(_section("Peer", peer) for peer in peers)]
    return _FOR_SERVER.format(agreed=tunnel.agreed) + "\n".join(sections)


def _client_text(tunnel: _Tunnel, client: _Client, server_key: str) -> str:
    interface = [
        ("PrivateKey", client.private_key),
        ("Address", _listed(client.addresses)),
        ("DNS", _listed(address.ip for address in tunnel.server)),
        ("MTU", str(tunnel.mtu)),
        *tunnel.parameters,
    ]
    peer = [
        ("PublicKey", server_key),
        ("PresharedKey", client.preshared_key),
        ("AllowedIPs", "0.0.0.0/0, ::/0"),
        ("Endpoint", str(tunnel.endpoint)),
        *_carrier(tunnel),
    ]
    return _FOR_CLIENTS.format(agreed=tunnel.agreed) + "\n".join(
        [_section("Interface", interface), _section("Peer", peer)]
    )


def _carrier(tunnel: _Tunnel) -> list[tuple[str, str]]:
    """Where the server takes carried connections; nothing where QUIC does not fit the tunnel's packets."""
    host = min((address.ip for address in tunnel.server), key=lambda address: address.version)
    if tunnel.mtu < least_carrier_mtu(host):
        return []
    return [("#@ CarrierAddress", str(Endpoint(str(host), CARRIER_PORT)))]


def _section(name: str, settings: Iterable[tuple[str, str]]) -> str:
    return "".join([f"[{name}]\n", *(f"{key} = {value}\n" for key, value in settings)])


def _listed(values: Iterable[object]) -> str:
    return ", ".join(str(value) for value in values)
