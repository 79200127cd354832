"""Flows as a configuration would send them, by its parameters alone: for engines to look at."""

import random

from awgproxy.config.shape import INITIATION_SIZE, RESPONSE_SIZE, TRANSPORT_OVERHEAD, Shape

from .rendering import rendered


def flow(settings, seed):
    """(whether the client sent it, payload) for a handshake and some data, with random bytes for all that is sealed."""
    drawn = random.Random(seed)
    shape = Shape.of(settings)
    client, server = drawn.randbytes(4), drawn.randbytes(4)

    def message(kind, fields, size):
        header = shape.headers[kind]
        word = drawn.randint(header.first, header.last).to_bytes(4, "little")
        opening = drawn.randbytes(shape.paddings[kind]) + word + fields
        return opening + drawn.randbytes(size - 4 - len(fields))

    for signature in shape.signatures.values():
        yield True, rendered(signature.specification, drawn)
    junk = dict(settings)
    for _ in range(shape.junk_count):
        yield True, drawn.randbytes(drawn.randint(int(junk["Jmin"]), int(junk["Jmax"])))
    yield True, message(0, client, INITIATION_SIZE - 16) + bytes(16)
    yield False, message(1, server + client, RESPONSE_SIZE - 16) + bytes(16)
    for counter in range(40):
        up = counter % 2 == 0
        content = 16 * drawn.randint(0, 80)
        fields = (server if up else client) + (counter // 2).to_bytes(8, "little")
        yield up, message(3, fields, TRANSPORT_OVERHEAD + content)
