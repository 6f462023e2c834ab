"""Rules that the events of a file broke, or would break: each where it is, and all of them by rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tracechain.cli.entries import human
from tracechain.cli.output import console, counted, plain, say, styled, table
from tracechain.errors import RefusedError
from tracechain.ledger import Receipt, Violated
from tracechain.rules import clause_of

__all__ = ["kept_violations", "refused_violations", "tell_kept", "tell_refused"]


def kept_violations(receipt: Receipt) -> list[dict[str, Any]]:
    """What was kept with its violations, for --json: the entry (`index`), subject, code, name and clause."""
    return [{"index": one.index, **_named(one)} for one in receipt.violations]


def refused_violations(error: RefusedError, lines: Sequence[int] | None = None) -> list[dict[str, Any]]:
    """What a strict submission was refused for: the number of the `event` in it, from 0, and its `line` where `lines`
    has one for each event."""
    return [
        {
            "event": one.index, **_named(one),
            "line": lines[one.index] if lines is not None and one.index < len(lines) else None,
        }
        for one in error.violations
        if isinstance(one, Violated)
    ]  # fmt: skip


def _named(one: Violated) -> dict[str, Any]:
    return {"subject": one.subject, "code": one.code, "name": one.name, "clause": clause_of(one.code).clause}


def _by_rule(found: Iterable[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The violations of each rule, in order of their codes."""
    rules: dict[int, list[dict[str, Any]]] = {}
    for one in found:
        rules.setdefault(one["code"], []).append(one)
    return [rules[code] for code in sorted(rules)]


def tell_kept(found: Sequence[dict[str, Any]]) -> None:
    """Say which rules were broken, how often, and where first: the entries themselves are kept."""
    if not found:
        return
    rules = _by_rule(found)
    width, digits = max(len(rule[0]["name"]) for rule in rules), max(len(f"{len(rule):,}") for rule in rules)
    for rule in rules:
        first = rule[0]
        more = f" and {len(rule) - 1:,} more" if len(rule) > 1 else ""
        name = styled(plain(first["name"]).ljust(width), "warn")
        where = f"entry {first['index']:,}: {human(first['subject'])}{more}"
        say(f"  {name}  {len(rule):>{digits},}  {where}  {styled(first['clause'], 'dim')}")


def tell_refused(found: Sequence[dict[str, Any]]) -> None:
    """Say every rule that would be broken, line by line, and then by rule: whoever puts it right does so once."""
    if not found:
        return
    width = max(len(one["name"]) for one in found)
    for one in found:
        where = f"line {one['line']:>5,}" if one["line"] is not None else f"event {one['event'] + 1:>5,}"
        say(f"  {where}  {styled(plain(one['name']).ljust(width), 'warn')}  {human(one['subject'])}")
    rules = _by_rule(found)
    say(f"  {counted(len(found), 'violation')} of {counted(len(rules), 'rule')}:")
    shown = table(header=False)
    shown.add_column(style="yellow", no_wrap=True)
    shown.add_column(justify="right", no_wrap=True)
    shown.add_column(style="dim", overflow="fold")
    shown.add_column(overflow="fold")
    for rule in rules:
        clause = clause_of(rule[0]["code"])
        shown.add_row(f"  {plain(rule[0]['name'])}", f"{len(rule):,}", clause.clause, clause.words)
    console().print(shown)
