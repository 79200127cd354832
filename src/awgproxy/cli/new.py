"""``awgproxy new``: a server's configuration and its clients', with parameters that nobody else has."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from awgproxy.cli.arguments import command, misused

if TYPE_CHECKING:
    from collections.abc import Callable

    from awgproxy.cli.arguments import Commands

DEFAULT_PROFILE = "awg3"

Argument = TypeVar("Argument")
Value = TypeVar("Value")


def declare(commands: Commands) -> None:
    """Its arguments."""
    add = command(commands, new).add_argument
    add(
        "--endpoint",
        metavar="HOST[:PORT]",
        required=True,
        help="where clients find the server; a port is drawn where none is given",
    )
    add("--directory", "-d", type=Path, default=Path(), metavar="PATH", help="where the files go (.)")
    add(
        "--address",
        action="append",
        metavar="NETWORK",
        help="the tunnel's network, 10.8.0.0/24; may repeat; drawn by default",
    )
    add("--port", type=int, metavar="PORT", help="the server's UDP port, where it is not the endpoint's")
    add(
        "--dns",
        action="append",
        metavar="ADDRESS",
        help="whom the server asks for names; may repeat; the system's by default",
    )
    add("--peers", type=int, default=1, metavar="N", help="how many clients (%(default)s)")
    add(
        "--profile",
        default=DEFAULT_PROFILE,
        metavar="PROFILE",
        help="awg3: hardest to tell from noise, for apps that know AmneziaWG 3.1; awg2: for those that know 2.0; "
        "plain: WireGuard (%(default)s)",
    )
    add(
        "--signature",
        metavar="PROTOCOL",
        help="what each handshake opens with: quic, dns, stun, sip, dtls, ntp or none; by default what is believed "
        "at the port",
    )


def new(
    *,
    endpoint: str,
    directory: Path,
    address: list[str] | None,
    port: int | None,
    dns: list[str] | None,
    peers: int,
    profile: str,
    signature: str | None,
) -> None:
    """Make matching configurations of a server and its clients.

    They go into server.conf and client.conf (client1.conf and so on where there are more), mode 0600. A file that
    exists is left alone, and then none is written. Keys and obfuscation parameters are new each time.
    """
    from awgproxy.config import values
    from awgproxy.config.generate import Plan, Profile, Signature, generate, write_new
    from awgproxy.errors import AwgProxyError

    host, endpoint_port = _read("--endpoint", values.host_and_port, endpoint)
    plan = Plan(
        host=host,
        port=endpoint_port,
        listen_port=None if port is None else _read("--port", values.port, str(port)),
        networks=[_read("--address", values.network, text) for text in address or ()],
        dns=[_read("--dns", values.address, text) for text in dns or ()],
        clients=peers,
        profile=_read("--profile", partial(values.word, words=Profile), profile),
        signature=None if signature is None else _read("--signature", partial(values.word, words=Signature), signature),
    )
    generated = _read("--address, --peers or --signature", generate, plan)
    names = ["client.conf"] if peers == 1 else [f"client{number}.conf" for number in range(1, peers + 1)]
    server, *clients = [directory / name for name in ("server.conf", *names)]
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_new({server: generated.server, **dict(zip(clients, generated.clients, strict=True))})
    except FileExistsError as error:
        raise AwgProxyError(
            f"{error.filename} exists already and is left as it is; choose another --directory"
        ) from None
    listed = "\n".join(f"  awgproxy client {client}" for client in clients)
    print(f"Made {len(clients) + 1} files. On the server, with its UDP port open:\n  awgproxy server {server}")
    print(
        f"On the client, which then is a SOCKS5 proxy at 127.0.0.1:1080 (AmneziaWG apps take the file too):\n{listed}"
    )
    if generated.doubt:
        print(generated.doubt)


def _read(option: str, read: Callable[[Argument], Value], argument: Argument) -> Value:
    """What ``read`` makes of an option's value; its complaint becomes the command line's."""
    from awgproxy.config.values import InvalidValue

    try:
        return read(argument)
    except InvalidValue as error:
        misused(option, f"{error}; {error.suggestion}")
