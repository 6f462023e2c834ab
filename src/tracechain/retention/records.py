"""The records of retention: what is about to go, what went, what was erased (docs/format.md sections 5.10 and 5.11).

An intent says, before anything happens, exactly which contents and rows will go, by which policy and as of which day.
After the waiting time a record says that it was done, and what was kept all the same. Both name sets of entries; where
these do not fit into one record, several carry them as parts, under one statement.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from itertools import pairwise
from typing import Any, ClassVar, TypeVar

from attrs import evolve, field, frozen

from tracechain import encoding
from tracechain.errors import DecodeError, InputError
from tracechain.record import Record
from tracechain.retention.ranges import Ranges, from_flat, join, to_flat

__all__ = [
    "CONTENT",
    "DONE",
    "ERASED",
    "INTENT",
    "OWN_KINDS",
    "POLICY",
    "POLICY_SUBJECT",
    "PRUNE_TAG",
    "ROWS",
    "Erased",
    "PruneDone",
    "PruneIntent",
    "Retained",
    "gather",
    "prune_digest",
    "prune_subject",
    "read",
]

#: Kinds of records (format.md section 5.6).
POLICY = "retention"
INTENT = "prune-intent"
DONE = "prune-done"
ERASED = "erased"
#: Those that only the ledger itself writes, by announcing, pruning and erasing.
OWN_KINDS = frozenset({INTENT, DONE, ERASED})
#: The chain of the policies.
POLICY_SUBJECT = "urn:tracechain:retention"

#: What goes of an entry, as the digest says it; both is their sum.
CONTENT, ROWS = 1, 2

PRUNE_TAG = b"TCH0 prune".ljust(16, b"\0")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
#: Bytes of ranges in one record: with the rest of it, what a content may have (65,536).
_ROOM = 56_000
_PARTS_MOST = 1 << 20
_ONE_MOST = 18  # bytes of a pair of numbers at most
_TOKEN, _COMMITMENT = 16, 32
#: Tokens and commitments that one record names at most.
ERASED_MOST = 1024


def prune_subject(name: str) -> str:
    """The chain of a pruning by its name."""
    return f"urn:tracechain:prune:{name}"


def check_name(name: str) -> str:
    """The name of a pruning; InputError for what cannot be one."""
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{name!r:.80} cannot name a pruning: 1 to 64 ASCII letters, digits, '.', '_', '-', beginning with a letter"
            " or digit, such as 2034-q1"
        )
    return name


def prune_digest(leaf_of: Callable[[int], bytes], contents: Iterable[int], rows: Iterable[int]) -> bytes:
    """What goes, in 32 bytes that can be computed from headers for ever: `contents` and `rows` are the indices of the
    entries (of type 3) that lose them, `leaf_of` gives the leaf of an entry."""
    losing = dict.fromkeys(contents, CONTENT)
    for index in rows:
        losing[index] = losing.get(index, 0) | ROWS
    said = sha256(PRUNE_TAG)
    for index in sorted(losing):
        said.update(index.to_bytes(8, "big") + bytes((losing[index],)) + leaf_of(index))
    return said.digest()


def _set(given: Iterable[bytes]) -> tuple[bytes, ...]:
    return tuple(sorted(set(given)))


@frozen(kw_only=True)
class PruneIntent:
    """What will go, announced. `size` is that of the log it was planned on, `as_of` the day (since 1970-01-01 in Asia/
    Shanghai) by which it was due, `policy` the index of the retention policy in force, `wait_days` how long it waits
    at least; `archive` the digest of an archive bundle that was made before, if any. A range means every event in it.
    """

    SETS: ClassVar = ("contents", "rows")

    name: str
    size: int
    as_of: int
    policy: int
    wait_days: int
    contents: Ranges
    rows: Ranges
    content_count: int
    row_count: int
    digest: bytes
    archive: bytes | None = None
    reason: str
    part: int = 0
    parts: int = 1

    def records(self) -> list[Record]:
        """The records that say it, in order: as many as its ranges need."""
        return _split(self)

    def one_record(self) -> Record:
        """The record of what is in this one value; `records` cuts it into parts that fit."""
        body = (
            check_name(self.name), self.part, self.parts, self.size, self.as_of, self.policy, self.wait_days,
            to_flat(self.contents), to_flat(self.rows), self.content_count, self.row_count, self.digest, self.archive,
            self.reason,
        )  # fmt: skip
        return Record(INTENT, body, prune_subject(self.name))

    @classmethod
    def from_record(cls, record: Record) -> PruneIntent:
        """Read one part strictly."""
        match record.body:
            case (
                str() as name, part, parts, size, as_of, policy, wait, contents, rows, content_count, row_count,
                bytes() as digest, archive, str() as reason,
            ):  # fmt: skip
                found = cls(
                    name=name,
                    part=_number(part, "part"),
                    parts=_number(parts, "parts"),
                    size=_number(size, "size"),
                    as_of=_number(as_of, "as of"),
                    policy=_number(policy, "policy"),
                    wait_days=_number(wait, "wait"),
                    contents=from_flat(contents),
                    rows=from_flat(rows),
                    content_count=_number(content_count, "contents"),
                    row_count=_number(row_count, "rows"),
                    digest=_hash(digest, "digest"),
                    archive=None if archive is None else _hash(archive, "archive"),
                    reason=reason,
                )
                return _checked(found, record)
            case _:
                raise DecodeError(f"record {record.kind}: its body does not have the form of that kind")


@frozen(kw_only=True)
class PruneDone:
    """What went. `intent` is the index of the first part of the intent; `kept_contents` and `kept_rows` are what stayed
    of it all the same, under hold or not due any more. Counts and digest are of what was done. `witnessed` are notes
    with the cosignatures that show how long was waited, where the policy names witnesses.
    """

    SETS: ClassVar = ("kept_contents", "kept_rows")

    name: str
    intent: int
    kept_contents: Ranges
    kept_rows: Ranges
    content_count: int
    row_count: int
    digest: bytes
    witnessed: tuple[bytes, ...] = ()
    part: int = 0
    parts: int = 1

    def records(self) -> list[Record]:
        """The records that say it, in order."""
        return _split(self)

    def one_record(self) -> Record:
        """The record of what is in this one value; `records` cuts it into parts that fit."""
        body = (
            check_name(self.name), self.part, self.parts, self.intent, to_flat(self.kept_contents),
            to_flat(self.kept_rows), self.content_count, self.row_count, self.digest, self.witnessed,
        )  # fmt: skip
        return Record(DONE, body, prune_subject(self.name))

    @classmethod
    def from_record(cls, record: Record) -> PruneDone:
        """Read one part strictly."""
        match record.body:
            case (
                str() as name, part, parts, intent, contents, rows, content_count, row_count, bytes() as digest,
                tuple() as witnessed,
            ) if _notes(witnessed):  # fmt: skip
                found = cls(
                    name=name,
                    part=_number(part, "part"),
                    parts=_number(parts, "parts"),
                    intent=_number(intent, "intent"),
                    kept_contents=from_flat(contents),
                    kept_rows=from_flat(rows),
                    content_count=_number(content_count, "contents"),
                    row_count=_number(row_count, "rows"),
                    digest=_hash(digest, "digest"),
                    witnessed=witnessed,
                )
                return _checked(found, record)
            case _:
                raise DecodeError(f"record {record.kind}: its body does not have the form of that kind")


@frozen(kw_only=True)
class Erased:
    """Which tokens (16 bytes) lost their identities and which commitments (32 bytes) their values, or, `restricted`,
    are withheld. `on` is a day (since 1970-01-01 in Asia/Shanghai). Never a value."""

    on: int
    ground: str
    by: str
    tokens: tuple[bytes, ...] = field(default=(), converter=_set)
    commitments: tuple[bytes, ...] = field(default=(), converter=_set)
    restricted: bool = False

    def records(self) -> list[Record]:
        """The records that say it: each names at most 1,024 tokens and commitments."""
        both = [(_TOKEN, one) for one in self.tokens] + [(_COMMITMENT, one) for one in self.commitments]
        if not both:
            raise InputError("nothing is erased: name a token or a commitment")
        some = []
        for at in range(0, len(both), ERASED_MOST):
            here = both[at : at + ERASED_MOST]
            tokens = tuple(one for size, one in here if size == _TOKEN)
            commitments = tuple(one for size, one in here if size == _COMMITMENT)
            some.append(evolve(self, tokens=tokens, commitments=commitments).one_record())
        return some

    def one_record(self) -> Record:
        """The record of what is in this one value; `records` cuts it into parts that fit."""
        body = (self.on, self.ground, self.by, self.tokens, self.commitments, self.restricted)
        return Record(ERASED, body)

    @classmethod
    def from_record(cls, record: Record) -> Erased:
        """Read strictly."""
        match record.body:
            case (on, str() as ground, str() as by, tokens, commitments, bool() as restricted) if (
                record.subject is None and not record.version
            ):
                return cls(
                    on=_number(on, "on"),
                    ground=ground,
                    by=by,
                    tokens=_sorted(tokens, _TOKEN, "tokens"),
                    commitments=_sorted(commitments, _COMMITMENT, "commitments"),
                    restricted=restricted,
                )
            case _:
                raise DecodeError(f"record {record.kind}: its body does not have the form of that kind")


Retained = PruneIntent | PruneDone | Erased
_READERS: dict[str, Callable[[Record], Retained]] = {
    INTENT: PruneIntent.from_record,
    DONE: PruneDone.from_record,
    ERASED: Erased.from_record,
}


def read(record: Record) -> Retained | None:
    """What a record of these kinds says, None for another kind; DecodeError for one that is malformed."""
    reader = _READERS.get(record.kind)
    return None if reader is None else reader(record)


Said = TypeVar("Said", PruneIntent, PruneDone)


def gather(parts: Sequence[Said]) -> Said:
    """The whole of what some neighbouring records say, all parts in order; DecodeError where they do not belong
    together."""
    first = parts[0]
    names: tuple[str, str] = first.SETS
    rest: dict[str, Any] = dict.fromkeys(names, ()) | {"part": 0}
    for number, one in enumerate(parts):
        if one.part != number or evolve(one, **rest) != evolve(first, **rest):
            raise DecodeError(f"pruning {first.name}: part {number} of {first.parts} is missing, or is of another")
    if len(parts) != first.parts:
        raise DecodeError(f"pruning {first.name}: {len(parts)} of {first.parts} parts are there")
    whole: dict[str, Any] = {name: join([getattr(one, name) for one in parts]) for name in names}
    return evolve(first, **whole)


def _split(said: Said) -> list[Record]:
    """Cut the two sets of a whole into parts that fit."""
    names: tuple[str, str] = said.SETS
    room = _ROOM // _ONE_MOST
    some: list[dict[str, Any]] = [{names[0]: (), names[1]: ()}]
    left = room
    for name in names:
        ranges: Ranges = getattr(said, name)
        at = 0
        while at < len(ranges):
            if not left:
                some.append({names[0]: (), names[1]: ()})
                left = room
            here = ranges[at : at + left]
            some[-1][name] = here
            at += len(here)
            left -= len(here)
    if len(some) > _PARTS_MOST:
        raise InputError(f"pruning {said.name}: it is of too many ranges for one; prune in several steps")
    return [evolve(said, part=number, parts=len(some), **one).one_record() for number, one in enumerate(some)]


def _checked(found: Said, record: Record) -> Said:
    """What each part has to be; DecodeError unless it is written in its one spelling."""
    if not _NAME.fullmatch(found.name):
        raise DecodeError(f"record {record.kind}: {found.name!r:.80} cannot name a pruning")
    if not found.part < found.parts <= _PARTS_MOST:
        raise DecodeError(f"record {record.kind}: part {found.part} of {found.parts}")
    again = found.one_record()
    if (record.subject, record.version) != (again.subject, 0):
        raise DecodeError(f"record {record.kind}: its subject is {record.subject!r}, not {again.subject!r}")
    if encoding.pack(again.body) != encoding.pack(record.body):
        raise DecodeError(f"record {record.kind}: it is written in another way than its one")
    return found


def _notes(value: tuple[object, ...]) -> bool:
    """At most two notes, each as long as one may be (format.md section 5.5)."""
    return len(value) <= 2 and all(isinstance(note, bytes) and len(note) <= 8192 for note in value)


def _number(value: object, what: str) -> int:
    if type(value) is not int or not 0 <= value < 1 << 63:
        raise DecodeError(f"{what} is {value!r:.40}, not a number from 0 to 2^63 - 1")
    return value


def _hash(value: object, what: str) -> bytes:
    if not isinstance(value, bytes) or len(value) != 32:
        raise DecodeError(f"{what} is not a byte string of 32 bytes")
    return value


def _sorted(value: Any, size: int, what: str) -> tuple[bytes, ...]:
    if (
        not isinstance(value, tuple)
        or len(value) > ERASED_MOST
        or not all(isinstance(one, bytes) and len(one) == size for one in value)
        or any(a >= b for a, b in pairwise(value))
    ):
        raise DecodeError(f"{what} are not sorted, distinct byte strings of {size} bytes")
    return value
