"""The pure functions on obfuscation parameters; what they check is tested where it is written, in the crate."""

import pytest

from awgproxy import _native

PLAIN: list[tuple[str, str]] = []
PADDED = [("S1", "20"), ("H1", "1000000000-1100000000"), ("s4", "16")]


def test_parameters_without_errors_have_none():
    assert _native.check_obfuscation(PADDED) == []
    assert _native.check_obfuscation(tuple(PLAIN)) == []


def test_all_errors_come_at_once_and_name_their_parameters():
    problems = _native.check_obfuscation([("Jc", "many"), ("S1", "70000"), ("Jk", "1"), ("H2", "9-5")])
    assert [parameter for parameter, _ in problems] == ["Jc", "S1", "Jk", "H2"]
    assert all(problem for _, problem in problems)


def test_warnings_depend_on_the_path():
    large = [("S1", "1300")]
    assert _native.obfuscation_warnings(large, 1500, False) == []
    ((parameter, concern),) = _native.obfuscation_warnings(large, 1400, False)
    assert parameter == "S1"
    assert "1400" in concern
    # 1300 + 148 of the initiation and 28 or 48 of IP and UDP: fits 1476 over IPv4 and not over IPv6.
    assert _native.obfuscation_warnings(large, 1476, False) == []
    assert len(_native.obfuscation_warnings(large, 1476, True)) == 1


def test_the_largest_inner_packet_leaves_room_for_everything():
    assert _native.largest_inner_packet(PLAIN, 1500, True) == 1420
    assert _native.largest_inner_packet(PLAIN, 1500, False) == 1440
    assert _native.largest_inner_packet(PADDED, 1500, True) == 1420 - 16


@pytest.mark.parametrize("function", [_native.obfuscation_warnings, _native.largest_inner_packet])
def test_settings_with_errors_are_refused_by_name(function):
    with pytest.raises(ValueError, match="settings: S1"):
        function([("S1", "x")], 1500, False)
    with pytest.raises(ValueError, match="path_mtu"):
        function([], 1 << 70, False)


def test_messages_are_told_by_size_and_type_word():
    assert _native.message_type(PLAIN, bytes([1, 0, 0, 0]) + bytes(144)) == "initiation"
    assert _native.message_type(PLAIN, bytes([2, 0, 0, 0]) + bytes(88)) == "response"
    assert _native.message_type(PLAIN, bytes([3, 0, 0, 0]) + bytes(60)) == "cookie-reply"
    assert _native.message_type(PLAIN, bytes([4, 0, 0, 0]) + bytes(28)) == "transport"
    assert _native.message_type(PLAIN, b"junk") is None
    word = (1_050_000_000).to_bytes(4, "little")
    assert _native.message_type(PADDED, bytes(20) + word + bytes(144)) == "initiation"
    assert _native.message_type(PADDED, bytes([1, 0, 0, 0]) + bytes(144)) is None
