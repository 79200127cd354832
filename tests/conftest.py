"""What all tests share: logging is set up anew in each, since a cached logger keeps its first output for ever."""

import pytest
import structlog


@pytest.fixture(autouse=True)
def loggers_of_its_own(monkeypatch):
    configure = structlog.configure
    monkeypatch.setattr(
        structlog, "configure", lambda **options: configure(**options | {"cache_logger_on_first_use": False})
    )
    yield
    structlog.reset_defaults()
