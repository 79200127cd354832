"""The rules of a configuration compiled: who asks for a destination is told whether it is open, and if not why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awgproxy._native import EgressPolicy
from awgproxy.errors import PolicyDenied
from awgproxy.policy.host import host_addresses
from awgproxy.policy.rules import client_rules, egress_rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from awgproxy.config import Config


_NOBODYS = "0.0.0.0"  # noqa: S104 - nothing is bound or reached there
"""An address that no rule of its own speaks of."""


class PeerPolicies:
    """A server's rules: those of all peers, and those of each peer that has its own beside them."""

    def __init__(self, config: Config) -> None:
        """The machine's own addresses are read now."""
        server, tunnel, host = config.server, config.interface.addresses, host_addresses()
        self.common = EgressPolicy(egress_rules(server, tunnel, host))
        self._own = {
            peer.public_key: EgressPolicy(egress_rules(server, tunnel, host, peer))
            for peer in config.peers
            if peer.has_rules
        }

    def own(self, peer: str) -> EgressPolicy | None:
        """What holds for a peer, by its public key, instead of `common`; None where that does."""
        return self._own.get(peer)

    def of(self, peer: str) -> EgressPolicy:
        """What holds for a peer, by its public key."""
        return self._own.get(peer, self.common)


def client_policy(config: Config) -> EgressPolicy:
    """What a client's applications may reach."""
    return EgressPolicy(client_rules(config.client))


def require_allowed(policy: EgressPolicy, address: str, port: int) -> None:
    """Raise `PolicyDenied` unless a destination is allowed.

    Raises:
        PolicyDenied: with the reason that the rule gives.
        ValueError: `address` is not an IP address.
    """
    reason = policy.verdict(address, port)
    if reason is not None:
        raise PolicyDenied(address, port, reason)


def require_port_allowed(policy: EgressPolicy, name: str, port: int) -> None:
    """Raise `PolicyDenied` where rules that speak of ports alone refuse a name's.

    The name's addresses are judged by whoever learns them.
    """
    reason = policy.verdict(_NOBODYS, port)
    if reason is not None:
        raise PolicyDenied(name, port, reason)


def allowed_of(policy: EgressPolicy, addresses: Sequence[str], port: int) -> list[str]:
    """Those of a destination's addresses that are allowed, in their order: what is judged is what is dialled.

    Raises:
        PolicyDenied: none of them is, with the reason for the first.
        ValueError: one is not an IP address.
    """
    verdicts = [(address, policy.verdict(address, port)) for address in addresses]
    for address, reason in verdicts[:1]:
        if reason is not None and all(refused is not None for _, refused in verdicts):
            raise PolicyDenied(address, port, reason)
    return [address for address, reason in verdicts if reason is None]
