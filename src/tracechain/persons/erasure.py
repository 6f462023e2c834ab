"""What may be erased of persons, what has to stay and why: a plan, which `Ledger.erase` carries out.

Asked for by a person, everything goes that no rule demands and no hold covers; the rest is withheld from then on. When
all that is due goes, of every person, a value goes when its time is over (`delete_by`), and is withheld when it must
not be used any more (`restrict_after`) or when it should go and cannot.

A value is held against every event that has its commitment, an identity against every event with its token: of lower
and upper bounds the latest event's counts, of holds any. A value that no kept event has a commitment to has
lost what it was kept for; as it may be on its way into the log, it becomes due only some days after it was put.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from attrs import define, frozen

from tracechain.custody import EXPIRY_SHIFT, is_pack
from tracechain.encoding import pack, unpack_known
from tracechain.entry import SALT_SIZE
from tracechain.errors import DataError, InputError
from tracechain.persons.finding import Personal, Progress, personal
from tracechain.private import TOKEN_SIZE
from tracechain.retention.dates import format_day, shanghai_day
from tracechain.retention.holding import Hold, Holding, holds_in, product_of
from tracechain.retention.keeping import NO_PACK
from tracechain.retention.plan import policy_in_force
from tracechain.retention.policy import FieldBounds, Kept, Policy
from tracechain.retention.terms import Key, Terms
from tracechain.store import Kept as Standing
from tracechain.store import Vault
from tracechain.store.vault import Surveyed
from tracechain.view import View

__all__ = ["IDENTITY", "ErasurePlan", "Judged", "Verdict", "field_commitment", "plan_erasure"]

#: What rules call the identity behind a token; private fields they call by their names.
IDENTITY = "identity"
#: Days that a value which no entry names stays in any case, where no policy says how long things wait.
_GRACE = 30
_NANOS = 1_000_000
_MANY = 1 << 16


class Verdict(StrEnum):
    """What becomes of a value."""

    ERASE = "erase"
    #: It has to stay, and is not to be used.
    RESTRICT = "restrict"
    KEEP = "keep"


@frozen
class Judged:
    """A value and what becomes of it. `key` is a token or a commitment, `field` IDENTITY or the field's name, `index`
    the latest event that it is held against. `reason` is the sentence; `rule` the rule it comes from, or `hold`."""

    key: bytes
    token: bytes | None
    field: str
    index: int | None
    verdict: Verdict
    reason: str
    #: Whether it is withheld already.
    withheld: bool = False
    rule: Kept | None = None
    hold: Hold | None = None
    #: Rules demand that it stays longer than rules allow to use it.
    crossing: bool = False


@frozen
class ErasurePlan:
    """What becomes of the values that were asked about, as of a day and a log of `size` entries."""

    size: int
    as_of: int
    judged: tuple[Judged, ...]

    def of(self, verdict: Verdict) -> tuple[Judged, ...]:
        """Those with this verdict."""
        return tuple(one for one in self.judged if one.verdict == verdict)

    def by_reason(self) -> list[tuple[Verdict, str, int]]:
        """(verdict, reason, how many), the most first."""
        counted = Counter((one.verdict, one.reason) for one in self.judged)
        return sorted(
            ((verdict, reason, count) for (verdict, reason), count in counted.items()),
            key=lambda row: (list(Verdict).index(row[0]), -row[2], row[1]),
        )


def field_commitment(view: View, index: int, name: str) -> bytes:
    """The commitment of a private field of an event; InputError where there is none."""
    for one in personal(view, start=max(index, 0), stop=index + 1):
        for named, commitment in one.fields:
            if named == name:
                return commitment
    raise InputError(f"entry {index} has no private field {name!r:.100}, or its content is not kept")


def plan_erasure(
    view: View,
    vault: Vault,
    *,
    as_of: int,
    tokens: Iterable[bytes] = (),
    commitments: Iterable[bytes] = (),
    due: bool = False,
    policy: Policy | None = None,
    holding: Holding | None = None,
    progress: Progress | None = None,
) -> ErasurePlan:
    """What may be erased, and what may not, as of a day (since 1970-01-01 in Asia/Shanghai).

    `tokens`: persons, each with the identity and all private values. `commitments`: single values. `due`: all that
    there is, as far as its time is over. `policy` and `holding` are those in force in the view unless they are given.
    Nothing is changed, and nothing of a value is in the plan. Reads the log once.
    """
    asked_tokens, asked = set(tokens), set(commitments)
    if due == bool(asked_tokens or asked):
        raise InputError("name persons or values, or ask for all that is due: one of the two")
    in_force = policy_in_force(view) if policy is None else None
    policy = policy if in_force is None else in_force[1]
    holding = holds_in(view) if holding is None else holding
    known = {one.key: one for one in vault.survey()}
    for key in sorted(asked - set(known)):
        if vault.standing(key) == Standing.UNKNOWN:
            raise InputError(f"no value is kept under {key.hex()}, nor was one erased: nothing to erase")
    judge = _Judge(view, policy, holding, as_of)
    if due:
        bounds = judge.judge(known, personal(view, progress))[0]
    else:
        keys = {key for key, one in known.items() if key in asked or one.token in asked_tokens}
        bounds = _asked(view, judge, known, asked_tokens, keys, progress)
    grace = _GRACE if policy is None else policy.wait_days
    judged = []
    for key, found in bounds.items():
        one = known[key]
        verdict = found.judge(as_of, due=due, put=shanghai_day(one.since), grace=grace)
        judged.append(Judged(key, one.token, found.field, found.index, withheld=one.withheld, **verdict))
    judged.sort(key=lambda one: (one.token or b"", len(one.key) != TOKEN_SIZE, one.field, one.key))
    return ErasurePlan(view.size, as_of, tuple(judged))


def _asked(
    view: View,
    judge: _Judge,
    known: Mapping[bytes, Surveyed],
    tokens: set[bytes],
    keys: set[bytes],
    progress: Progress | None,
) -> dict[bytes, _Bounds]:
    """What events say of some persons and values. Of a person are the values, too, that hang on an event with the token
    and that the vault knows nobody for; where there are any, the log is read once more for all their events."""
    while True:
        some = {key: known[key] for key in keys}
        bounds, beside = judge.judge(some, personal(view, progress, of=tokens | keys))
        more = {
            commitment
            for token, commitment in beside
            if token in tokens and commitment in known and known[commitment].token is None
        }
        if more <= keys:
            return bounds
        keys |= more


@define
class _Bounds:
    """What all events so far say of one value."""

    field: str
    index: int | None = None
    keep: Kept | None = None
    delete: Kept | None = None
    restrict: Kept | None = None
    crossing: bool = False
    hold: Hold | None = None
    #: What was taken last: most events of a person say the same.
    said: FieldBounds | None = None

    def take(self, index: int, said: FieldBounds | None, hold: Hold | None) -> None:
        """Take what the next event says: of days the later one counts, of holds the first."""
        self.index = index
        self.hold = self.hold or hold
        if said is not None and said is not self.said:
            self.said = said
            self.keep = _later(self.keep, said.keep_until)
            self.delete = _later(self.delete, said.delete_by)
            self.restrict = _later(self.restrict, said.restrict_after)
            self.crossing |= said.crossing

    def judge(self, today: int, *, due: bool, put: int, grace: int) -> dict[str, Any]:
        """Verdict, reason and what it comes from."""
        if self.hold is not None and not due:
            return self._held(self.hold)
        if self.index is None:
            if not due:
                return _said(Verdict.ERASE, "asked for; no entry that is kept names it")
            if today <= put + grace:
                return _said(Verdict.KEEP, f"no entry names it yet; one may come within {grace} days")
            if self.hold is not None:
                return self._held(self.hold)
            return _said(Verdict.ERASE, f"no entry that is kept names it, and none came within {grace} days")
        over = self.delete is not None and self.delete.due(today)
        unused = over or (self.restrict is not None and self.restrict.due(today))
        if due and not unused:
            first = _earlier(self.restrict, self.delete)
            if first is None:
                return _said(Verdict.KEEP, "no rule says when it has to go")
            return _said(Verdict.KEEP, f"in use until {_until(first)}", rule=first)
        if self.hold is not None:
            return self._held(self.hold)
        if self.keep is not None and not self.keep.due(today):
            return _said(
                Verdict.RESTRICT, f"has to be kept until {_until(self.keep)}", rule=self.keep, crossing=self.crossing
            )
        if due and not over:
            return _said(Verdict.RESTRICT, f"not to be used after {_until(self.restrict)}", rule=self.restrict)
        if due:
            return _said(Verdict.ERASE, f"its time was over on {_until(self.delete)}", rule=self.delete)
        return _said(
            Verdict.ERASE, "asked for; no rule demands it any more" if self.keep else "asked for", rule=self.keep
        )

    @staticmethod
    def _held(hold: Hold) -> dict[str, Any]:
        until = "" if hold.until is None else f", until {format_day(hold.until)}"
        return _said(Verdict.RESTRICT, f"under {hold.kind} {hold.id}{until}", hold=hold)


class _Judge:
    """Asks policy and holds about events; what is the same of many is asked once."""

    def __init__(self, view: View, policy: Policy | None, holding: Holding, as_of: int) -> None:
        self._view = view
        self._terms = None if policy is None else Terms(policy, holding.files)
        self._holding = holding
        self._as_of = as_of
        self._holds = bool(holding.standing_on(as_of))
        self._said: dict[tuple[Key, str], FieldBounds] = {}

    def judge(
        self, known: Mapping[bytes, Surveyed], events: Iterable[Personal]
    ) -> tuple[dict[bytes, _Bounds], set[tuple[bytes, bytes]]]:
        """What these events say of the values that hang on them; and (token, commitment) of all others."""
        bounds = {
            key: _Bounds(IDENTITY if one.name is None else one.name, hold=self._hold_of(one.token))
            for key, one in known.items()
        }
        beside: set[tuple[bytes, bytes]] = set()
        for one in events:
            token = one.token
            values = [] if token is None or token not in bounds else [bounds[token]]
            for _, commitment in one.fields:
                if commitment in bounds:
                    values.append(bounds[commitment])
                elif token is not None:
                    beside.add((token, commitment))
            if values:
                self._take(one, values)
        return bounds, beside

    def _hold_of(self, token: bytes | None) -> Hold | None:
        """A hold on the person by the token, which needs no event: as if there were one with nothing else in it."""
        return None if token is None or not self._holds else self._holding.covers((), pack(token), self._as_of)

    def _take(self, one: Personal, values: list[_Bounds]) -> None:
        """Let an event count for the values that hang on it."""
        rows = _rows(self._view, one.index)
        hold = None
        if self._holds:
            hold = self._holding.covers([subject for subject, _ in rows], one.part[SALT_SIZE:], self._as_of)
        if self._terms is None:
            for value in values:
                value.take(one.index, None, hold)
            return
        header = self._view.header(one.index)
        if header is None:
            raise DataError(f"entry {one.index}: its header is missing; run `tracechain verify`")
        received = shanghai_day(int.from_bytes(header[8:16], "big"))  # format.md section 2
        packs = frozenset(
            (product_of(subject) or "", state >> EXPIRY_SHIFT if is_pack(subject) else NO_PACK)
            for subject, state in rows
            if is_pack(subject) or product_of(subject) is not None
        )
        key = int.from_bytes(header[16:18], "big"), received, shanghai_day(one.time // _NANOS), packs
        for value in values:
            value.take(one.index, self._ask(key, value.field), hold)

    def _ask(self, key: Key, name: str) -> FieldBounds:
        found = self._said.get((key, name))
        if found is None:
            assert self._terms is not None
            if len(self._said) >= _MANY:
                self._said.clear()
            merged = _Bounds(name)
            for facts in self._terms.facts(key):
                merged.take(0, self._terms.policy.fields(facts, name), None)
            found = self._said[key, name] = FieldBounds(merged.keep, merged.delete, merged.restrict, merged.crossing)
        return found


def _rows(view: View, index: int) -> list[tuple[str, int]]:
    """(subject, state after) of an entry's rows; what is not kept says nothing."""
    part = view.rows(index)
    if part is None:
        return []
    value: Any = unpack_known(part[SALT_SIZE:])
    return [
        (group[0] + suffix, state)
        for group in value[1:]
        for suffix, state in zip(group[1::5], group[4::5], strict=True)
    ]


def _said(
    verdict: Verdict, reason: str, *, rule: Kept | None = None, hold: Hold | None = None, crossing: bool = False
) -> dict[str, Any]:
    return {"verdict": verdict, "reason": reason, "rule": rule, "hold": hold, "crossing": crossing}


def _until(kept: Kept | None) -> str:
    assert kept is not None
    day = "for ever" if kept.day is None else format_day(kept.day)
    return f"{day}: {kept.rule}, {kept.clause}" if kept.clause else f"{day}: {kept.rule}"


def _later(one: Kept | None, other: Kept | None) -> Kept | None:
    if one is None or other is None:
        return one or other
    return other if other.order > one.order else one


def _earlier(one: Kept | None, other: Kept | None) -> Kept | None:
    if one is None or other is None:
        return one or other
    return other if other.order < one.order else one
