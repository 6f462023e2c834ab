"""What `tracechain register` shows: what is registered now or was on a day, every version, and what has run out."""

from __future__ import annotations

import difflib
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracechain.cli.entries import human
from tracechain.cli.moments import Asked
from tracechain.cli.opening import open_to_read
from tracechain.cli.output import console, moment, plain, print_json, say, styled, table
from tracechain.errors import CodeError, InputError
from tracechain.registers import CaseStep, HoldStep, Product, RecallStep, Register, forms, kind_class

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracechain.ledger import Author
    from tracechain.pilot import Overdue, Version
    from tracechain.rules import Registered
    from tracechain.view import View

__all__ = ["show_all", "show_one", "show_overdue", "spelt"]

_MOST_SEARCHED = 100_000  # ids looked through for one that was perhaps meant
_RANGES = ("temperature", "humidity")


def _chain(kind: str) -> str:
    """The kind of the subjects that records of a kind are about."""
    chain = kind_class(kind).CHAIN[0]
    if not chain:
        raise InputError(f"a record {kind!r} is about a merchant, a product or an enterprise: --show one of these")
    return chain


def spelt(kind: str, text: str) -> str:
    """An id in any spelling as the register has it. InputError for what cannot be one."""
    match kind:
        case "product" if text.isascii() and text.isdigit():
            found: str = forms.Code().read(text, "ID")
        case "product":
            found = forms.ProductCode().read(text, "ID")
        case "merchant" | "enterprise" | "place" | "carrier":
            found = forms.Ident().read(text, "ID")
        case _:
            found = text
    return found


# ---- everything of a kind ------------------------------------------------------------------------


def show_all(ledger: Path, kind: str, asked: Asked, until: int | None, *, as_json: bool) -> None:
    """Everything of a kind that is registered."""
    from tracechain.pilot import listing

    chain = _chain(kind)
    with open_to_read(ledger) as opened:
        snapshot = opened.view
        found = list(listing(snapshot, chain, until))
    if as_json:
        rows = [_standing_json(chain, name, one) for name, one in found]
        print_json({"ledger": str(ledger), "kind": chain, "day": asked.day.isoformat(), "subjects": rows})
        return
    if found:
        shown = table()
        shown.add_column(chain, style="bold", overflow="fold")
        shown.add_column("version", justify="right", no_wrap=True)
        shown.add_column("entry", justify="right", style="cyan", no_wrap=True)
        shown.add_column("", overflow="fold")
        shown.add_column("stands", style="yellow", overflow="fold")
        for name, one in found:
            version = f"{one.version}" if one.version >= 0 else ""
            shown.add_row(human(name), version, f"{one.index:,}", _said(one.value), "; ".join(_measures(one, asked)))
        console().print(shown)
    when = "" if until is None else f" on {asked.day}"
    say(f"{len(found):,} of kind {chain}{when}", "dim")


def _said(value: Any) -> str:
    """A registered value in a few words."""
    parts = [getattr(value, name, None) for name in ("name", "title", "edition", "type", "phase", "result", "category")]
    return plain(", ".join(str(part) for part in parts if part))


def _measures(one: Registered, asked: Asked) -> list[str]:
    """What stands beside the value in force."""
    value: Any = one.value
    found = []
    if value is None:
        found.append("not registered")
    if one.suspended is not None:
        found.append(f"suspended since entry {one.suspended:,}")
    if one.stopped is not None:
        found.append(f"service stopped since entry {one.stopped:,}")
    if isinstance(value, Product):
        if one.version in one.shielded:
            found.append("its information is shielded")
        if value.screening != "none":
            found.append(f"barred: {value.screening}")
    closed = getattr(value, "closed_on", None)
    if closed is not None:
        found.append(f"closed {'since' if closed <= asked.day else 'from'} {closed}")
    return found


def _standing_json(kind: str, name: str, one: Registered) -> dict[str, Any]:
    return {
        "kind": kind, "id": name, "entry": one.index, "version": one.version if one.version >= 0 else None,
        "versions": one.versions, "suspended_in": one.suspended, "stopped_in": one.stopped,
        "shielded_versions": sorted(one.shielded), "value": None if one.value is None else one.value.mapping(),
    }  # fmt: skip


# ---- one subject ---------------------------------------------------------------------------------


def show_one(
    ledger: Path, kind: str, text: str, asked: Asked, until: int | None, *, history: bool, as_json: bool
) -> bool:
    """What is registered under an id; with `history` everything that ever was. False if there is nothing."""
    from tracechain.pilot import history as versions_of

    chain = _chain(kind)
    try:
        name = spelt(chain, text)
    except CodeError as error:
        raise InputError(f"ID: {error}") from None
    with open_to_read(ledger) as opened:
        snapshot = opened.view
        versions = versions_of(snapshot, chain, name, until)
        authors = {author.key.id: author for author in opened.authors()}
        near = [] if versions else _perhaps_meant(snapshot, chain, name, until)
    if as_json:
        _print_one(ledger, chain, name, versions, authors, near, history=history)
    elif not versions:
        when = "" if until is None else f" on {asked.day}"
        say(f"{styled('?', 'warn')} {chain} {human(name)} is not registered{when}")
        for hint in near:
            say(f"    perhaps {human(hint)}")
    else:
        _tell_one(chain, name, versions, authors, asked, history=history)
    return bool(versions)


def _perhaps_meant(view: View, kind: str, name: str, until: int | None) -> list[str]:
    from tracechain.pilot import listing

    return difflib.get_close_matches(name, [one for one, _ in islice(listing(view, kind, until), _MOST_SEARCHED)], 3)


