"""A policy as a TOML file, with a comment for each key: what `tracechain.retention.files` reads."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from tracechain.retention.bounds import After, Anchor, AtLeast, Bound, Earliest, Latest

if TYPE_CHECKING:
    from tracechain.retention.policy import Policy, Rule

__all__ = ["CLASS_NAMES", "PERMANENT", "format_bound", "format_policy"]

#: Record classes as files name them, by number; any other is written as its number.
CLASS_NAMES = {0: "unspecified", 1: "trading", 2: "movement", 3: "monitoring", 4: "product", 5: "personal"}
PERMANENT = "permanent"

_WIDTH = 100
_HEAD = {
    "name": "The name of the policy.",
    "wait_days": "Days that a pruning stands announced before it may be done, and this policy before one may go by it.",
    "archive": "true: nothing is pruned that was not archived before.",
    "witnesses": "Verifier keys of witnesses by whose cosignatures the waiting time is measured; else receipt times.",
    "quorum": "How many of the witnesses have to have signed at each end; 0 without witnesses.",
}
_RULES = """\
# A rule: which entries it is for, and until when.
#   record_classes, product_classes, jurisdictions   an entry of one of these; left out: of any
#   fields       only these private fields of the entries; left out: the entry with all its fields
#   keep_until   kept until that day, the day included; of all rules the latest counts
#   delete_by    (with fields) erased after that day; of all rules the earliest counts, but keep_until goes before it
#   restrict_after   (with fields) kept after that day, but not shown or used
# A day: { after = ANCHOR, term = "2 years", missing = "10 years" }, where `missing` counts from receipt if the anchor
# is not known ("permanent", or left out: then for ever); { max = [..., ...] }; { min = [..., ...] };
# { bound = ..., at_least = { after = ... } }; "permanent".
# Anchors: receipt, event, transaction, expiry, release, published. Terms: years, months and days by the calendar.
"""


def format_policy(policy: Policy, *, comments: bool = True) -> str:
    """The file of a policy."""
    lines: list[str] = []
    for key, comment in _HEAD.items():
        if comments:
            lines.append(f"# {comment}")
        lines.append(f"{key} = {_value(getattr(policy, key))}")
    if comments:
        lines += ["", *_RULES.splitlines()]
    for regime in policy.regimes:
        lines += ["", "[[regime]]", f"name = {_text(regime.name)}", f"title = {_text(regime.title)}"]
        for rule in regime.rules:
            lines += ["", "[[regime.rule]]", *_rule(rule)]
    return "\n".join(lines) + "\n"


def _rule(rule: Rule) -> Iterable[str]:
    yield f"name = {_text(rule.name)}"
    yield f"clause = {_text(rule.clause)}"
    selector = rule.selector
    if selector.record_classes:
        yield f"record_classes = {_value([CLASS_NAMES.get(one, one) for one in selector.record_classes])}"
    for key in ("product_classes", "jurisdictions", "fields"):
        if values := getattr(selector, key):
            yield f"{key} = {_value(values)}"
    for key in ("keep_until", "delete_by", "restrict_after"):
        bound = getattr(rule, key)
        if bound is not None:
            yield f"{key} = {format_bound(bound, '')}"


def format_bound(bound: Bound, indent: str = "") -> str:
    """A bound as a TOML value; long lists go on over several lines, `indent` before each."""
    match bound:
        case After(anchor=anchor, term=term, missing=missing):
            known = anchor is Anchor.RECEIPT
            default = PERMANENT if missing is None else str(missing)
            return f'{{ after = "{anchor}", term = "{term}"' + ("" if known else f', missing = "{default}"') + " }"
        case Latest(parts=parts):
            return f"{{ max = {_list(parts, indent)} }}"
        case Earliest(parts=parts):
            return f"{{ min = {_list(parts, indent)} }}"
        case AtLeast(bound=inner, least=least):
            return f"{{ bound = {format_bound(inner, indent)}, at_least = {format_bound(least, indent)} }}"
    return f'"{PERMANENT}"'


def _list(parts: tuple[Bound, ...], indent: str) -> str:
    within = indent + "    "
    lines = "".join(f"{within}{format_bound(part, within)},\n" for part in parts)
    return f"[\n{lines}{indent}]"


def _text(text: str) -> str:
    # A JSON string is a TOML string: control characters, the only difference, are in no name.
    return json.dumps(text, ensure_ascii=False)


def _value(value: object) -> str:
    if isinstance(value, list | tuple):
        items = [_value(one) for one in value]
        line = f"[{', '.join(items)}]"
        return line if len(line) <= _WIDTH else "[\n" + "".join(f"    {item},\n" for item in items) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else _text(str(value))
