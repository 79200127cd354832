"""Fetch several pages at once through a tunnel, with httpx. Needs `awgproxy[httpx]`.

python httpx_pages.py client.conf https://www.example.org/ https://www.example.com/
"""

import asyncio
import sys

import httpx

import awgproxy
from awgproxy.httpx import TunnelTransport


async def fetch(file: str, urls: list[str]) -> None:
    """Print the status and the size of each."""
    async with awgproxy.Tunnel.from_file(file) as tunnel:
        await tunnel.wait_up(10)
        async with httpx.AsyncClient(transport=TunnelTransport(tunnel)) as client:
            answers = await asyncio.gather(*map(client.get, urls), return_exceptions=True)
    for url, answer in zip(urls, answers, strict=True):
        if isinstance(answer, httpx.Response):
            print(answer.status_code, len(answer.content), url)
        else:
            print("failed:", url, answer)


if __name__ == "__main__":
    asyncio.run(fetch(sys.argv[1], sys.argv[2:]))
