"""What the applications' tests share: where they go, and how they are run."""

import shutil
import subprocess

import pytest

from tests.required import require
from tests.system.applications import web
from tests.system.world import World


class _WithUsers(World):
    """Whose client has a port for HTTP with users, beside that for everybody."""

    def write_pair(self):
        super().write_pair()
        with (self.folder / "client.conf").open("a") as file:
            file.write("\n[Socks5]\n[Http]\nBindAddress = 127.0.0.1:8080\nUser = alice:open: sesame\nUser = bob:x\n")


@pytest.fixture(scope="package")
def world(namespace, tmp_path_factory):
    """One for all of them."""
    with _WithUsers(namespace, tmp_path_factory.mktemp("world")) as made:
        yield made


@pytest.fixture(scope="package")
def certificate(tmp_path_factory):
    return web.write_certificate(tmp_path_factory.mktemp("certificate") / "site.pem")


@pytest.fixture(scope="package")
def sites(world, certificate):
    with web.sites(world, certificate) as made:
        yield made


@pytest.fixture
def run(world):
    """Runs a program of others to its end in the world's network; what it printed."""

    def run(program, *arguments, **options):
        require(shutil.which(program), f"{program} is missing: install it (make system-packages)")
        command = [*world.namespace.inside, program, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, timeout=90, check=False, **options)
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return done.stdout

    return run
