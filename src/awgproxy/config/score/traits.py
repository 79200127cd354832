"""What the tests ask of a configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from awgproxy.config.model import Role
from awgproxy.config.shape import COOKIE_REPLY_SIZE, INITIATION_SIZE, RESPONSE_SIZE, TRANSPORT_OVERHEAD, Shape

if TYPE_CHECKING:
    from awgproxy.config.model import Config, Obfuscated
    from awgproxy.config.values import PortRange, Seconds

INITIATION, RESPONSE, COOKIE_REPLY, TRANSPORT = range(4)
SIZES = (INITIATION_SIZE, RESPONSE_SIZE, COOKIE_REPLY_SIZE, TRANSPORT_OVERHEAD)

_SELDOM = 100
"""From so many words in a header's range on, its plain type is no pattern: it comes once in as many messages."""


@dataclass(frozen=True, slots=True)
class Traits:
    """``shape``: of the section that is judged. ``keepalives``: the peers'. ``ports``: where the server is."""

    role: Role
    shape: Shape
    keepalives: tuple[Seconds, ...]
    ports: tuple[PortRange, ...]

    @classmethod
    def of(cls, config: Config, section: Obfuscated) -> Traits:
        """Read a section with obfuscation parameters, and what is the whole configuration's."""
        dialled = tuple(endpoint.ports for peer in config.peers for endpoint in peer.endpoints)
        return cls(
            role=config.role,
            shape=Shape.of(section.obfuscation),
            keepalives=tuple(peer.persistent_keepalive for peer in config.peers if peer.persistent_keepalive),
            ports=section.listen if config.role is Role.SERVER else dialled,
        )

    def looks_plain(self, kind: int) -> bool:
        """Whether a message begins with plain WireGuard's type, often enough to be seen."""
        header = self.shape.headers[kind]
        is_plain = header.touches(kind + 1, kind + 1) and header.width <= _SELDOM
        return is_plain and not self.shape.paddings[kind] and not self.shape.header_protection

    def has_plain_size(self, kind: int) -> bool:
        """Whether a message has the size that it has in WireGuard, or data one that WireGuard's has."""
        padded = kind == TRANSPORT and self.shape.content_padding is not None
        return not padded and not self.shape.trailers

    @property
    def packets_before(self) -> int:
        """How many datagrams go before each handshake."""
        return self.shape.junk_count + len(self.shape.signatures)

    @property
    def sizes_of_data(self) -> int | None:
        """From how many sizes that of one packet's datagram is drawn; None where it is from hundreds."""
        if self.shape.content_padding is not None:
            return self.shape.content_padding.width
        return None if self.shape.trailers else 1
