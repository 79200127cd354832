"""One section's text into its model: known and unknown keys, repetitions, lists, and the line of every complaint.

What a value may be is said in `values` and `model`.
"""

from __future__ import annotations

import base64
import difflib
import re
from typing import TYPE_CHECKING, Any, Final, TypeVar, get_origin

from pydantic import ValidationError
from pydantic.alias_generators import to_snake

from awgproxy.config.model import AWG_3_KEYS, OBFUSCATION_KEYS, SECTIONS, WHOLE, Interface, Obfuscated, Section
from awgproxy.config.values import InvalidValue, excerpt

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic_core import ErrorDetails

    from awgproxy.config import document
    from awgproxy.config.findings import Findings
    from awgproxy.config.lines import Inside

WG_QUICK_KEYS = ("PreUp", "PostUp", "PreDown", "PostDown", "Table", "SaveConfig")
"""What wg-quick does to the system: never done here, and warned of."""
_WG_QUICK_FOLDED: Final = frozenset(key.lower() for key in WG_QUICK_KEYS)

_AWG_1 = "an AmneziaWG 1.5 key, which 2.0 dropped: leave it out"
_NOT_SETTINGS = ("name", "obfuscation")
"""Fields of the models that no key of a file sets."""

_PARAMETERS: Final = {
    **{key.lower(): key for key in OBFUSCATION_KEYS},
    **{to_snake(key): key for key in AWG_3_KEYS},
}
"""Obfuscation parameters by what they may be called: as in files, and as AmneziaWG's UAPI has them."""
_HEX_KEY = re.compile(r"[0-9a-fA-F]{64}")
_ELSEWHERE: Final[Mapping[str, str]] = dict.fromkeys(("j1", "j2", "j3", "itime"), _AWG_1)

_REQUIRED: Final[Mapping[str, str]] = {
    "PrivateKey": "make one with `awgproxy genkey`",
    "Address": "this end's address in the tunnel, such as 10.8.0.2/32",
    "PublicKey": "the other end's, from `awgproxy pubkey`",
    "AllowedIPs": "on a client `0.0.0.0/0, ::/0`; on a server the client's address, such as 10.8.0.2/32",
    "BindAddress": "where applications reach it, such as 127.0.0.1:8080",
    "TCPServerTunnel ListenPort": "a TCP port at this end's address in the tunnel, such as 8080",
    "Target": "where it leads, such as example.org:80",
    "ListenPort": "a UDP port where these parameters are spoken, and no others, such as 51821",
}

_GIVEN: Final[dict[frozenset[str], set[str]]] = {}
"""One of each, as many as there are ways to fill a section in that files had."""

Model = TypeVar("Model", bound=Section)


def keys_of(kind: type[Section]) -> dict[str, bool]:
    """The keys that a section knows, as documentation spells them, and whether each may repeat or hold a list."""
    return {
        str(known.alias): get_origin(known.annotation) is tuple
        for name, known in kind.model_fields.items()
        if name not in _NOT_SETTINGS
    }


def read_section(
    kind: type[Model], text: document.Section, label: str, findings: Findings, name: str | None = None
) -> Model | None:
    """Read one section; None where something in it is wrong, which then is in ``findings``.

    ``label`` is what ``findings.lines`` calls the section, ``name`` what follows the kind in its header.
    """
    title = kind.__name__ if name is None else f"{kind.__name__} {name}"
    known = {key.lower(): (key, many) for key, many in keys_of(kind).items()}
    whole = {field.alias for field in kind.model_fields.values() if WHOLE in field.metadata}
    parameters = _PARAMETERS if issubclass(kind, Obfuscated) else {}
    settings: list[tuple[str, str]] = []
    raw: dict[str, Any] = {"obfuscation": settings} if issubclass(kind, Obfuscated) else {}
    if name is not None:
        raw["name"] = name
    errors_before = len(findings.errors)
    lines: dict[Inside, int] = {}
    for entry in text.entries:
        folded = entry.key.lower()
        if folded in parameters or folded in known:
            key, many = known.get(folded) or (parameters[folded], False)
            first = lines.setdefault((key.lower(),), entry.line)
            if not many and first != entry.line:
                findings.error(entry.line, title, key, "stands twice", f"keep one; the other is in line {first}")
            elif folded in parameters:
                settings.append((key, parameter(entry)))
            elif not entry.value:
                findings.error(entry.line, title, key, "has no value", "give one, or delete the line")
            elif many:
                items = [entry.value] if key in whole else entry.value.split(",")
                _add_items(raw.setdefault(key, []), items, entry, lines)
            else:
                raw[key] = entry.value
        elif kind is Interface and folded in _WG_QUICK_FOLDED:
            findings.warning(entry.line, title, entry.key, "is wg-quick's and is not run here", "delete the line")
        else:
            suggestion = _instead_of(folded, kind)
            findings.error(entry.line, title, excerpt(entry.key), "is not known here", suggestion)
    findings.lines.note(label, text.line, lines)
    try:
        instance = kind.model_validate(raw)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False):
            _explain(detail, title, label, findings)
        return None
    # Which fields are given is a set, larger than the section's values; thousands of peers have the same ones.
    given = instance.model_fields_set
    object.__setattr__(instance, "__pydantic_fields_set__", _GIVEN.setdefault(frozenset(given), given))
    return instance if len(findings.errors) == errors_before else None


