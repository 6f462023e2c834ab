"""Retention policies for people: by name or file, in words, as a table and as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from tracechain.cli.output import console, counted, moment, plain, say, table
from tracechain.entry import parse_header
from tracechain.errors import InputError
from tracechain.retention.bounds import After, AtLeast, Bound, Earliest, Latest
from tracechain.retention.files import read_policy
from tracechain.retention.tables import TABLES, pilot_policy
from tracechain.retention.toml import CLASS_NAMES

if TYPE_CHECKING:
    from tracechain.retention.policy import Policy, Regime, Rule
    from tracechain.view import View

__all__ = ["InForce", "bound_words", "find_policy", "in_force", "rules_json", "tell_policy"]


@frozen
class InForce:
    """A policy in force: where it stands, when it was received (ms), and what it says."""

    index: int
    time: int
    policy: Policy


def in_force(view: View) -> InForce | None:
    """The policy in force at the end of a view, None if there is none."""
    from tracechain.retention.plan import policy_in_force

    found = policy_in_force(view)
    header = None if found is None else view.header(found[0])
    return None if found is None or header is None else InForce(found[0], parse_header(header).time, found[1])


def find_policy(wanted: str, wait: int | None = None) -> Policy:
    """A policy by the name of a table or of several, or from a file. InputError for neither."""
    names = wanted.split("+")
    if all(name in TABLES for name in names):
        regimes: dict[str, Regime] = {}
        for name in names:
            # The pilot's records and the personal fields in them belong together.
            for regime in pilot_policy().regimes if name == "pilot" else (TABLES[name],):
                regimes.setdefault(regime.name, regime)
        policy = evolve(pilot_policy(), name=wanted, regimes=tuple(regimes.values()))
    elif Path(wanted).exists() or "." in wanted or "/" in wanted:
        policy = read_policy(Path(wanted))
    else:
        raise InputError(
            f"{wanted[:60]!r} is no retention policy: name a TOML file (tracechain retention template), or one or"
            f" several of {', '.join(TABLES)}, joined by +"
        )
    return policy if wait is None else evolve(policy, wait_days=wait)


# ---- in words ------------------------------------------------------------------------------------


def bound_words(bound: Bound) -> str:
    """A bound in words."""
    match bound:
        case After(anchor=anchor, term=term, missing=missing):
            words = f"{term} after {anchor}"
            if missing is not None and str(missing) != str(term):
                words += f" ({missing} after receipt if not known)"
            return words
        case Latest(parts=parts):
            return f"the later of {' and '.join(map(bound_words, parts))}"
        case Earliest(parts=parts):
            return f"the earlier of {' and '.join(map(bound_words, parts))}"
        case AtLeast(bound=inner, least=least):
            return f"{bound_words(inner)}, and no less than {bound_words(least)}"
    return "for ever"


def _of(rule: Rule) -> str:
    """Which entries or fields a rule is for."""
    only = rule.selector
    parts = [CLASS_NAMES.get(one, f"class {one}") for one in only.record_classes]
    parts += [*only.product_classes, *only.jurisdictions]
    if only.fields:
        parts.append(f"fields {', '.join(only.fields)}")
    return ", ".join(parts) or "everything"


_BOUNDS = {"keep_until": "keep for", "delete_by": "delete", "restrict_after": "restrict"}


def _bounds(rule: Rule) -> list[tuple[str, str]]:
    """What a rule says: (what has to be done, when)."""
    return [
        (what, bound_words(bound))
        for name, what in _BOUNDS.items()
        if (bound := getattr(rule, name)) is not None
    ]  # fmt: skip


def rules_json(policy: Policy) -> dict[str, Any]:
    """For --json."""
    return {
        "policy": policy.name, "wait_days": policy.wait_days, "archive": policy.archive,
        "witnesses": list(policy.witnesses), "quorum": policy.quorum,
        "rules": [
            {
                "regime": regime.name, "rule": rule.name, "clause": rule.clause,
                "record_classes": list(rule.selector.record_classes),
                "product_classes": list(rule.selector.product_classes),
                "jurisdictions": list(rule.selector.jurisdictions), "fields": list(rule.selector.fields),
                **{
                    name: None if (bound := getattr(rule, name)) is None else bound_words(bound) for name in _BOUNDS
                },
            }
            for regime, rule in policy.rules()
        ],
        "crossings": [str(one) for one in policy.crossings()],
    }  # fmt: skip


def tell_policy(policy: Policy, index: int | None, time: int | None) -> None:
    """A policy as a table, with where it stands in the log."""
    where = "" if index is None else f", entry {index:,}"
    when = "" if time is None else f", since {moment(time)}"
    say(f"{plain(policy.name)}{where}{when}", "bold")
    shown = table()
    shown.add_column("regime", no_wrap=True)
    shown.add_column("rule", style="bold", overflow="fold")
    shown.add_column("clause", overflow="fold")
    shown.add_column("for", overflow="fold")
    shown.add_column("", no_wrap=True)
    shown.add_column("", overflow="fold")
    for regime, rule in policy.rules():
        for number, (what, words) in enumerate(_bounds(rule)):
            head = (regime.name, rule.name, rule.clause, _of(rule)) if number == 0 else ("", "", "", "")
            shown.add_row(*map(plain, head), what, plain(words))
    console().print(shown)
    say(f"a pruning stands announced for {counted(policy.wait_days, 'day')} at least", "dim")
    if policy.witnesses:
        say(f"  by the clocks of {policy.quorum} of {counted(len(policy.witnesses), 'witness')}", "dim")
    if policy.archive:
        say("  nothing goes that was not archived before", "dim")
    for crossing in policy.crossings():
        say(f"! {plain(crossing)}", "warn")
