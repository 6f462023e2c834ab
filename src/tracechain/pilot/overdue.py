"""What the registers say has run out, and what in them falls short of what the pilot demands.

A due day is still good; the day after is overdue. Nothing of this stops a sale by itself (what does is a rule): it is
what somebody has to look after.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta

from attrs import frozen

from tracechain.entry import parse_header
from tracechain.errors import DataError
from tracechain.pilot.cases import cases
from tracechain.pilot.register import listing, standing_of
from tracechain.registers import Carrier, Document, Enterprise, Merchant, Place, Product, Profile
from tracechain.rules import Registered, shanghai_day
from tracechain.view import View

__all__ = ["Overdue", "overdue"]


@frozen
class Overdue:
    """Something of a register subject (`kind`, `id`) that somebody has to look after.

    `due` was the day and `days` have passed since; both are None and 0 for what is not late but does not suffice.
    `what` says what it is, `clause` where that is demanded, `entry` is the record that it stands in.
    """

    kind: str
    id: str
    what: str
    due: date | None
    days: int
    clause: str
    entry: int


def overdue(view: View, today: date, *, as_of: int | None = None) -> tuple[Overdue, ...]:
    """Everything that is overdue on a day, or unfit, in order of kind and id, as of a receipt time (ms).

    Files to verify again, documents, assessments and licences that ran out, steps of open cases; zone warehouses that
    are too small or have too few managers, and an enterprise without its two qualifications (R11). A ledger without a
    profile has no limits, so only what names its own day is found. Reads each subject of these registers once.
    """
    profile = standing_of(view, as_of=as_of).profile
    found: list[Overdue] = []
    for kind in (Carrier.KIND, Enterprise.KIND, Merchant.KIND, Place.KIND, Product.KIND):
        for name, registered in listing(view, kind, as_of):
            if registered.value is not None:
                found += _of(view, kind, name, registered, profile, today)
    for case in cases(view, as_of):
        due, step = case.due, case.steps[-1]
        if due is not None and case.overdue(today):
            clause = "S1 VIII(1)" if case.type == "inspection" else "S1 III(1)4"
            found.append(
                Overdue("case", case.id, f"{case.type}: next step", due, (today - due).days, clause, step.index)
            )
    return tuple(sorted(found, key=lambda one: (one.kind, one.id, one.what, one.due or date.max)))


def _of(
    view: View, kind: str, name: str, registered: Registered, profile: Profile | None, today: date
) -> Iterator[Overdue]:
    """What is overdue or unfit of one subject."""
    entry = registered.index

    def late(what: str, due: date | None, clause: str) -> Iterator[Overdue]:
        if due is not None and due < today:
            yield Overdue(kind, name, what, due, (today - due).days, clause, entry)

    def unfit(what: str, clause: str) -> Overdue:
        return Overdue(kind, name, what, None, 0, clause, entry)

    match registered.value:
        case Product() as one:
            yield from late("verify the file again", _again(one.verified_on, one.verify_by, profile), "S1 VII")
            if one.introduction is None:
                yield unfit("no introduction in Chinese", "S1 IV(2)")
            if one.quality is None:
                yield unfit("no quality control requirements", "S1 IV(2)")
        case Merchant() as one:
            again = _again(_recorded(view, entry), one.verify_by, profile)
            yield from late("verify the merchant again", again, "S1 VII")
            yield from _documents(one.documents, late, "S1 VII, VIII(4)1")
        case Carrier() as one:
            again = _again(one.assessed_on, one.valid_until, profile)
            yield from late("assess the carrier again", again, "S1 VI")
        case Enterprise() as one:
            yield from late("verify the enterprise again", one.verify_by, "S1 III(1)")
            yield from _documents(one.qualifications, late, "S1 III(1)")
            if one.platform is None:
                yield unfit("no registration as a cross-border e-commerce platform", "S1 III(1); S0")
            if one.device_trading is None:
                yield unfit("no registration as a trading platform for medical devices", "S1 III(1); S0")
        case Place() as one if one.closed_on is None or today < one.closed_on:
            yield from late("renew the licence", one.licensed_until, "S4 Part 2")
            if one.type == "zone-warehouse" and profile is not None:
                if one.area is None or one.area < profile.warehouse_area:
                    area = "no area is registered" if one.area is None else f"{one.area} square metres"
                    yield unfit(f"{area}: at least {profile.warehouse_area} are needed", "S1 VI")
                if one.managers is None or one.managers <= profile.warehouse_managers:
                    managers = "no managers are registered" if one.managers is None else f"{one.managers} managers"
                    yield unfit(f"{managers}: more than {profile.warehouse_managers} are needed", "S1 VI")


def _documents(
    documents: Iterable[Document], late: Callable[[str, date | None, str], Iterator[Overdue]], clause: str
) -> Iterator[Overdue]:
    for document in documents:
        yield from late(f"renew the document {document.name!r}", document.valid_until, clause)


def _again(last: date, stated: date, profile: Profile | None) -> date:
    """When a file is to be verified again: as it says, and no later than the profile allows after the last time."""
    if profile is None:
        return stated
    try:
        return min(stated, last + timedelta(days=profile.reverify_days))
    except OverflowError:
        return stated


def _recorded(view: View, index: int) -> date:
    """The day on which an entry was received: a new version of a merchant is a new verification."""
    header = view.header(index)
    if header is None:
        raise DataError(f"entry {index}: its header is missing; verify the ledger")
    return shanghai_day(parse_header(header).time * 1_000_000)
