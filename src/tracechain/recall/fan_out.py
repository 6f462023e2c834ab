"""The fan-out: every unit that a criterion covers, where it is now and who has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from operator import attrgetter

from tracechain.collector import uninterrupted
from tracechain.criteria import Criterion, Lot
from tracechain.custody import CUSTODY_MASK, Custody, is_pack
from tracechain.pilot.register import standing_of
from tracechain.recall.lots import class_names, descendants, lot_units
from tracechain.recall.select import Selection
from tracechain.recall.values import Affected, FanOut
from tracechain.registers import Product
from tracechain.rules.guards import class_of
from tracechain.tracing import Tracer, Unresolved
from tracechain.tracing.locate import CHUNK, Locator
from tracechain.tracing.lots import Lots
from tracechain.view import View, ledger_id

__all__ = ["affected", "fan_out"]

_EXPORTED = int(Custody.EXPORTED)


def fan_out(view: View, criterion: Criterion) -> FanOut:
    """Every unit that a criterion covers, with where it is and who has it, and what could not be told.

    Works on the index, so it costs what it finds and not what the ledger holds. `affected` is the same as a stream.
    """
    units: list[Affected] = []
    unresolved: list[Unresolved] = []
    with uninterrupted():
        for one in affected(view, criterion):
            if isinstance(one, Affected):
                units.append(one)
            else:
                unresolved.append(one)
        units.sort()
    standing = standing_of(view)
    makers = {}
    for product in {class_of(unit.unit) for unit in units}:
        found = standing.find(Product.KIND, product)
        if found is not None and isinstance(found.value, Product):
            makers[product] = found.value.maker
    ledgers = frozenset((ledger_id(view),))
    return FanOut(ledgers, view.size, criterion, tuple(units), tuple(unresolved), makers)


def affected(view: View, criterion: Criterion) -> Iterator[Affected | Unresolved]:
    """The units that a criterion covers, one after the other in the order in which they are found; then what could
    not be told. Holds no more of them in memory than it takes to find each once."""
    tracer = Tracer(view)
    locator = Locator(tracer, Affected)
    selection = Selection(view, tracer)
    exported: Counter[str] = Counter()
    lots = Lots(tracer.containment)
    for units, words, lot in _batches(criterion, tracer, selection):
        with uninterrupted():
            located = locator.locate(units, words, lot)
            if lot is None:
                lot_of = lots.of_many(one.unit for one in located)
                located = [one._replace(lot=lot_of[one.unit]) for one in located]
        exported.update([one.holder or "" for one in located if one.state & CUSTODY_MASK == _EXPORTED])
        yield from located
    if isinstance(criterion, Lot):
        yield from _without_codes(view, criterion)
    for party, count in sorted(exported.items()):
        gone = f"{count} unit{'s' if count != 1 else ''} went abroad: what becomes of them there is not in the data"
        yield Unresolved("left", party, None, gone)
    yield from sorted(selection.unresolved | locator.unresolved, key=attrgetter("order"))


def _batches(
    criterion: Criterion, tracer: Tracer, selection: Selection
) -> Iterator[tuple[Sequence[str], Sequence[tuple[int, int]] | None, str | None]]:
    """(units, their words and their lot if these are known)."""
    if not isinstance(criterion, Lot):
        for units in selection.units(criterion):
            yield units, None, None
        return
    known: list[str] = []
    unresolved = selection.unresolved
    some: list[str] = []
    some_words: list[tuple[int, int]] = []
    for made, words in lot_units(tracer.containment, criterion.product, criterion.lot, unresolved):
        known += made
        some += made
        some_words += words
        if len(some) >= CHUNK:
            yield some, some_words, criterion.lot
            some, some_words = [], []
    if some:
        yield some, some_words, criterion.lot
    # What was made of packs need not be one: goods in bulk may go on into other packs.
    later = sorted(filter(is_pack, descendants(tracer.containment, known, (criterion.product,), unresolved)))
    if later:
        yield later, None, None


def _without_codes(view: View, criterion: Lot) -> Iterator[Unresolved]:
    """A lot may have been handled by class and quantity as well: that names no unit."""
    for name in class_names(criterion.product, criterion.lot):
        unit = view.unit(name)
        if unit is not None:
            yield Unresolved("class", name, unit.last, "it was also handled by class and quantity, without codes")
