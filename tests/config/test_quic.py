"""QUIC's Initial packets, by the example of RFC 9001."""

import random

import pytest

from awgproxy.config.quic import InitialKeys, initial, opened_initial, variable_length

DESTINATION = bytes.fromhex("8394c8f03e515708")
HELLO = bytes.fromhex(
    "010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c00000413011302010000c000000010000e"
    "00000b6578616d706c652e636f6dff01000100000a00080006001d0017001800100007000504616c706e00050005010000000000330026"
    "0024001d00209370b2c9caa47fbabaf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b0003020304000d0010000e04030503"
    "06030203080408050806002d00020101001c00024001003900320408ffffffffffffffff05048000ffff07048000ffff08011001048000"
    "75300901100f088394c8f03e51570806048000ffff"
)
FRAMES = (bytes.fromhex("060040f1") + HELLO).ljust(1162, b"\x00")


def test_the_keys_of_the_example():
    """RFC 9001, appendix A.1."""
    keys = InitialKeys.of(DESTINATION)
    assert keys.key.hex() == "1f369613dd76d5467730efcbe3b1a22d"
    assert keys.iv.hex() == "fa044b2f42a3fd3b46fb255c"
    assert keys.header_protection.hex() == "9f50449e04a0e810283a1e9933adedd2"


def test_the_packet_of_the_example():
    """RFC 9001, appendix A.2."""
    packet = initial(DESTINATION, 2, 4, FRAMES)
    assert len(packet) == 1200
    assert packet[:24].hex() == "c000000001088394c8f03e5157080000449e7b9aec34d1b1"
    assert packet[-16:].hex() == "e221af44860018ab0856972e194cd934"


@pytest.mark.parametrize("number_size", [1, 2, 3, 4])
def test_what_was_protected_is_opened_and_what_follows_is_left_alone(number_size):
    packet = initial(DESTINATION, 7, number_size, FRAMES)
    assert opened_initial(packet) == FRAMES
    assert opened_initial(packet + b"another packet") == FRAMES


def test_nothing_else_is_opened():
    packet = initial(DESTINATION, 1, 1, FRAMES)
    for place in (0, 1, 6, 20, len(packet) - 1):
        changed = bytearray(packet)
        changed[place] ^= 0x40
        assert opened_initial(bytes(changed)) is None
    for size in range(0, len(packet), 13):
        assert opened_initial(packet[:size]) is None
    drawn = random.Random(1)
    for _ in range(300):
        assert opened_initial(b"\xc1\x00\x00\x00\x01" + drawn.randbytes(drawn.randint(0, 80))) is None


def test_numbers_take_the_space_they_need():
    """RFC 9000, appendix A.1."""
    assert variable_length(37).hex() == "25"
    assert variable_length(15_293).hex() == "7bbd"
    assert variable_length(494_878_333).hex() == "9d7f3e7d"
    assert variable_length(151_288_809_941_952_652).hex() == "c2197c5eff14e88c"
    assert variable_length(37, 2).hex() == "4025"
    with pytest.raises(ValueError, match="62 bits"):
        variable_length(1 << 62)
