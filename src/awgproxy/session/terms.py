"""A server's terms with its peers: the rules of each, and what it may take, as the engine is told."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from awgproxy._native import PeerLimits
from awgproxy.policy import PeerPolicies
from awgproxy.session.quota import MonthlyUsage

if TYPE_CHECKING:
    from awgproxy._native import EgressPolicy
    from awgproxy.config import Config, Limits


class Grant(NamedTuple):
    """One peer's; None where nothing of its own is said."""

    egress: EgressPolicy | None = None
    limits: PeerLimits | None = None


Grants = Mapping[str, Grant]
"""By public key."""

NO_GRANTS: Grants = MappingProxyType({})


class Terms:
    """The terms of one configuration; what is left of quotas changes."""

    def __init__(self, config: Config) -> None:
        """The machine's own addresses and the file of usage are read now."""
        one_of_each: dict[Limits, Limits] = {}  # thousands of peers have the same
        limits = ((peer.public_key, config.limits_of(peer)) for peer in config.peers)
        self._limits = {key: one_of_each.setdefault(own, own) for key, own in limits}
        quotas = {key: limits.monthly_quota for key, limits in self._limits.items() if limits.monthly_quota is not None}
        self.policies = PeerPolicies(config)
        self.usage = MonthlyUsage(config.usage_file, quotas)

    def grants(self) -> Grants:
        """What each peer has from now on."""
        self.usage.count()
        return {
            peer: Grant(self.policies.own(peer), _limits(limits, self.usage.rest(peer)))
            for peer, limits in self._limits.items()
        }


def _limits(limits: Limits, rest: int | None) -> PeerLimits | None:
    """As the engine takes them; `rest` is what is left of the quota."""
    if not any(value for _, value in limits):
        return None
    return PeerLimits(
        flows=limits.max_flows,
        new_flows_per_second=limits.new_flows_per_second,
        bytes_per_second=limits.bandwidth,
        quota_bytes=rest,
    )
