"""The tunnel for Python programs: connections and datagrams on asyncio, without a proxy, signals or a process.

Its public face is the package `awgproxy` itself; docs/reference/python.md describes it.
"""

from awgproxy.api.datagrams import Datagrams
from awgproxy.api.tunnel import Tunnel

__all__ = ["Datagrams", "Tunnel"]
