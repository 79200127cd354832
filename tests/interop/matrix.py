"""The tunnels that every pair of implementations must speak, and what is checked on each."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from interop.counterparts import conversation, ends, socks
from interop.counterparts.configuration import EVERYTHING, PADDED_DATA, PLAIN, Ours, Tunnel


@dataclass(frozen=True)
class Case:
    """One tunnel: its settings, its server's outer address, awgproxy's own keys where it has a part, bytes to move."""

    tunnel: Tunnel
    host: str = "127.0.0.1"
    ours: Ours | None = None
    size: int = 10_000_000


CASES = {
    "plain": Case(Tunnel(obfuscation=PLAIN), size=100_000_000),
    "everything": Case(Tunnel(obfuscation=EVERYTHING), size=100_000_000),
    "preshared": Case(Tunnel(obfuscation=EVERYTHING, preshared=True)),
    "keepalive-padded": Case(Tunnel(obfuscation=PADDED_DATA), ours=Ours(keepalive_padding="padded")),
    "keepalive-bare": Case(Tunnel(obfuscation=PADDED_DATA), ours=Ours(keepalive_padding="reference")),
    "ipv6-inside": Case(Tunnel(obfuscation=EVERYTHING, inner=(6,))),
    "ipv6-outside": Case(Tunnel(obfuscation=EVERYTHING), host="::1"),
    "ipv6-both": Case(Tunnel(obfuscation=PLAIN, inner=(6, 4)), host="::1"),
}


def data_passes(client_kind, server_kind, case, folder):
    """Half-close, a checked download, a checked upload, and a refusal that is passed on as such."""
    with (
        ends.server(server_kind, case.tunnel, folder, case.host, ours=case.ours) as server,
        ends.client(client_kind, case.tunnel.at(server.endpoint), folder, case.ours) as client,
    ):
        for version in case.tunnel.inner:
            services = server.services[version]
            conversation.echo(client.socks, services["echo"])
            conversation.download(client.socks, services["source"], case.size)
            conversation.upload(client.socks, services["digest"], case.size)
            with pytest.raises(socks.RefusedError) as refused:
                socks.connect(client.socks, (services["echo"][0], 1))
            assert refused.value.reply == 5


def names_pass(client_kind, server_kind, case, folder):
    """A name that only the tunnel's name server knows leads to the service; one that it does not know leads nowhere."""
    with (
        ends.server(server_kind, case.tunnel, folder, case.host, ours=case.ours) as server,
        ends.client(client_kind, case.tunnel.at(server.endpoint), folder, case.ours) as client,
    ):
        conversation.echo(client.socks, ("any.name.test", 7))
        with pytest.raises(socks.RefusedError) as refused:
            socks.connect(client.socks, ("no.such.name.invalid", 7))
        assert refused.value.reply == 4
