"""A server and a client joined by a tunnel, in a network namespace with an internet of its own.

```
 namespace
   application ─ SOCKS5 ─ awgproxy client ═ 127.0.0.1 ═ awgproxy server ─ targets on 127.0.0.1 and ::1
                                                             │           ├ DNS on 127.0.0.53
                                                             │           └ routes: 198.51.100.0/24 unreachable,
                                                             │             203.0.113.0/24 silent, else no network
```
"""

import resource

import pytest

from interop.counterparts import namespaces
from tests.system.world import World


@pytest.fixture(scope="session", autouse=True)
def descriptors_enough():
    """Tests open a thousand connections and more themselves."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 1 << 14)), hard))


@pytest.fixture(scope="session")
def namespace(network_namespaces):
    with namespaces.namespace() as made:
        made.ip("link add wan type veth peer name nowhere")
        made.ip("addr add 192.0.2.1/24 dev wan")
        made.ip("link set wan up")
        made.ip("link set nowhere up")
        made.ip("route add unreachable 198.51.100.0/24")
        made.ip("route add 203.0.113.0/24 via 192.0.2.254")
        made.ip("neigh add 192.0.2.254 lladdr 02:00:00:00:00:fe dev wan")
        yield made


@pytest.fixture(scope="module")
def world(namespace, tmp_path_factory):
    with World(namespace, tmp_path_factory.mktemp("world")) as made:
        yield made