def parameter(entry: document.Entry) -> str:
    """An obfuscation parameter's value as files have it: what UAPI has in hexadecimal, in base64."""
    if entry.key.lower() == "header_protection_key" and _HEX_KEY.fullmatch(entry.value):
        return base64.b64encode(bytes.fromhex(entry.value)).decode()
    return entry.value


def parameters_of(text: document.Section) -> dict[str, str]:
    """The obfuscation parameters of a section by their names as documented; of those that stand twice, the first."""
    found: dict[str, str] = {}
    for entry in text.entries:
        if entry.key.lower() in _PARAMETERS:
            found.setdefault(_PARAMETERS[entry.key.lower()], parameter(entry))
    return found


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that ``name`` most likely means, whatever the case; None where none is near."""
    by_folded = {each.lower(): each for each in known}
    found = difflib.get_close_matches(name.lower(), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def _needed(title: str, key: str) -> str | None:
    """What would be right where a key is missing."""
    return _REQUIRED.get(f"{title} {key}", _REQUIRED.get(key))


def _add_items(items: list[str], more: Iterable[str], entry: document.Entry, lines: dict[Inside, int]) -> None:
    for item in more:
        if item.strip():
            lines[entry.key.lower(), len(items)] = entry.line
            items.append(item.strip())


def _instead_of(folded: str, kind: type[Section]) -> str:
    """What to do about an unknown key."""
    known = [*keys_of(kind), *(OBFUSCATION_KEYS if issubclass(kind, Obfuscated) else ())]
    if folded in _ELSEWHERE:
        return _ELSEWHERE[folded]
    titles = []
    for other in SECTIONS.values():
        theirs = [*keys_of(other), *(OBFUSCATION_KEYS if other is Interface else ())]
        if other is not kind and folded in {key.lower() for key in theirs}:
            titles.append(f"[{other.__name__}]")
    if titles:
        return f"it belongs in {' or '.join(titles)}"
    near = nearest(folded, known)
    return f"did you mean {near}?" if near else f"known are {', '.join(known)}"


def _explain(detail: ErrorDetails, title: str, label: str, findings: Findings) -> None:
    """Say one of pydantic's complaints in our words, at the line that it is about."""
    key, *rest = detail["loc"]
    place = (label, str(key).lower())
    line = findings.lines.get(place)
    if detail["type"] in {"missing", "too_short"}:
        if line is None:
            findings.error(findings.lines[label, ""], title, str(key), "is missing", _needed(title, str(key)))
        elif detail["type"] == "too_short" and (*place, 0) not in findings.lines:  # else that has been said
            findings.error(line, title, str(key), "names nothing", _needed(title, str(key)))
        return
    if rest and isinstance(rest[0], int):
        line = findings.lines.get((*place, rest[0]), line)
    cause = detail.get("ctx", {}).get("error")
    suggestion = cause.suggestion if isinstance(cause, InvalidValue) else None
    message = str(cause) if isinstance(cause, InvalidValue) else detail["msg"]
    findings.error(line, title, str(key), message, suggestion)
