"""What an answer says, and for how long."""

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from awgproxy.egress.dns.answer import Answer
from awgproxy.egress.dns.messages import read_answer
from awgproxy.errors import NameLookupFailed


def message(*records, code=dns.rcode.NOERROR, authority=()):
    question = dns.message.make_query("name.example.", "A")
    made = dns.message.make_response(question)
    made.set_rcode(code)
    for section, wanted in ((made.answer, records), (made.authority, authority)):
        section.extend(dns.rrset.from_text(name, ttl, "IN", kind, *data) for name, ttl, kind, *data in wanted)
    return dns.message.from_wire(made.to_wire())


def soa(ttl, minimum):
    return ("example.", ttl, "SOA", f"a. b. 1 2 3 4 {minimum}")


def read(*records, **more):
    return read_answer(message(*records, **more), 4)


def test_the_shortest_time_on_the_way_counts():
    alias = ("name.example.", 20, "CNAME", "real.example.")
    assert read(alias, ("real.example.", 300, "A", "192.0.2.1")) == Answer(("192.0.2.1",), ttl=20)
    assert read(("name.example.", 7, "A", "192.0.2.1", "192.0.2.2")).ttl == 7


def test_no_time_is_longer_than_our_bound_and_none_is_short_of_what_it_says():
    assert read(("name.example.", 1 << 30, "A", "192.0.2.1")).ttl == 3600
    assert read(("name.example.", 0, "A", "192.0.2.1")).ttl == 0


@pytest.mark.parametrize(("ttl", "minimum", "kept"), [(60, 30, 30), (30, 60, 30), (86400, 86400, 300), (60, 0, 0)])
@pytest.mark.parametrize("code", [dns.rcode.NOERROR, dns.rcode.NXDOMAIN])
def test_nothing_holds_by_the_zone(ttl, minimum, kept, code):
    expected = Answer(is_missing=code == dns.rcode.NXDOMAIN, ttl=kept)
    assert read(code=code, authority=[soa(ttl, minimum)]) == expected


@pytest.mark.parametrize("code", [dns.rcode.NOERROR, dns.rcode.NXDOMAIN])
def test_nothing_without_the_zones_word_does_not_hold(code):
    assert read(code=code).ttl == 0


def test_an_alias_to_nothing_is_nothing():
    found = read(("name.example.", 60, "CNAME", "real.example."), authority=[soa(50, 40)])
    assert found == Answer(ttl=40)


def test_records_of_other_names_are_not_taken():
    assert read(("other.example.", 60, "A", "192.0.2.66")).addresses == ()


def test_addresses_are_bounded():
    many = [f"192.0.2.{number}" for number in range(100)]
    assert len(read(("name.example.", 60, "A", *many)).addresses) == 16


@pytest.mark.parametrize("code", [dns.rcode.SERVFAIL, dns.rcode.REFUSED, dns.rcode.NOTIMP])
def test_errors_are_no_answers(code):
    with pytest.raises(NameLookupFailed, match=dns.rcode.to_text(code)):
        read(code=code)


@given(st.binary(max_size=100), st.integers(0, 200), st.integers(0, 255))
def test_whatever_comes_is_an_answer_or_an_error_of_ours(tail, place, byte):
    wire = bytearray(message(("name.example.", 60, "A", "192.0.2.1"), authority=[soa(60, 60)]).to_wire() + tail)
    wire[place % len(wire)] = byte
    try:
        found = read_answer(dns.message.from_wire(bytes(wire)), 4)
    except (dns.exception.DNSException, NameLookupFailed):
        return
    assert 0 <= found.ttl <= 3600
    assert len(found.addresses) <= 16
