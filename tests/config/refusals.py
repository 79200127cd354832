"""What is said of a configuration that is refused."""

import pytest

from awgproxy.config import parse
from awgproxy.errors import ConfigError


def problems(text):
    """Each problem of a text as (line, key or section, message and suggestion)."""
    with pytest.raises(ConfigError) as caught:
        parse(text, "test.conf")
    assert {problem.file for problem in caught.value.problems} == {"test.conf"}
    return [(problem.line, problem.key or problem.section, problem.what) for problem in caught.value.problems]


def only_problem(text):
    found = problems(text)
    assert len(found) == 1, found
    return found[0]
