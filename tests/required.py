"""What a test needs of the machine: where that is missing the test is skipped and says so, in CI on Linux it fails."""

import os
import sys

import pytest


def require(condition, reason):
    """Go on only where ``condition`` is true; ``reason`` is one line that says what is missing."""
    if condition:
        return
    if os.environ.get("CI") == "true" and sys.platform == "linux":
        pytest.fail(reason)
    pytest.skip(reason)
