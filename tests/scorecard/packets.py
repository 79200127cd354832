"""Datagrams made by hand."""

import random

from scorecard.packets import Flow, Packet


def flow(*packets, pair="a-1", port=40000, kind="idle"):
    return Flow(pair, port, kind, tuple(packets))


def up(payload, at=0.0):
    return Packet(at, up=True, payload=payload)


def down(payload, at=0.0):
    return Packet(at, up=False, payload=payload)


def noise(sizes, seed=1):
    dice = random.Random(seed)
    return [dice.randbytes(size) for size in sizes]


def data(receiver, counter, length=64, before=b""):
    """A WireGuard data message whose content is noise."""
    head = b"\x04\0\0\0" + receiver + counter.to_bytes(8, "little")
    return before + head + noise([length], counter)[0]
