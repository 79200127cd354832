"""What all tests share: loggers of their own, and whether this machine lets them make networks."""

import sys

import hypothesis
import pytest
import structlog

from interop.counterparts import namespaces
from tests.required import require

hypothesis.settings.register_profile("any machine", deadline=None)  # a slow one is no defect
hypothesis.settings.load_profile("any machine")


@pytest.fixture(autouse=True)
def loggers_of_its_own(monkeypatch):
    """Logging is set up anew in each, since a cached logger keeps its first output for ever."""
    configure = structlog.configure
    monkeypatch.setattr(
        structlog, "configure", lambda **options: configure(**options | {"cache_logger_on_first_use": False})
    )
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def network_namespaces():
    """Make and enter one: only that shows whether it is permitted, and whether its tools are there."""
    require(sys.platform == "linux", "network namespaces need Linux")
    try:
        with namespaces.namespace() as made, made.entered():
            pass
    except (OSError, namespaces.CommandError) as error:
        require(False, f"network namespaces need root and iproute2: {' '.join(str(error).split())}")
