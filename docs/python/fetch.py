"""Fetch a page through a tunnel, from a program that runs no proxy.

    python fetch.py client.conf www.example.org 443

With a port other than 443 it speaks plain HTTP.
"""

import asyncio
import sys

import awgproxy
from awgproxy import errors


async def fetch(file: str, host: str, port: int) -> bytes:
    """The whole answer to a GET of /."""
    async with awgproxy.Tunnel.from_file(file) as tunnel:
        reader, writer = await tunnel.open_connection(host, port, ssl=port == 443)
        writer.write(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        return answer


def main() -> None:
    """Print the answer, or what went wrong."""
    file, host, port = sys.argv[1:]
    try:
        answer = asyncio.run(fetch(file, host, int(port)))
    except errors.TunnelDown as error:
        sys.exit(f"the server does not answer: {error}")
    except errors.AwgProxyError as error:
        sys.exit(f"error: {error}")
    sys.stdout.buffer.write(answer)


if __name__ == "__main__":
    main()
