"""DNS messages by dnspython: questions made, answers read (RFC 1035; RFC 2308 where it is "no").

Apart from the resolver, which loads this with its first name: dnspython takes long to load.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

from awgproxy.egress.dns.answer import LONGEST_NEGATIVE_SECONDS, LONGEST_SECONDS, MAX_ADDRESSES, Answer
from awgproxy.errors import NameLookupFailed

if TYPE_CHECKING:
    from dns.rdatatype import RdataType

RECORD_TYPES = {4: dns.rdatatype.A, 6: dns.rdatatype.AAAA}
"""By the version of IP."""


def check_name(name: str) -> None:
    """Refuse what cannot be a name.

    Raises:
        NameLookupFailed: it is malformed.
    """
    try:
        dns.name.from_text(name)
    except (dns.exception.DNSException, UnicodeError) as error:
        raise NameLookupFailed("the name is malformed") from error


def question(name: str, family: int) -> dns.message.Message:
    """Ask for a name's addresses of one version of IP."""
    return dns.message.make_query(name, RECORD_TYPES[family])


def read_answer(message: dns.message.Message, family: int) -> Answer:
    """The addresses of that version at the end of the chain of aliases; the shortest TTL on the way there counts.

    Raises:
        NameLookupFailed: the server answers with an error, or something that is no answer, or that is malformed.
    """
    try:
        return _read(message, RECORD_TYPES[family])
    except dns.exception.DNSException as error:
        raise NameLookupFailed("the DNS server's answer is unusable") from error


def _read(message: dns.message.Message, record_type: RdataType) -> Answer:
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
