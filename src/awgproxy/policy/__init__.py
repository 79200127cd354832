"""What a server's clients may reach: the rules of ``[Server]`` on top of safe defaults.

`egress_policy` gives the compiled form, which answers for one address and port; `egress_rules` the rules that it is
compiled from. Nothing is dialled or logged here.
"""

from awgproxy.policy.host import host_addresses
from awgproxy.policy.rules import Rule, egress_policy, egress_rules, require_allowed

__all__ = ["Rule", "egress_policy", "egress_rules", "host_addresses", "require_allowed"]
