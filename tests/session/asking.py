"""A connector on an engine in memory, and an application that asks it for a connection."""

import socket

from awgproxy.config import parse
from awgproxy.egress.dns.ipv6 import Ipv6Path
from awgproxy.policy import client_policy
from awgproxy.proxy.answers import Answers
from awgproxy.proxy.application import Application
from awgproxy.proxy.destination import Destination
from awgproxy.session.carriers import Carriers
from awgproxy.session.connector import Connector
from awgproxy.session.open_connections import OpenConnections
from tests.config.texts import CLIENT

ANSWERS = Answers(b"ok", b"refused", b"network", b"host", b"prohibited", b"late", b"failed")


class Answering:
    """A resolver whose answers follow each other; an exception is raised."""

    has_servers = True

    def __init__(self, *answers):
        self._answers = iter(answers)
        self.ipv6_path = Ipv6Path()

    async def resolve(self, _):
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Asking:
    """`connector` and its `carriers`, for a client's configuration with `rest` behind its peer."""

    def __init__(self, engine, rest="", *answers):
        config = parse(CLIENT.replace("vpn.example.org", "192.0.2.1") + rest, "x.conf")
        self.carriers = Carriers(config)
        self.resolver = Answering(*answers)
        self.connector = Connector(engine, self.resolver, OpenConnections(), client_policy(config), self.carriers)

    async def ask(self, host, port=443, early=b""):
        """What the application hears until the connector is done with it; None where that is the engine's affair."""
        near, far = socket.socketpair()
        near.setblocking(False)
        is_name = not host[0].isdigit()
        self.connector.connect(Application(near, Destination(host, port, is_name), early, ANSWERS))
        await self._found()
        far.setblocking(False)
        try:
            return far.recv(100)
        except BlockingIOError:
            return None
        finally:
            far.close()

    async def hear(self, event):
        """Tell the connector of an event, and wait for the look-up that it may begin."""
        self.connector.handlers[type(event)](event)
        await self._found()

    async def _found(self):
        for task in tuple(self.connector._looking_up):
            await task
