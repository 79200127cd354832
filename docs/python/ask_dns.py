"""Ask a DNS server for a name's IPv4 addresses, by datagrams through a tunnel.

python ask_dns.py client.conf 9.9.9.9 www.example.org
"""

import asyncio
import sys

import dns.message

import awgproxy
from awgproxy import errors


async def ask(file: str, server: str, name: str) -> dns.message.Message:
    """The answer; a question that gets none within a second is asked again, since datagrams may be lost."""
    question = dns.message.make_query(name, "A")
    async with awgproxy.Tunnel.from_file(file) as tunnel, await tunnel.open_datagram(server, 53) as datagrams:
        for _ in range(5):
            await datagrams.send(question.to_wire())
            try:
                async with asyncio.timeout(1):
                    return dns.message.from_wire(await datagrams.receive())
            except errors.ConnectionFailed:
                raise
            except TimeoutError:
                continue
    raise SystemExit("no answer")


if __name__ == "__main__":
    print(asyncio.run(ask(*sys.argv[1:])))
