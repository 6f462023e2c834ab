"""All that a view is asked: what a bundle answers as of a moment is what the live ledger answered then."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from pilot_world import BUYER, OTHER_BUYER
from tracechain.criteria import (
    AnyOf,
    ByCarrier,
    Codes,
    Commissioned,
    Criterion,
    Lot,
    Measured,
    Not,
    OfProduct,
    SharedContainer,
    ThroughContainer,
    ThroughPlace,
)
from tracechain.pilot import alerts, cases, compensations, listing, overdue, stopped, violations
from tracechain.recall import fan_out, progress, recalls
from tracechain.rules import shanghai_day, shanghai_year
from tracechain.testing.samples import PRODUCT
from tracechain.tracing import STOCK_KEYS, Trace, Tracer, stock
from tracechain.view import View, unit_history
from tracing_histories import LEVELS, PLACES

PLACE = next(place for place in PLACES if place is not None)
CRITERIA: tuple[Criterion, ...] = (
    Lot(f"01/{PRODUCT}", "LOT-A7"),
    Not(Lot(f"01/{PRODUCT}", "LOT-A7")),
    Commissioned(0, 1 << 62),
    ThroughPlace(PLACE),
    ThroughContainer(LEVELS[1][0]),
    ByCarrier("urn:example:carrier:other"),
    Measured("temperature", above=8, longer_than=0),
    SharedContainer(LEVELS[0][0]),
    AnyOf((OfProduct(f"01/{PRODUCT}"), Codes((LEVELS[0][0],)))),
)


def index_of(view: View) -> dict[str, Any]:
    """All that the index says."""
    units = dict(view.units())
    # Of years before these no account is kept (format.md section 7.5).
    now = shanghai_year(int.from_bytes((view.header(view.size - 1) or b"")[8:16], "big"))
    containers = [subject for level in LEVELS[1:] for subject in level]
    return {
        "units": units,
        "order": list(units),
        "words": view.words([*units, "urn:example:nothing"]),
        "memories": {subject: view.memory(subject) for subject in units},
        "emptied": {subject: view.emptied(subject) for subject in (*units, *containers)},
        "names": list(view.names("")),
        "mentions": {name: [at for run in view.mentions(name) for at in run] for name in view.names("")},
        "spent": {(who, year): view.spent(who, year) for who in (BUYER, OTHER_BUYER) for year in (now - 1, now)},
        "prefixes": {
            prefix: list(view.subjects(prefix)) for prefix in ("", "0", "01/", "urn:", "urn:tracechain:", "z")
        },
        "some names": {prefix: list(view.names(prefix)) for prefix in ("", "p", "lot", "z")},
    }


def answers(view: View, now: int) -> dict[str, Any]:
    """All that functions over a view say at a moment (ms since 1970), and the index that they go by.

    What a trace holds against the signed tree is left out: of a past moment there is no checkpoint.
    """
    tracer = Tracer(view)
    subjects = [subject for subject, _ in view.units()]
    return {
        "size": view.size,
        "index": index_of(view),
        "histories": {subject: unit_history(view, subject) for subject in subjects},
        "traces": {subject: _bare(tracer.trace(subject)) for subject in subjects},
        "where": {subject: tracer.whereabouts(subject) for subject in subjects},
        "where before": {subject: tracer.whereabouts(subject, (now - 600_000) * 1_000_000) for subject in subjects},
        "stock": stock(view, by=[key for key in STOCK_KEYS if key != "merchant"], all=True),
        "at the place": stock(view, PLACE),
        "recalls of": {repr(one): fan_out(view, one) for one in CRITERIA},
        "recalls": recalls(view),
        "progress": {one.id: progress(view, one.id) for one in recalls(view)},
        "alerts": alerts(view, now),
        "violations": violations(view),
        "cases": cases(view),
        "stopped": stopped(view),
        "compensations": compensations(view),
        "overdue": overdue(view, shanghai_day(now * 1_000_000)),
        "registers": {kind: list(listing(view, kind)) for kind in ("product", "place", "merchant", "carrier")},
    }


def _bare(trace: Trace) -> Trace:
    steps = tuple(evolve(step, findings=()) for step in trace.steps)
    return evolve(trace, steps=steps, findings=(), notes=())
