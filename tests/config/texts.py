"""Configurations for the tests, and their keys."""

from awgproxy import _native

OWN_KEY = (
    "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk="  # the whitepaper's and wg(8)'s example keys: they protect nothing
)
PEER_KEY = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="
OTHER_KEY = "TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0="
PRESHARED_KEY = "/UwcSPg38hW/D9Y3tcS1FOV0K1wuURMbS0sesJEP5ak="

INTERFACE = f"""\
[Interface]
PrivateKey = {OWN_KEY}
Address = 10.8.0.2/32
DNS = 10.8.0.1
MTU = 1280
"""

PEER = f"""\
[Peer]
PublicKey = {PEER_KEY}
AllowedIPs = 0.0.0.0/0, ::/0
Endpoint = vpn.example.org:51820
"""

CLIENT = INTERFACE + PEER

SERVER = f"""\
[Interface]
PrivateKey = {OWN_KEY}
Address = 10.8.0.1/24
ListenPort = 51820
MTU = 1280
[Server]
[Peer]
PublicKey = {PEER_KEY}
AllowedIPs = 10.8.0.2/32
"""


def own_public_key() -> str:
    return _native.public_key(OWN_KEY)
