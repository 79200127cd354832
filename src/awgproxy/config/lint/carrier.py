"""What keeps connections from riding on QUIC where a configuration speaks of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awgproxy.config.carrier import carrier_host, is_carried, least_carrier_mtu
from awgproxy.config.lint.remark import Remark
from awgproxy.config.model import Carrier, Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from awgproxy.config.model import Config
    from awgproxy.config.path import Path


def without_effect(config: Config, _path: Path) -> Iterator[Remark]:
    """A word on carriers where nobody listens to it."""
    if config.role is Role.SERVER:
        suggestion = "it belongs in the clients' files"
        if "carrier" in config.tunnel.model_fields_set:
            yield Remark("tunnel", "Carrier", "has no effect at a server", suggestion)
        for number, peer in enumerate(config.peers, 1):
            if peer.carrier_address is not None:
                yield Remark(f"peer {number}", "CarrierAddress", "has no effect at a server", suggestion)
    elif _is_said(config, Carrier.AUTO) and not is_carried(config):
        message = "has no effect: no [Peer] has a CarrierAddress"
        yield Remark("tunnel", "Carrier", message, "the server's, such as `#@ CarrierAddress = 10.8.0.1:51443`")


def address(config: Config, _path: Path) -> Iterator[Remark]:
    """A carrier's address that the tunnel does not lead to."""
    if not is_carried(config):
        return
    versions = {each.version for each in config.interface.addresses}
    own = {each.ip for each in config.interface.addresses}
    for number, peer in enumerate(config.peers, 1):
        host = carrier_host(peer)
        if host is None:
            continue
        wrong = None
        if host in own:
            wrong = f"{host} is this end's own address", "the server's belongs here"
        elif host.version not in versions:
            wrong = f"{host} cannot be reached: Address has no IPv{host.version}", "name another, or add an address"
        elif not any(host in network for network in peer.allowed_ips):
            wrong = f"{host} is not in this peer's AllowedIPs and cannot be reached", "allow it, or name another one"
        if wrong is not None:
            yield Remark(f"peer {number}", "CarrierAddress", *wrong, grave=_is_a_must(config))


def mtu(config: Config, _path: Path) -> Iterator[Remark]:
    """Packets that are too small for QUIC."""
    if config.role is Role.SERVER:
        least = least_carrier_mtu(min((each.ip for each in config.interface.addresses), key=lambda ip: ip.version))
        if "carrier_port" in config.server.model_fields_set and config.server.carrier_port and config.mtu < least:
            message = f"has no effect with an MTU of {config.mtu}: QUIC does not fit"
            yield Remark("server", "CarrierPort", message, f"an MTU of {least} at least, or `none`")
        return
    if not is_carried(config):
        return
    for number, peer in enumerate(config.peers, 1):
        host = carrier_host(peer)
        if host is not None and config.mtu < least_carrier_mtu(host):
            message = (
                f"has no effect with an MTU of {config.mtu}: QUIC does not fit, and connections ride on IP packets"
            )
            suggestion = f"an MTU of {least_carrier_mtu(host)} at least, if the path has room for it"
            yield Remark(f"peer {number}", "CarrierAddress", message, suggestion, grave=_is_a_must(config))


def _is_said(config: Config, carrier: Carrier) -> bool:
    return config.tunnel.carrier is carrier and "carrier" in config.tunnel.model_fields_set


def _is_a_must(config: Config) -> bool:
    return config.tunnel.carrier is Carrier.QUIC


RULES = (without_effect, address, mtu)
