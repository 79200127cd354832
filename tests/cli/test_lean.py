"""What a client and a server load before they run, and what they do not."""

import gc
import subprocess
import sys

import pytest

from awgproxy.cli import lean

UNUSED = {"rich", "importlib.metadata", "h11", "cryptography", "httpx", "dns.resolver", "awgproxy.config.generate"}


@pytest.mark.parametrize("command", ["client", "server"])
def test_a_command_loads_nothing_that_running_never_uses(tmp_path, command):
    program = (
        f"import sys\nsys.argv = ['awgproxy', '{command}', '{tmp_path}/there-is-none.conf']\n"
        "from awgproxy.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"assert 'awgproxy.session.{command}' in sys.modules\n"
        f"print({UNUSED} & sys.modules.keys() or 'nothing')\n"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert finished.stdout.splitlines() == ["nothing"]


def test_garbage_is_collected_again_however_a_command_ends():
    with lean.starting():
        assert not gc.isenabled()
        lean.started()
        assert gc.isenabled()
    with pytest.raises(KeyboardInterrupt), lean.starting():
        raise KeyboardInterrupt
    assert gc.isenabled()


def test_a_pydantic_that_wants_more_of_its_plugins_gets_the_module_as_it_is(monkeypatch):
    name = "pydantic.plugin._loader"
    monkeypatch.delitem(sys.modules, name, raising=False)
    with lean.starting():
        from pydantic.plugin._loader import get_plugins  # noqa: PLC0415

        assert list(get_plugins()) == []
        assert sys.modules[name].__spec__ is None
        from pydantic.plugin._loader import PYDANTIC_ENTRY_POINT_GROUP  # noqa: PLC0415

        assert PYDANTIC_ENTRY_POINT_GROUP == "pydantic"
    assert sys.modules[name].__spec__ is not None
    with pytest.raises(ImportError, match="what_there_is_not"):
        from pydantic.plugin._loader import what_there_is_not  # noqa: F401, PLC0415