def _label(authors: dict[bytes, Author], key_id: bytes) -> str:
    return authors[key_id].label if key_id in authors else key_id.hex()


def _print_one(
    ledger: Path, kind: str, name: str, versions: Sequence[Version], authors: dict[bytes, Author], near: list[str],
    *, history: bool,
) -> None:  # fmt: skip
    value: dict[str, Any] = {"ledger": str(ledger), "kind": kind, "id": name, "registered": bool(versions)}
    if versions:
        value |= _standing_json(kind, name, versions[-1].after)
    else:
        value["nearest"] = near
    if history:
        value["history"] = [
            {
                "entry": one.index, "receipt_time_ms": one.time, "author_key_id": one.author.hex(),
                "author": _label(authors, one.author), "kind": one.value.KIND,
                "version": one.after.version if _numbered(one.value) else None, "value": one.value.mapping(),
            }
            for one in versions
        ]  # fmt: skip
    print_json(value)


def _numbered(value: Register) -> bool:
    return value.CHAIN[0] == value.KIND and not isinstance(value, CaseStep | RecallStep | HoldStep)


def _tell_one(
    kind: str, name: str, versions: Sequence[Version], authors: dict[bytes, Author], asked: Asked, *, history: bool
) -> None:
    now = versions[-1].after
    say(f"{styled(human(name), 'bold')}   {kind}")
    for measure in _measures(now, asked):
        say(f"  {styled(f'! {plain(measure)}', 'warn')}")
    if now.value is not None:
        stated = next(one for one in reversed(versions) if one.index == now.index)
        count = f"version {now.version}" if _numbered(now.value) else f"step {now.versions}"
        label = plain(_label(authors, stated.author))
        say(f"  {count}, entry {now.index:,}, received {moment(stated.time)}, stated by {label}", "dim")
        shown = table(header=False)
        shown.add_column(style="dim", no_wrap=True)
        shown.add_column(overflow="fold")
        for field, value in now.value.mapping().items():
            shown.add_row(f"  {field}", plain(_flat(value, " to " if field in _RANGES else "; ")))
        console().print(shown)
    if history:
        _tell_history(versions, authors)


def _flat(value: Any, between: str = "; ") -> str:
    """A JSON value in a cell."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {_flat(part)}" for key, part in value.items())
    if isinstance(value, list):
        return between.join(map(_flat, value))
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _tell_history(versions: Sequence[Version], authors: dict[bytes, Author]) -> None:
    shown = table()
    shown.add_column("entry", justify="right", style="cyan", no_wrap=True)
    shown.add_column("received", style="dim", no_wrap=True)
    shown.add_column("author", style="dim", no_wrap=True, max_width=16)
    shown.add_column("what", style="bold", no_wrap=True)
    shown.add_column("", overflow="fold")
    before: dict[str, Any] = {}
    for one in versions:
        mapping = one.value.mapping()
        if _numbered(one.value):
            what = f"version {one.after.version}"
            changed = [name for name in {**before, **mapping} if before.get(name) != mapping.get(name)]
            words = f"changed: {', '.join(changed)}" if before and changed else "" if changed else "as before"
            before = mapping
        else:
            what = mapping.get("phase", one.value.KIND)
            words = str(mapping.get("reason", mapping.get("text", "")))
        received = moment(one.time).removesuffix(" +08:00")
        shown.add_row(f"{one.index:,}", received, plain(_label(authors, one.author)), plain(what), plain(words))
    say("")
    console().print(shown)
    say("received is Beijing time (+08:00)", "dim")


# ---- what has run out ----------------------------------------------------------------------------


def show_overdue(ledger: Path, kind: str | None, asked: Asked, until: int | None, *, as_json: bool) -> int:
    """What has run out or does not suffice, of a kind or of all; returns how much there is."""
    from tracechain.pilot import overdue

    chain = None if kind is None else _chain(kind)
    with open_to_read(ledger) as opened:
        snapshot = opened.view
        found = [one for one in overdue(snapshot, asked.day, as_of=until) if chain in (None, one.kind)]
    if as_json:
        print_json({"ledger": str(ledger), "day": asked.day.isoformat(), "overdue": [_overdue_json(o) for o in found]})
        return len(found)
    if found:
        shown = table()
        shown.add_column("kind", no_wrap=True)
        shown.add_column("id", style="bold", overflow="fold")
        shown.add_column("due", no_wrap=True)
        shown.add_column("days", justify="right", style="red", no_wrap=True)
        shown.add_column("entry", justify="right", style="cyan", no_wrap=True)
        shown.add_column("what", overflow="fold")
        for one in found:
            due, days = ("", "") if one.due is None else (f"{one.due}", f"{one.days:,}")
            what = f"{plain(one.what)} ({one.clause})"
            shown.add_row(one.kind, human(one.id), due, days, f"{one.entry:,}", what)
        console().print(shown)
        say(f"{len(found):,} to look after on {asked.day}", "dim")
    else:
        what = "" if chain is None else f" of kind {chain}"
        say(f"{styled('✓', 'good')} nothing{what} has run out on {asked.day}")
    return len(found)


def _overdue_json(one: Overdue) -> dict[str, Any]:
    return {
        "kind": one.kind, "id": one.id, "what": one.what, "due": None if one.due is None else one.due.isoformat(),
        "days": one.days, "clause": one.clause, "entry": one.entry,
    }  # fmt: skip
