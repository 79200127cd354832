"""The keys of AmneziaWG 3.x: what may be said, what is refused, and that the secret among them stays one."""

import base64
import re

import pytest

from awgproxy.config import parse
from awgproxy.config.summary import summary

from .refusals import only_problem
from .texts import INTERFACE, PEER, PRESHARED_KEY, SERVER

VERSION_3 = f"""\
HeaderProtectionKey = {PRESHARED_KEY}
ContentPaddingAddition = 0-63
RandomTrailers = true
DisableCookies = 1
RekeyAfterTime = 75-115
RekeyTimeout = 5-8
RejectAfterTime = 180
KeepaliveTimeout = 8-14
MaxHandshakeAttempts = 18
"""
PADDINGS = "S1 = 12\nS2 = 12\nS3 = 12\nS4 = 12\n"


def with_version_3(text=VERSION_3):
    return INTERFACE + PADDINGS + text + PEER


def test_the_keys_of_awg_3():
    config = parse(with_version_3(), "test.conf")
    given = [tuple(line.split(" = ")) for line in VERSION_3.splitlines()]
    assert [setting for setting in config.obfuscation if setting in given] == given


def test_the_keys_of_awg_3_by_their_names_in_the_control_protocol():
    names = {line.split(" = ")[0] for line in VERSION_3.splitlines()}
    text = VERSION_3.replace(PRESHARED_KEY, base64.b64decode(PRESHARED_KEY).hex())
    for name in names:
        text = text.replace(name, re.sub("(?<!^)([A-Z])", r"_\1", name).lower())
    assert "header_protection_key" in text
    assert parse(with_version_3(text), "test.conf").obfuscation == parse(with_version_3(), "test.conf").obfuscation


def test_a_key_of_awg_3_under_both_names():
    line, key, what = only_problem(with_version_3("RekeyTimeout = 5\nrekey_timeout = 6\n"))
    assert (line, key) == (11, "RekeyTimeout")
    assert "line 10" in what


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("HeaderProtectionKey", "secret"),
        ("HeaderProtectionKey", PRESHARED_KEY[:-1]),
        ("header_protection_key", "00"),
        ("ContentPaddingAddition", "5-3"),
        ("ContentPaddingAddition", "x"),
        ("RandomTrailers", "perhaps"),
        ("DisableCookies", "2"),
        ("RekeyAfterTime", "120-100"),
        ("RekeyTimeout", "-5"),
        ("RejectAfterTime", "4294967296"),
        ("KeepaliveTimeout", "9-8-7"),
        ("MaxHandshakeAttempts", "many"),
    ],
)
def test_values_of_awg_3_that_are_refused(key, value):
    line, name, what = only_problem(with_version_3(f"{key} = {value}\n"))
    assert line == 10
    assert name.lower() == key.lower().replace("_", "")
    assert PRESHARED_KEY[:12] not in what


@pytest.mark.parametrize("short", ["S1", "S2", "S3", "S4"])
def test_header_protection_needs_padding(short):
    line, name, what = only_problem(with_version_3().replace(f"{short} = 12", f"{short} = 11"))
    assert (line, name) == (5 + int(short[1]), short)
    assert "12" in what


def test_the_header_protection_key_is_a_secret():
    config = parse(with_version_3(), "test.conf")
    phones = parse(SERVER + "[Obfuscation a]\nListenPort = 5\n" + PADDINGS + VERSION_3, "test.conf")
    for one in (config, phones, config.interface, phones.further_obfuscation[0]):
        assert PRESHARED_KEY not in repr(one) + str(one)
    assert PRESHARED_KEY not in config.interface.model_dump_json()
    assert PRESHARED_KEY not in str(summary(config)) + str(summary(phones))
