"""The registers over a View: what they say, what they said on a day, every version with its author.

A register subject has a chain of its own, so each answer walks that one chain back from the index, whatever the size of
the log. A day is a receipt time: what had been recorded by then is what anybody could know.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import partial
from hashlib import sha256
from typing import Any

from attrs import frozen

from tracechain import registers
from tracechain.entry import SALT_SIZE, EntryType, parse_header
from tracechain.errors import DataError, InputError, TracechainError
from tracechain.record import Record, decode_record, encode_record
from tracechain.registers import Product, Profile, RecallStep, Register, Shield, subject_of
from tracechain.rules import Registered, Standing, fold
from tracechain.view import View, unit_history

__all__ = [
    "CHAINS",
    "Version",
    "entries_until",
    "history",
    "listing",
    "lookup",
    "next_record",
    "next_records",
    "published",
    "shown",
    "standing_of",
]

#: Kinds of what is registered: each has subjects, and so chains, of its own.
CHAINS = tuple(dict.fromkeys(kind.CHAIN[0] for kind in registers.KINDS.values() if kind.CHAIN[0]))


@frozen
class Version:
    """One record of a register subject: a value, or a measure about it (a suspension, a stop, a shield).

    `index` is its log entry, `time` its receipt (ms), `author` the id (8 bytes) of the key that stated it, and `after`
    where the subject stood from then on.
    """

    index: int
    time: int
    author: bytes
    value: Register
    after: Registered


# ---- records of one subject --------------------------------------------------------------------


def _entries(view: View, subject: str, as_of: int | None) -> Iterator[tuple[int, int, bytes, Record]]:
    """(index, receipt time, author, record) of a subject's records, oldest first."""
    for index in unit_history(view, subject):
        data = view.header(index)
        if data is None:
            raise DataError(f"{subject}: the header of entry {index} is missing; verify the ledger")
        header = parse_header(data)
        if as_of is not None and header.time > as_of:
            return  # receipt times never go back
        part = view.content(index)
        if header.type == EntryType.RECORD and part is not None:
            yield index, header.time, header.author, decode_record(part[SALT_SIZE:])


def _records(view: View, as_of: int | None, subject: str) -> Iterator[tuple[int, Record]]:
    """What a Standing loads of a subject."""
    for index, _, _, record in _entries(view, subject, as_of):
        yield index, record


def _versions(view: View, subject: str, as_of: int | None) -> Iterator[Version]:
    """The records that took effect: what cannot follow stays in the log and changes nothing."""
    now: Registered | None = None
    for index, time, author, record in _entries(view, subject, as_of):
        try:
            value = registers.read(record)
            if value is None:
                continue
            now = fold(now, index, record)
        except TracechainError:
            continue
        yield Version(index, time, author, value, now)


# ---- questions -----------------------------------------------------------------------------------


def standing_of(view: View, *, as_of: int | None = None) -> Standing:
    """What the registers say, for `rules`: subjects are read from their chains when they are asked for.

    With `as_of` (receipt time, ms) only what was recorded until then. Keep it for as many questions as are asked of
    one view: it remembers what it read. Costs a look at each profile of the log, usually one, and at each recall.
    """
    profile: Profile | None = None
    latest = -1
    for subject, _ in view.subjects(subject_of(Profile.KIND, "")):
        for version in _versions(view, subject, as_of):
            if version.index > latest and isinstance(version.value, Profile):
                latest, profile = version.index, version.value
    recalls: list[tuple[int, RecallStep]] = []
    for subject, _ in view.subjects(subject_of(RecallStep.KIND, "")):
        steps = [(one.index, one.value) for one in _versions(view, subject, as_of) if isinstance(one.value, RecallStep)]
        if steps and steps[-1][1].phase != "closed":
            recalls.append(steps[0])
    return Standing(load=partial(_records, view, as_of), profile=profile, recalls=recalls)


def lookup(view: View, kind: str, id: str, as_of: int | None = None) -> Registered | None:  # noqa: A002 - the library's word
    """What the register said of a subject ("product", "01/09521234001072") at a receipt time (ms), or says now.

    None if it said nothing. InputError for what is no kind of register subject.
    """
    found: Registered | None = None
    for version in _versions(view, _subject(kind, id), as_of):
        found = version.after
    return found


