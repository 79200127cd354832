"""What disappoints inside the tunnel: packets that do not fit, names that cannot be asked for, others' addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awgproxy import _native
from awgproxy.config.lint.remark import Remark
from awgproxy.config.model import Recovery, Role, Server
from awgproxy.config.values import SearchDomain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from awgproxy.config.model import Config, TCPClientTunnel, UDPProxyTunnel
    from awgproxy.config.path import Path


def mtu(config: Config, path: Path) -> Iterator[Remark]:
    """Inner packets that are fragmented or lost on the path."""
    largest = min(_native.largest_inner_packet(one.obfuscation, path.mtu, path.ipv6) for one in config.obfuscated)
    if config.mtu > largest:
        message = f"{config.mtu} is above the {largest} that the path of {path.mtu} bytes carries whole"
        yield Remark("interface", "MTU", message, f"set {largest} or less, on both ends")


def names(config: Config, _path: Path) -> Iterator[Remark]:
    """A client that cannot ask for names."""
    if config.role is not Role.CLIENT:
        return
    if not config.interface.dns:
        suggestion = "the server's address in the tunnel, such as 10.8.0.1"
        yield Remark("interface", "DNS", "is missing: connections by name will be refused", suggestion)
    allowed = [network for peer in config.peers for network in peer.allowed_ips]
    versions = {address.version for address in config.interface.addresses}
    for index, server in enumerate(config.interface.dns_entries):
        if isinstance(server, SearchDomain):
            continue
        if server.version not in versions:
            message = f"{server} cannot be reached: Address has no IPv{server.version}"
            yield Remark("interface", "DNS", message, "name another server, or add an address", index)
        elif not any(server in network for network in allowed):
            message = f"{server} is in no peer's AllowedIPs and cannot be reached"
            yield Remark("interface", "DNS", message, "allow it, or name another server", index)


def own_addresses(config: Config, _path: Path) -> Iterator[Remark]:
    """The own address of this end where another one belongs."""
    own = {address.ip for address in config.interface.addresses}
    for number, peer in enumerate(config.peers, 1):
        for index, network in enumerate(peer.allowed_ips):
            if network.prefixlen == network.max_prefixlen and network.network_address in own:
                message = f"{network.network_address} is this end's own address"
                yield Remark(f"peer {number}", "AllowedIPs", message, "the peer's address belongs here", index)
    for index, server in enumerate(config.server.dns):
        if server in own:
            message = f"{server} is this server's own address: it would ask itself"
            yield Remark("server", "DNS", message, "name another DNS server", index)


def any_source(config: Config, _path: Path) -> Iterator[Remark]:
    """A server's peer that may send as anybody."""
    if config.role is not Role.SERVER:
        return
    for number, peer in enumerate(config.peers, 1):
        for index, network in enumerate(peer.allowed_ips):
            if network.prefixlen == 0:
                message = f"{network} lets this client send from any address, and takes every other client's answers"
                yield Remark(
                    f"peer {number}", "AllowedIPs", message, "the client's own address, such as 10.8.0.2/32", index
                )


def hopping(config: Config, _path: Path) -> Iterator[Remark]:
    """A client that is told to hop and has nowhere to."""
    ranged = any(endpoint.last_port is not None for peer in config.peers for endpoint in peer.endpoints)
    if config.tunnel.port_hop is not None and not ranged:
        message = "has no effect: no Endpoint has a range of ports"
        yield Remark("tunnel", "PortHop", message, "such as Endpoint = vpn.example.org:20000-20100")


def server_address(config: Config, _path: Path) -> Iterator[Remark]:
    """Addresses of the server that nobody pings, or that cannot be reached."""
    addresses = config.tunnel.server_addresses
    if not addresses:
        return
    if config.role is not Role.CLIENT:
        yield Remark("tunnel", "ServerAddress", "has no effect at a server", "it belongs in the clients' files")
        return
    if config.tunnel.recovery is Recovery.REFERENCE:
        yield Remark("tunnel", "ServerAddress", "has no effect with Recovery = reference", "leave one of them out")
    allowed = [network for peer in config.peers for network in peer.allowed_ips]
    for index, address in enumerate(addresses):
        if not any(address in network for network in allowed):
            message = f"{address} is in no peer's AllowedIPs and cannot be reached"
            yield Remark("tunnel", "ServerAddress", message, "allow it, or name another one", index)


def without_effect(config: Config, _path: Path) -> Iterator[Remark]:
    """Rules that change nothing where they stand."""
    client, server = config.client, config.server
    if config.role is Role.CLIENT and server.model_fields_set:
        first = next(field for name, field in Server.model_fields.items() if name in server.model_fields_set)
        suggestion = "what a client's applications may reach stands in [Client]"
        yield Remark("server", str(first.alias), "has no effect at a client", suggestion)
    for key, allowed, denied in (
        ("Allow", client.allow, client.deny),
        ("AllowPorts", client.allow_ports, client.deny_ports),
    ):
        if allowed and not denied:
            message = "has no effect: a client refuses only what it is told to"
            yield Remark("client", key, message, f"make exceptions from {key.replace('Allow', 'Deny')} with it")


def open_forwards(config: Config, _path: Path) -> Iterator[Remark]:
    """Ports that other machines reach, and that ask nobody for a password."""
    kinds: tuple[tuple[str, tuple[TCPClientTunnel | UDPProxyTunnel, ...]], ...] = (
        ("tcpclienttunnel", config.tcp_client_tunnels),
        ("udpproxytunnel", config.udp_proxy_tunnels),
    )
    for name, tunnels in kinds:
        for number, tunnel in enumerate(tunnels, 1):
            address = tunnel.bind_address.address
            if address is not None and not address.is_loopback:
                message = f"{tunnel.bind_address} is open to other machines: whoever reaches it reaches {tunnel.target}"
                yield Remark(
                    f"{name} {number}", "BindAddress", message, "an address such as 127.0.0.1, unless meant so"
                )


def workers(config: Config, _path: Path) -> Iterator[Remark]:
    """Loops that have no peer, or that part what one application uses."""
    wanted, peers = config.tunnel.workers, len(config.peers)
    if wanted is not None and wanted > max(peers, 1):
        message = f"{wanted} are more than there are peers, and each peer lives in one"
        yield Remark("tunnel", "Workers", message, f"{peers} at most, or `auto`")
    elif wanted != 1 and peers > 1 and config.role is Role.CLIENT:
        message = "above 1 part the peers of a client: UDP of an application reaches those of one loop alone"
        yield Remark("tunnel", "Workers", message, "leave it out, unless applications use TCP alone")


RULES = (mtu, names, own_addresses, any_source, hopping, server_address, without_effect, open_forwards, workers)
