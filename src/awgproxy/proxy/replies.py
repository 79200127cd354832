"""The SOCKS5 reply for each outcome of a connection (RFC 1928, section 6), prepared for the engine to send.

The engine's names of outcomes come from what the tunnel carried: a reset, or an ICMP unreachable and its code; the
way from the target's answer to the reply is in the documentation of the proxy.
"""

from __future__ import annotations

from awgproxy._native import Replies
from awgproxy.proxy.socks5 import Reply

SOCKS5_REPLIES = Replies(
    succeeded=Reply.SUCCEEDED.message(),
    refused=Reply.CONNECTION_REFUSED.message(),
    network_unreachable=Reply.NETWORK_UNREACHABLE.message(),
    host_unreachable=Reply.HOST_UNREACHABLE.message(),
    prohibited=Reply.NOT_ALLOWED.message(),
    timed_out=Reply.TTL_EXPIRED.message(),
    failed=Reply.GENERAL_FAILURE.message(),
)
