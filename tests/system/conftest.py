"""A server and a client joined by a tunnel, in a network namespace with an internet of its own.

```
 namespace
   application ─ SOCKS5 ─ awgproxy client ═ 127.0.0.1 ═ awgproxy server ─ targets on 127.0.0.1 and ::1
                                                             │           ├ DNS on 127.0.0.53
                                                             │           └ routes: 198.51.100.0/24 unreachable,
                                                             │             203.0.113.0/24 silent, else no network
```
"""

import os
import shutil
import subprocess
import sys

import pytest

from tests.system.world import World


def _missing() -> str | None:
    if not sys.platform.startswith("linux"):
        return "network namespaces need Linux"
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "`ip` is missing: install iproute2"
    return None


@pytest.fixture(scope="session")
def namespace():
    reason = _missing()
    if reason is not None:
        assert os.environ.get("CI") != "true" or not sys.platform.startswith("linux"), reason
        pytest.skip(reason)
    name = f"awgproxy-{os.getpid()}"
    run = lambda *words: subprocess.run(["ip", *words], check=True)  # noqa: E731
    run("netns", "add", name)
    try:
        run("-n", name, "link", "set", "lo", "up")
        run("-n", name, "link", "add", "wan", "type", "veth", "peer", "name", "nowhere")
        run("-n", name, "addr", "add", "192.0.2.1/24", "dev", "wan")
        run("-n", name, "link", "set", "wan", "up")
        run("-n", name, "link", "set", "nowhere", "up")
        run("-n", name, "route", "add", "unreachable", "198.51.100.0/24")
        run("-n", name, "route", "add", "203.0.113.0/24", "via", "192.0.2.254")
        run("-n", name, "neigh", "add", "192.0.2.254", "lladdr", "02:00:00:00:00:fe", "dev", "wan")
        yield name
    finally:
        run("netns", "del", name)


@pytest.fixture(scope="module")
def world(namespace, tmp_path_factory):
    with World(namespace, tmp_path_factory.mktemp("world")) as made:
        yield made