def history(view: View, kind: str, id: str, as_of: int | None = None) -> tuple[Version, ...]:  # noqa: A002 - as above
    """Every version of a subject and every measure about it, oldest first."""
    return tuple(_versions(view, _subject(kind, id), as_of))


def listing(view: View, kind: str, as_of: int | None = None) -> Iterator[tuple[str, Registered]]:
    """(id, where it stands) of every subject of a kind, in order of ids."""
    prefix = _subject(kind, "")
    for subject, _ in view.subjects(prefix):
        found = lookup(view, kind, subject.removeprefix(prefix), as_of)
        if found is not None:
            yield subject.removeprefix(prefix), found


def _subject(kind: str, name: str) -> str:
    if kind not in CHAINS:
        raise InputError(f"{kind!r} is no kind of register subject: there are {', '.join(CHAINS)}")
    return subject_of(kind, name)


def entries_until(view: View, as_of: int | None) -> int:
    """How many entries had been received at `as_of` (ms), all of them for None: receipt times never go back."""
    if as_of is None:
        return view.size

    def received(index: int) -> int:
        data = view.header(index)
        if data is None:
            raise DataError(f"entry {index}: its header is missing; verify the ledger")
        return parse_header(data).time

    return bisect_right(range(view.size), as_of, key=received)


# ---- what may be published -----------------------------------------------------------------------


def shown(registered: Registered, shield: Shield | None = None, time: int | None = None) -> dict[str, Any]:
    """A product's information in force, as it may be published (S1 VII): plain JSON values.

    Beside the values stand `version`, `entry` and `digest`, the SHA-256 of the version's content. Of a shielded
    version the values are gone and `shielded` takes their place (`shield` says by whom and why, where the caller has
    it): that there was such a version, and which, stays provable by its digest (S1 VIII(3)).
    """
    value = registered.value
    if not isinstance(value, Product):
        raise InputError(f"entry {registered.index} is of no product: only product information is published")
    content = encode_record(value.record(registered.version))
    told: dict[str, Any] = {"id": value.id, "version": registered.version, "entry": registered.index}
    if time is not None:
        told["recorded"] = time
    told["digest"] = sha256(content).hexdigest()
    if registered.version not in registered.shielded:
        return {**told, "information": {k: v for k, v in value.mapping().items() if k != "id"}}
    if shield is None:
        return {**told, "shielded": True}
    return {**told, "shielded": {k: v for k, v in shield.mapping().items() if k not in ("product", "version")}}


def published(view: View, id: str, as_of: int | None = None) -> tuple[dict[str, Any], ...]:  # noqa: A002 - as above
    """Every published version of a product (R3: each is kept), oldest first, as `shown` shows it; `recorded` is its
    receipt time in ms."""
    versions = history(view, Product.KIND, id, as_of)
    if not versions:
        return ()
    shields = {one.value.version: one.value for one in versions if isinstance(one.value, Shield)}
    hidden = versions[-1].after.shielded
    told = []
    for one in versions:
        if isinstance(one.value, Product):
            number = one.after.version
            state = Registered(one.index, number, one.value, shielded=hidden)
            told.append(shown(state, shields.get(number), one.time))
    return tuple(told)


# ---- what comes next -----------------------------------------------------------------------------


def next_record(view: View, value: Register) -> Record:
    """The value as the next record of its subject. InputError where it cannot follow (a merchant suspended twice, a
    case that was never opened)."""
    return next_records(view, (value,))[0]


def next_records(view: View, values: Iterable[Register]) -> tuple[Record, ...]:
    """The values as records to append together, in order: several may be of one subject."""
    now: dict[str, Registered | None] = {}
    records: list[Record] = []
    standing = Standing(load=partial(_records, view, None))
    for position, value in enumerate(values):
        subject = value.subject
        before = now[subject] if subject in now else standing.at(subject)
        whole = value.CHAIN[0] == value.KIND  # and not a measure about it, which has no versions
        record = value.record(before.versions if whole and before is not None else 0)
        now[subject] = fold(before, view.size + position, record)
        records.append(record)
    return tuple(records)
