"""Which rules can want a personal field both kept and gone, whatever the dates (docs/format.md section 5.9).

Told from the bounds alone: terms after the same anchor can be compared, terms after different anchors depend on the
dates of an entry. So a policy can be looked through before any entry is there. What is said is on the safe side: where
neither "never" nor "always" is certain, it depends.
"""

from __future__ import annotations

from attrs import frozen

from tracechain.retention.bounds import After, Anchor, AtLeast, Bound, Earliest, Latest, Permanent
from tracechain.retention.dates import Term

__all__ = ["Crossing", "always_later", "never_later"]


@frozen
class Crossing:
    """A field that one rule (`regime`, `rule`) wants gone may have to be kept longer by another (`keep_regime`,
    `keep_rule`): for any dates if `always`, else for some. The field is then restricted until it may go."""

    regime: str
    rule: str
    keep_regime: str
    keep_rule: str
    fields: tuple[str, ...]
    always: bool

    def __str__(self) -> str:
        when = "always" if self.always else "for some dates"
        return (
            f"{', '.join(self.fields)}: {self.regime}, {self.rule!r} wants it gone {when} before {self.keep_regime},"
            f" {self.keep_rule!r} lets it go: restricted in between"
        )


def never_later(keep: Bound, limit: Bound) -> bool:
    """Whether `keep` is certain to come no later than `limit`, for all dates and packs."""
    if _for_ever(limit):
        return True
    if _for_ever(keep):
        return False
    if (parts := _latest_of(keep)) is not None:
        return all(never_later(part, limit) for part in parts)
    if isinstance(limit, Earliest):
        return all(never_later(keep, part) for part in limit.parts)
    if isinstance(keep, Earliest):
        # A part that hangs on a pack is left out where there is none; the others then have to do.
        certain = [never_later(part, limit) for part in keep.parts]
        return all(certain) or any(
            one and not _hangs_on_pack(part) for one, part in zip(certain, keep.parts, strict=True)
        )
    if (parts := _latest_of(limit)) is not None:
        return any(never_later(keep, part) for part in parts)
    assert isinstance(keep, After)
    assert isinstance(limit, After)
    if _anchor(keep) is not _anchor(limit) or not _no_longer(keep.term, limit.term):
        return False
    if keep.anchor is Anchor.RECEIPT or limit.missing is None:
        return True
    return keep.missing is not None and _no_longer(keep.missing, limit.missing)


def always_later(keep: Bound, limit: Bound) -> bool:
    """Whether `keep` is certain to come later than `limit`, for all dates for which both come to something."""
    if _for_ever(limit):
        return False
    if _for_ever(keep):
        return True
    if (parts := _latest_of(limit)) is not None:
        return all(always_later(keep, part) for part in parts)
    if isinstance(keep, Earliest):
        return all(always_later(part, limit) for part in keep.parts)
    if (parts := _latest_of(keep)) is not None:
        return any(always_later(part, limit) and (not _hangs_on_pack(part) or _hangs_on_pack(limit)) for part in parts)
    if isinstance(limit, Earliest):
        return any(always_later(keep, part) and _certain(part) for part in limit.parts)
    assert isinstance(keep, After)
    assert isinstance(limit, After)
    if _anchor(keep) is not _anchor(limit) or not _longer(keep.term, limit.term):
        return False
    if keep.anchor is Anchor.RECEIPT or limit.missing is None or keep.missing is None:
        return True
    return _longer(keep.missing, limit.missing)


def _for_ever(bound: Bound) -> bool:
    """Whether it never comes to a day, whatever is known of an entry."""
    if isinstance(bound, Earliest):
        return all(map(_for_ever, bound.parts))
    parts = _latest_of(bound)
    return isinstance(bound, Permanent) if parts is None else any(map(_for_ever, parts))


def _latest_of(bound: Bound) -> tuple[Bound, ...] | None:
    if isinstance(bound, Latest):
        return bound.parts
    return (bound.bound, bound.least) if isinstance(bound, AtLeast) else None


def _anchor(after: After) -> Anchor:
    """The anchor; a transaction is an event."""
    return Anchor.EVENT if after.anchor is Anchor.TRANSACTION else after.anchor


def _hangs_on_pack(bound: Bound) -> bool:
    """Whether nothing of it is left where there is no pack."""
    if isinstance(bound, After):
        return bound.anchor is Anchor.EXPIRY
    if isinstance(bound, AtLeast):
        return _hangs_on_pack(bound.bound) and _hangs_on_pack(bound.least)
    return isinstance(bound, Latest | Earliest) and all(map(_hangs_on_pack, bound.parts))


def _certain(bound: Bound) -> bool:
    """Whether it comes to a day, with a pack and without, whatever is known of the entry."""
    if isinstance(bound, After):
        return bound.anchor is Anchor.RECEIPT or (bound.anchor is not Anchor.EXPIRY and bound.missing is not None)
    parts = bound.parts if isinstance(bound, Earliest) else _latest_of(bound) or ()
    return bool(parts) and all(map(_certain, parts))


def _no_longer(term: Term, other: Term) -> bool:
    """Whether a day and `term` is never after the same day and `other`."""
    months, days = other.total_months - term.total_months, other.days - term.days
    return -days <= _least(months) if months >= 0 else days >= _most(-months)


def _longer(term: Term, other: Term) -> bool:
    """Whether a day and `term` is always after the same day and `other`."""
    months, days = term.total_months - other.total_months, term.days - other.days
    return -days < _least(months) if months >= 0 else days > _most(-months)


# Months are 146,097 / 4,800 days long on the average; where they lie, and the last day of a short month, make less than
# five days of a difference, leap years of centuries included.
def _least(months: int) -> int:
    return months * 146_097 // 4800 - 5 if months else 0


def _most(months: int) -> int:
    return months * 146_097 // 4800 + 6 if months else 0
