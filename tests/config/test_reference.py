"""docs/reference/configuration.md describes every section and every key, and none that does not exist."""

import re
from pathlib import Path

from awgproxy.config.model import OBFUSCATION_KEYS, SECTIONS
from awgproxy.config.sections import WG_QUICK_KEYS, keys_of

TEXT = (Path(__file__).parents[2] / "docs" / "reference" / "configuration.md").read_text()


def described():
    """The keys that begin a row of a table, by the section whose heading stands above."""
    found = {}
    for heading, body in re.findall(r"^## `\[(\w+)(?: NAME)?\]`.*?$(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL):
        rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+)", body, re.MULTILINE)
        found[heading] = {key for row in rows for key in re.findall(r"`(\w+)`", row)}
    return found


def test_every_key_is_described_and_no_other():
    expected = {kind.__name__: set(keys_of(kind)) for kind in SECTIONS.values()}
    expected["Interface"] |= set(OBFUSCATION_KEYS)
    assert described() == expected


def test_wg_quicks_keys_are_named():
    assert all(f"`{key}`" in TEXT for key in WG_QUICK_KEYS)
