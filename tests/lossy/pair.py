"""A client and a server of ours on an emulated link, with the services of `interop` behind the server.

```
 namespace                        another
   transfers ─ client ════ link ════ server ─ target
```
"""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from interop.counterparts import conversation, ends, link, socks
from interop.counterparts.configuration import HANDSHAKE_ONLY, SERVER_ADDRESSES, Ours, Tunnel
from interop.counterparts.link import Conditions

if TYPE_CHECKING:
    from interop.counterparts.namespaces import Namespace

NEAR, FAR = "10.177.0.1", "10.177.0.2"
PORT = 51820
TIMED_OUT = 6
"""The reply of SOCKS5 to a connection that did not come about in time (TTL expired)."""
FINE = Conditions(delay=0.002)

CARRIERS = {"ip": Ours(carrier="ip"), "quic": Ours(carrier="quic", carrier_address=f"{SERVER_ADDRESSES[4]}:51443")}
"""What the client's file says beside the tunnel, by carrier."""


@dataclass
class Pair:
    """Running; transfers are functions of `conversation`, each with the service and what else it is called with."""

    carrier: str
    near: Namespace
    proxy: ends.Address
    services: dict[str, ends.Address]
    control: link.Control

    @contextlib.contextmanager
    def under(self, conditions, *transfers):
        """Begin the transfers all at once under these conditions; leave when the last one ended, whole."""
        self.control.set(conditions)
        self.control.window()
        with ThreadPoolExecutor(len(transfers)) as pool:
            begun = [pool.submit(self._inside, *transfer) for transfer in transfers]
            yield
            for transfer in begun:
                transfer.result()

    def _inside(self, function, service, *options):
        with self.near.entered():
            while True:
                try:
                    return function(self.proxy, self.services[service], *options)
                except socks.RefusedError as refused:
                    # A handshake of TCP may be lost again and again until the client gives it up, and says so: nothing
                    # has moved yet.
                    if self.carrier != "ip" or refused.reply != TIMED_OUT:
                        raise


@contextlib.contextmanager
def linked(carrier, folder):
    """A pair whose tunnel is up, on a link that does no harm yet."""
    tunnel = Tunnel(f"{FAR}:{PORT}", HANDSHAKE_ONLY)
    with (
        link.joined(f"{NEAR}/30", f"{FAR}/30", FINE) as (near, far, control),
        ends.awgproxy_server(tunnel, folder, PORT, Ours(allow=(f"{FAR}/32",)), far.inside),
        ends.client("awgproxy", tunnel, folder, CARRIERS[carrier], near.inside) as client,
        ends.target((FAR,), (), far.inside) as (_, services),
    ):
        pair = Pair(carrier, near, client.socks, services[4], control)
        with pair.under(FINE, (conversation.echo, "echo")):
            pass
        yield pair
