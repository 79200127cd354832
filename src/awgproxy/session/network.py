"""Notices when this machine's way to the peers changes: another network, another address, a link that is back.

The kernel says when links, addresses and routes change: rtnetlink(7) on Linux, route(4) on macOS. What it says is not
read, only that it says something; then the kernel is asked which address of this machine it would send from to each
endpoint. No packet leaves for that, and nothing wakes while nothing changes. Where the kernel does not tell, as in some
containers, changes go unnoticed here.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from typing import TYPE_CHECKING, Self

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from awgproxy.config import Endpoint

SETTLE_SECONDS = 0.1
"""Between two looks, while the kernel has much to say."""

_GROUPS = 0x1 | 0x10 | 0x40 | 0x100 | 0x400
"""Links, IPv4 addresses and routes, IPv6 addresses and routes: RTMGRP_… of linux/rtnetlink.h."""
_SO_MARK = 36

log = structlog.get_logger()


def own_address(endpoint: Endpoint, mark: int | None = None) -> str | None:
    """The address of this machine that the kernel would send from to an endpoint that is an address; None = no way.

    `mark`: the firewall mark of what is sent, which may choose the route.
    """
    family = socket.AF_INET6 if ":" in endpoint.host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as unsent:
            if mark is not None and sys.platform == "linux":
                with contextlib.suppress(PermissionError):
                    unsent.setsockopt(socket.SOL_SOCKET, _SO_MARK, mark)
            unsent.connect((endpoint.host, endpoint.port))
            return str(unsent.getsockname()[0])
    except OSError:
        return None


class NetworkWatch:
    """Calls back when the way to an endpoint has changed, while it is entered."""

    def __init__(
        self,
        endpoints: Callable[[], Iterable[Endpoint]],
        changed: Callable[[], None],
        own_address: Callable[[Endpoint], str | None] = own_address,
    ) -> None:
        """`endpoints`: those of the moment, which are addresses."""
        self._endpoints = endpoints
        self._changed = changed
        self._own_address = own_address
        self._ways: dict[Endpoint, str | None] = {}
        self._said: socket.socket | None = None
        self._settling: asyncio.TimerHandle | None = None
        self._more = False

    def __enter__(self) -> Self:
        """Begin to listen to the kernel."""
        try:
            self._said = _what_the_kernel_says()
        except OSError as error:
            log.debug("changes of the network go unnoticed", reason=error.strerror or str(error))
            return self
        self.endpoints_changed()
        asyncio.get_running_loop().add_reader(self._said.fileno(), self._readable)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Listen no more."""
        if self._settling is not None:
            self._settling.cancel()
            self._settling = None
        if self._said is not None:
            asyncio.get_running_loop().remove_reader(self._said.fileno())
            self._said.close()
            self._said = None

    def endpoints_changed(self) -> None:
        """Look at the way to endpoints that are new; what is known of the others is left for the next comparison."""
        self._ways = {
            endpoint: self._ways[endpoint] if endpoint in self._ways else self._own_address(endpoint)
            for endpoint in self._endpoints()
        }

    def _readable(self) -> None:
        self._drain()
        if self._settling is None:
            self._compare()
            self._settle()
        else:
            self._more = True

    def _drain(self) -> None:
        """Take everything off the socket. That some was lost, as it had too much to say, is as good."""
        assert self._said is not None  # noqa: S101 - it is readable
        try:
            while self._said.recv(65536):
                pass
        except BlockingIOError:
            pass
        except OSError as error:
            log.debug("the kernel said too much", reason=error.strerror or str(error))

    def _settle(self) -> None:
        self._more = False
        self._settling = asyncio.get_running_loop().call_later(SETTLE_SECONDS, self._settled)

    def _settled(self) -> None:
        self._settling = None
        if self._more:
            self._compare()
            self._settle()

    def _compare(self) -> None:
        before = self._ways
        self._ways = {endpoint: self._own_address(endpoint) for endpoint in self._endpoints()}
        for endpoint, own in self._ways.items():
            if own is not None and own != before.get(endpoint, own):
                self._changed()
                return


def _what_the_kernel_says() -> socket.socket:
    """A socket that is readable when something has changed. Raises OSError where there is none to be had."""
    if sys.platform == "linux":
        said = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
    elif hasattr(socket, "AF_ROUTE"):
        said = socket.socket(socket.AF_ROUTE, socket.SOCK_RAW, 0)
    else:
        raise OSError("this system does not tell")
    try:
        said.setblocking(False)
        if sys.platform == "linux":
            said.bind((0, _GROUPS))
    except OSError:
        said.close()
        raise
    return said
