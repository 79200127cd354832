"""A proxy server and client joined by a genuine AmneziaWG tunnel.

From Python, `awgproxy.Tunnel` is the client's tunnel on asyncio (docs/reference/python.md). Nothing is imported before
it is asked for, so that ``import awgproxy`` costs nothing.

The package stands in floors, each of which may use only those below it: ``errors``; ``config`` and ``policy``;
``proxy``, ``egress`` and ``observe``; ``session``; ``api``; ``httpx`` and ``cli``. Packets are moved by the extension
``awgproxy._native``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from awgproxy import errors, httpx
    from awgproxy.api import Datagrams, Tunnel

__all__ = ["Datagrams", "Tunnel", "errors", "httpx"]


def __getattr__(name: str) -> object:
    """Import a public name when it is used first."""
    if name in {"Datagrams", "Tunnel"}:
        return getattr(import_module("awgproxy.api"), name)
    if name in {"errors", "httpx"}:
        return import_module(f"awgproxy.{name}")
    raise AttributeError(f"module 'awgproxy' has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names, imported or not."""
    return sorted({*globals(), *__all__})
