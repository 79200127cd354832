"""What may be reached: at a server by ``[Server]`` and ``[Peer]`` on top of safe defaults, at a client by ``[Client]``.

`PeerPolicies` and `client_policy` give the compiled form, which answers for one address and port; `egress_rules` and
`client_rules` the rules that it is compiled from. Nothing is dialled or logged here.
"""

from awgproxy.policy.host import host_addresses
from awgproxy.policy.judges import PeerPolicies, allowed_of, client_policy, require_allowed, require_port_allowed
from awgproxy.policy.rules import Rule, client_rules, egress_rules

__all__ = [
    "PeerPolicies",
    "Rule",
    "allowed_of",
    "client_policy",
    "client_rules",
    "egress_rules",
    "host_addresses",
    "require_allowed",
    "require_port_allowed",
]
