"""Keys as text."""

import base64

import pytest

from awgproxy import _native

PRIVATE = "dwdtCnMYpX08FsFyUbJmRRs5ZgoTKoIMmipxPRVTDN8="  # not clamped: it is used as it is
ZERO = base64.b64encode(bytes(32)).decode()
LOW_ORDER = base64.b64encode(b"\x01" + bytes(31)).decode()


def test_the_public_key_is_that_of_the_rfc():
    # RFC 7748, section 6.1.
    private = base64.b64encode(
        bytes.fromhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
    ).decode()
    expected = bytes.fromhex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")
    assert base64.b64decode(_native.public_key(private)) == expected


def test_new_keys_are_keys_and_differ():
    keys = {_native.generate_private_key() for _ in range(8)} | {_native.generate_preshared_key() for _ in range(8)}
    assert len(keys) == 16
    for key in keys:
        assert len(base64.b64decode(key, validate=True)) == 32
    for _ in range(8):
        private = base64.b64decode(_native.generate_private_key())
        assert private[0] & 7 == 0
        assert private[31] & 0xC0 == 0x40


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "44 base64 characters"),
        (PRIVATE[:-2], "44 base64 characters"),
        ("*" * 44, "not base64"),
        (ZERO, "all zeros"),
        (LOW_ORDER, "low order"),
    ],
)
def test_what_is_not_a_key_is_refused_with_the_reason(text, problem):
    with pytest.raises(ValueError, match=problem):
        _native.check_key(text)


def test_a_key_passes():
    _native.check_key(PRIVATE)


def test_an_error_does_not_repeat_the_key():
    nearly = PRIVATE[:-1] + "*"
    for refuse in (_native.check_key, _native.public_key):
        with pytest.raises(ValueError, match=r".") as caught:
            refuse(nearly)
        assert PRIVATE[:8] not in str(caught.value)
