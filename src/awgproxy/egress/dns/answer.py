"""What a DNS answer says of one name and one type of record, and for how long (RFC 1035; RFC 2308 where it is "no")."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.exception
import dns.message
import dns.rcode
import dns.rdatatype

from awgproxy.errors import NameLookupFailed

if TYPE_CHECKING:
    from dns.rdatatype import RdataType

RECORD_TYPES = {4: dns.rdatatype.A, 6: dns.rdatatype.AAAA}
"""By the version of IP."""

MAX_ADDRESSES = 16
"""Addresses kept of one answer."""

LONGEST_SECONDS = 3600.0
"""How long addresses are kept at most, whatever their TTL."""
LONGEST_NEGATIVE_SECONDS = 300.0
"""How long it is kept at most that there is nothing (RFC 2308, section 5, leaves a bound to us)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Addresses of one version; none where the name has none. ``is_missing``: there is no such name at all.

    ``ttl``: seconds for which it may be told again; 0 = it may not.
    """

    addresses: tuple[str, ...] = ()
    is_missing: bool = False
    ttl: float = 0.0


def read_answer(message: dns.message.Message, record_type: RdataType) -> Answer:
    """The addresses at the end of the answer's chain of aliases; the shortest TTL on the way there counts.

    Raises:
        NameLookupFailed: the server answers with an error, or something that is no answer.
        dns.exception.DNSException: it is malformed, or a chain without end.
    """
    code = message.rcode()
    if code not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        raise NameLookupFailed(f"the DNS server answers {dns.rcode.to_text(code)}")
    if not isinstance(message, dns.message.QueryMessage):
        raise NameLookupFailed("the DNS server answers something else")
    chain = message.resolve_chaining()
    if chain.answer is not None and chain.answer.rdtype == record_type:
        addresses = tuple(record.address for record in itertools.islice(chain.answer, MAX_ADDRESSES))
        return Answer(addresses, ttl=min(float(chain.minimum_ttl), LONGEST_SECONDS))
    # Without an SOA record nobody says for how long there is nothing: then it is not kept (RFC 2308, section 5).
    said = any(records.rdtype == dns.rdatatype.SOA for records in message.authority)
    ttl = min(float(chain.minimum_ttl), LONGEST_NEGATIVE_SECONDS) if said else 0.0
    return Answer(is_missing=code == dns.rcode.NXDOMAIN, ttl=ttl)
