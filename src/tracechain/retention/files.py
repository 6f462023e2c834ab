"""Policies from TOML files, read strictly. The one module of this package that reads files.

    name = "shop"
    wait_days = 30

    [[regime]]
    name = "pilot"
    title = "..."

    [[regime.rule]]
    name = "trading records"
    clause = "S1 VII"
    record_classes = ["trading", "movement"]
    keep_until = { max = [
        { after = "expiry", term = "2 years", missing = "10 years" },
        { after = "transaction", term = "5 years" },
    ] }

Every fault is told with the file, the place of the key (`regime[1].rule[2].keep_until.max[1].term`, counted from 1),
what is wrong, and what to write. A key that is not known is a fault: a bound that was mistyped must not be one that
is not there.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from tracechain.errors import InputError
from tracechain.registers.files import parse
from tracechain.registers.forms import show
from tracechain.retention.bounds import MAX_DEPTH, After, Anchor, AtLeast, Bound, Earliest, Latest, Permanent
from tracechain.retention.dates import Term, parse_term
from tracechain.retention.policy import Policy, Regime, Rule, Selector
from tracechain.retention.toml import CLASS_NAMES, PERMANENT

__all__ = ["MAX_FILE", "parse_policy", "read_policy"]

#: Bytes of a file. A policy of more would not fit into a record, comments aside.
MAX_FILE = 1 << 20

_POLICY = ("name", "wait_days", "archive", "witnesses", "quorum", "regime")
_REGIME = ("name", "title", "rule")
_SELECTOR = ("record_classes", "product_classes", "jurisdictions", "fields")
_BOUNDS = ("keep_until", "delete_by", "restrict_after")
_RULE = ("name", "clause", *_SELECTOR, *_BOUNDS)
_CLASSES = {name: number for number, name in CLASS_NAMES.items()}
_EXAMPLE = (
    'a table such as { after = "expiry", term = "2 years" }, { max = [...] }, { min = [...] }, { bound = ...,'
    ' at_least = ... }, or "permanent"'
)


def read_policy(source: str | Path) -> Policy:
    """The policy of a TOML file; a text of several lines is taken for the file's text itself.

    InputError names the file, and every rule that is wrong.
    """
    if isinstance(source, str) and "\n" in source:
        return parse_policy(source)
    path = Path(source)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise InputError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > MAX_FILE:
        raise InputError(f"{path} is over {MAX_FILE} bytes: a policy has at most 60,000")
    return _read(parse(data, "toml", str(path)), str(path))


def parse_policy(text: str, where: str = "policy") -> Policy:
    """The policy of a TOML text; `where` stands before every fault."""
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{where}: a lone surrogate at position {error.start}") from None
    return _read(parse(data, "toml", where), where)


def _read(mapping: Mapping[str, Any], file: str) -> Policy:
    faults: list[str] = []
    policy = _keep_faults(faults, "", _read_policy, mapping, faults)
    if policy is None or faults:
        raise InputError("\n".join(f"{file}: {fault}" for fault in faults))
    found: Policy = policy
    return found


def _keep_faults(faults: list[str], where: str, read: Callable[..., Any], *arguments: Any) -> Any:
    """What `read` gives, or None, its fault noted: so that one look at a file shows all that is wrong."""
    try:
        return read(where, *arguments)
    except InputError as error:
        text = str(error)
        faults.append(text if isinstance(error, _PlacedError) or not where else f"{where}: {text}")
        return None


class _PlacedError(InputError):
    """A fault that says where it stands."""


def _read_policy(where: str, mapping: object, faults: list[str]) -> Policy | None:
    given = _table(where, mapping, _POLICY, ("name", "regime"))
    regimes = [
        _keep_faults(faults, f"regime[{number}]", _read_regime, one, faults)
        for number, one in enumerate(_tables(where, given["regime"], "regime"), 1)
    ]
    witnesses = _texts("witnesses", given.get("witnesses", []))
    rest = {key: given[key] for key in ("wait_days", "archive", "quorum") if key in given}
    if None in regimes or faults:
        return None
    return Policy(given["name"], tuple(regimes), witnesses=tuple(witnesses), **rest)


def _read_regime(where: str, mapping: object, faults: list[str]) -> Regime | None:
    given = _table(where, mapping, _REGIME, _REGIME)
    rules = [
        _keep_faults(faults, f"{where}.rule[{number}]", _read_rule, one)
        for number, one in enumerate(_tables(where, given["rule"], "rule"), 1)
    ]
    return None if None in rules else Regime(given["name"], given["title"], tuple(rules))


def _read_rule(where: str, mapping: object) -> Rule:
    given = _table(where, mapping, _RULE, ("name", "clause"))
    lists: dict[str, Any] = {key: _texts(f"{where}.{key}", given[key]) for key in _SELECTOR[1:] if key in given}
    if "record_classes" in given:
        lists["record_classes"] = _classes(f"{where}.record_classes", given["record_classes"])
    for key, values in lists.items():
        if not values:
            raise _PlacedError(f"{where}.{key} is empty: leave it out where the rule is for all")
    bounds = {key: _bound(f"{where}.{key}", given[key], MAX_DEPTH) for key in _BOUNDS if key in given}
    return Rule(given["name"], given["clause"], Selector(**lists), **bounds)


def _classes(where: str, given: object) -> tuple[int, ...]:
    if not isinstance(given, list):
        raise _PlacedError(f'{where} is {show(given)}: it must be a list of names or numbers, such as ["trading", 7]')
    found = []
    for place, one in enumerate(given, 1):
        number = _CLASSES.get(one) if type(one) is str else one
        if type(number) is not int or not 0 <= number < 1 << 16:
            raise _PlacedError(
                f"{where}[{place}] is {show(one)}: it must be one of {', '.join(_CLASSES)}, or a number to 65,535"
                + _hint(one, _CLASSES)
            )
        found.append(number)
    return tuple(found)


# ---- bounds --------------------------------------------------------------------------------------


def _bound(where: str, given: object, depth: int) -> Bound:
    if depth == 0:
        raise _PlacedError(f"{where[:100]}...: bounds stand within each other more than {MAX_DEPTH} deep")
    if given == PERMANENT and type(given) is str:
        return Permanent()
    if not isinstance(given, Mapping):
        raise _PlacedError(f"{where} is {show(given)}: it must be {_EXAMPLE}")
    try:
        if "after" in given:
            return _after(where, given)
        for key, kind in (("max", Latest), ("min", Earliest)):
            if key in given:
                parts = _table(where, given, (key,), (key,))[key]
                if not isinstance(parts, list):
                    raise _PlacedError(f"{where}.{key} is {show(parts)}: it must be a list of two days or more")
                read = [_bound(f"{where}.{key}[{n}]", one, depth - 1) for n, one in enumerate(parts, 1)]
                return kind(tuple(read))
        if "bound" in given or "at_least" in given:
            _table(where, given, ("bound", "at_least"), ("bound", "at_least"))
            least = _after(f"{where}.at_least", given["at_least"])
            return AtLeast(_bound(f"{where}.bound", given["bound"], depth - 1), least)
    except _PlacedError:
        raise
    except InputError as error:
        raise _PlacedError(f"{where}: {error}") from None
    raise _PlacedError(f"{where} has the keys {show(sorted(map(str, given)))}: it must be {_EXAMPLE}")


def _after(where: str, given: object) -> After:
    table = _table(where, given, ("after", "term", "missing"), ("after", "term"))
    anchor = table["after"]
    if type(anchor) is not str or anchor not in set(Anchor):
        raise _PlacedError(
            f"{where}.after is {show(anchor)}: it must be one of {', '.join(Anchor)}{_hint(anchor, Anchor)}"
        )
    missing = table.get("missing", PERMANENT)
    default = None if type(missing) is str and missing == PERMANENT else _term(f"{where}.missing", missing)
    if "missing" in table and anchor == Anchor.RECEIPT:
        raise _PlacedError(f"{where}.missing: the day of receipt is never missing: leave it out")
    return After(Anchor(anchor), _term(f"{where}.term", table["term"]), default)


def _term(where: str, given: object) -> Term:
    if type(given) is not str:
        raise _PlacedError(f'{where} is {show(given)}: it must be a text, such as "2 years"')
    try:
        return parse_term(given)
    except InputError as error:
        raise _PlacedError(f"{where}: {error}") from None


# ---- tables and lists ----------------------------------------------------------------------------


def _table(where: str, given: object, known: tuple[str, ...], needed: tuple[str, ...]) -> Mapping[str, Any]:
    at = f"{where}: " if where else ""
    if not isinstance(given, Mapping):
        raise _PlacedError(f"{at}{show(given)}: it must be a table of {', '.join(known)}")
    for key in given:
        if key not in known:
            raise _PlacedError(f"{at}unknown key {show(key)}{_hint(key, known) or ': there are ' + ', '.join(known)}")
    for key in needed:
        if key not in given:
            raise _PlacedError(f"{at}{key!r} is missing")
    return given


def _tables(where: str, given: object, key: str) -> list[Any]:
    if not isinstance(given, list) or not given:
        raise _PlacedError(
            f"{where}{'.' if where else ''}{key} is {show(given)}: write [[{'regime.' * bool(where)}{key}]] above each"
        )
    return given


def _texts(where: str, given: object) -> list[Any]:
    if not isinstance(given, list) or not all(type(one) is str for one in given):
        raise _PlacedError(f"{where} is {show(given)}: it must be a list of texts")
    return given


def _hint(given: object, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(str(given)[:60], list(map(str, known)), 1)
    return f", did you mean {close[0]!r}?" if close else ""
