"""The shape of a configuration's traffic is what the extension makes of the same settings."""

import random

import pytest

from awgproxy import _native
from awgproxy.config.generate.parameters import Profile, random_parameters
from awgproxy.config.shape import COOKIE_REPLY_SIZE, INITIATION_SIZE, RESPONSE_SIZE, TRANSPORT_OVERHEAD, Shape

IPV4_AND_UDP_HEADERS = 28
KINDS = {
    "initiation": INITIATION_SIZE,
    "response": RESPONSE_SIZE,
    "cookie-reply": COOKIE_REPLY_SIZE,
    "transport": TRANSPORT_OVERHEAD,
}
SIGNATURES = [
    "<b 0xc0ffee>",
    "<b C0FFEE><t>",
    "< r 5 > <rc  7>\t<rd 9>",
    "<r 05><t 3><c>",
    "<b 0x01><d><ds><dz 4>",
]


SETTINGS = [
    [("H4", "70000-70001")],
    [("S1", "+5"), ("S4", "0016"), ("H1", "5-9"), ("H2", "4294967295")],
    *(random_parameters(Profile.AWG2, random.Random(seed)) for seed in range(20)),
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_paddings_and_headers(settings):
    shape = Shape.of(settings)
    for (kind, size), padding, header in zip(KINDS.items(), shape.paddings, shape.headers, strict=True):
        for word in (header.first, header.last):
            message = bytes(padding) + word.to_bytes(4, "little") + bytes(size - 4)
            assert _native.message_type(settings, message) == kind
            assert _native.message_type(settings, message + b"x") in {None, "transport"}
        for word in {max(header.first, 1) - 1, min(header.last, (1 << 32) - 2) + 1} - {header.first, header.last}:
            message = bytes(padding) + word.to_bytes(4, "little") + bytes(size - 4)
            assert _native.message_type(settings, message) != kind


@pytest.mark.parametrize("specification", SIGNATURES)
def test_sizes_of_signatures(specification):
    settings = [("I1", specification)]
    size = Shape.of(settings).signatures["I1"].size
    exceeding, fitting = (
        len(_native.obfuscation_warnings(settings, IPV4_AND_UDP_HEADERS + mtu, False)) for mtu in (size - 1, size)
    )
    assert exceeding == fitting + 1
