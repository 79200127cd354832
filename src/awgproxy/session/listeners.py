"""A client's ports for applications, as its configuration has them."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from awgproxy.proxy.fronts import http_port, socks5_port
from awgproxy.proxy.listener import Listener
from awgproxy.proxy.users import Users

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from awgproxy.config import Config
    from awgproxy.config.model import Listening
    from awgproxy.proxy.application import Application
    from awgproxy.proxy.association import Association
    from awgproxy.session.open_connections import OpenConnections


def listeners(
    config: Config,
    connect: Callable[[Application], None],
    associate: Callable[[Association], None],
    connections: OpenConnections,
) -> dict[str, Listener]:
    """Each port by its protocol, not yet bound; `connect` and `associate` take over what is asked for.

    `connections` hears of exchanges of HTTP, which the ports serve themselves.
    """
    socks5, http = config.socks5, config.http
    listening = functools.partial(Listener, connect=connect, associate=associate, exchanging=connections.one)
    made = {}
    if socks5 is not None:
        users = _users(socks5)
        front_of = socks5_port(authenticate=len(users) > 0, http=socks5.http)
        bind = socks5.bind_address
        made["SOCKS5"] = listening(bind.host, bind.port, front_of, users)
    if http is not None:
        users = _users(http)
        front_of = http_port(authenticate=len(users) > 0)
        bind = http.bind_address
        made["HTTP"] = listening(bind.host, bind.port, front_of, users)
    return made


def counters(every: Iterable[Listener]) -> dict[str, int]:
    """What was counted at all of them together."""
    found = tuple(every)
    return {
        "applications": sum(one.accepted for one in found),
        "refused": sum(one.refused for one in found),
        "wrong_passwords": sum(one.mistakes for one in found),
    }


def _users(section: Listening) -> Users:
    return Users((user.name, user.password.get_secret_value()) for user in section.users)
