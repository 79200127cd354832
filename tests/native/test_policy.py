"""The compiled egress policy."""

import pytest

from awgproxy._native import EgressPolicy

POLICY = EgressPolicy(
    [
        (True, "10.1.0.0/16", 443, 443, ""),
        (False, "10.0.0.0/8", 0, 65535, "private"),
        (False, "::1/128", 0, 65535, "loopback"),
        (False, "0.0.0.0/0", 25, 25, "mail"),
    ]
)


@pytest.mark.parametrize(
    ("address", "port", "verdict"),
    [
        ("10.1.2.3", 443, None),
        ("10.1.2.3", 80, "private"),
        ("10.200.0.1", 443, "private"),
        ("192.0.2.1", 25, "mail"),
        ("192.0.2.1", 443, None),
        ("::1", 80, "loopback"),
        ("2001:db8::1", 25, None),
        # Addresses that stand for others: IPv4-mapped, NAT64, 6to4.
        ("::ffff:10.9.9.9", 80, "private"),
        ("64:ff9b::10.9.9.9", 80, "private"),
        ("2002:0a09:0909::1", 80, "private"),
    ],
)
def test_the_first_rule_that_fits_decides(address, port, verdict):
    assert POLICY.verdict(address, port) == verdict


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ((False, "10.0.0.0/33", 0, 65535, "x"), r"rules\[1\]: not a network"),
        ((False, "example.org", 0, 65535, "x"), r"rules\[1\]: not a network"),
        ((False, "10.0.0.0/8", 80, 79, "x"), r"rules\[1\]: ports: out of range"),
        ((False, "10.0.0.0/8", 0, 65536, "x"), r"rules\[1\]: ports: out of range"),
    ],
)
def test_a_rule_that_is_none_is_named(rule, problem):
    with pytest.raises(ValueError, match=problem):
        EgressPolicy([(True, "0.0.0.0/0", 0, 65535, ""), rule])


def test_a_question_about_no_address_is_refused():
    with pytest.raises(ValueError, match="address: not an IP address"):
        POLICY.verdict("example.org", 80)
    with pytest.raises(ValueError, match="port"):
        POLICY.verdict("192.0.2.1", -1)
