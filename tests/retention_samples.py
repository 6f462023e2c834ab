"""Policies and facts for tests: strategies, and the ready tables together."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tracechain.retention.bounds import After, Anchor, AtLeast, Bound, Earliest, Latest, Permanent
from tracechain.retention.dates import Term
from tracechain.retention.policy import Facts, Policy, Regime, Rule, Selector

#: 1900 to 2200, with the days around leap days more often than they are.
LEAP_DAY = 19_782  # 2024-02-29
DAYS = st.one_of(st.integers(-25_567, 84_006), st.integers(LEAP_DAY - 2, LEAP_DAY + 2))
PRODUCT_CLASSES = ("device", "medicine")
JURISDICTIONS = ("CN", "EU", "US")
FIELDS = ("address", "phone")
CLASSES = tuple(range(7))


def terms() -> st.SearchStrategy[Term]:
    months, days = st.sampled_from((0, 0, 1, 6, 18)), st.sampled_from((0, 0, 30, 180))
    return st.builds(Term, years=st.integers(0, 12), months=months, days=days)


@st.composite
def afters(draw: st.DrawFn) -> After:
    anchor = draw(st.sampled_from(tuple(Anchor)))
    missing = None if anchor is Anchor.RECEIPT else draw(st.none() | terms())
    return After(anchor, draw(terms()), missing)


@st.composite
def bounds(draw: st.DrawFn, *, permanent: bool = True, levels: int = 3, unlike: type[Bound] | None = None) -> Bound:
    """A bound that is none of `unlike`, not too deep."""
    kinds: list[type[Bound]] = [After, After, After]
    if levels > 1:
        kinds += [kind for kind in (Latest, Earliest) if kind is not unlike] + [AtLeast]
    kind = draw(st.sampled_from([*kinds, *([Permanent] if permanent else [])]))
    if kind is Permanent:
        return Permanent()
    if kind is AtLeast:
        return AtLeast(draw(bounds(permanent=False, levels=levels - 1)), draw(afters()))
    if kind is After:
        return draw(afters())
    several: Any = kind
    parts = {draw(bounds(levels=levels - 1, unlike=several)): None for _ in range(draw(st.integers(2, 3)))}
    if len(parts) < 2:
        return draw(afters())
    found: Bound = several(tuple(parts))
    return found


def _some(values: tuple[Any, ...], least: int = 0) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(st.sampled_from(values), min_size=least, max_size=2).map(tuple)


def selectors() -> st.SearchStrategy[Selector]:
    return st.builds(
        Selector, _some(CLASSES), _some(PRODUCT_CLASSES), _some(JURISDICTIONS), st.just(()) | _some(FIELDS, 1)
    )


@st.composite
def rules(draw: st.DrawFn, name: str) -> Rule:
    selector = draw(selectors())
    uppers = [draw(st.none() | bounds(permanent=False)) if selector.fields else None for _ in range(2)]
    keep = draw(bounds() if uppers == [None, None] else st.none() | bounds())
    return Rule(name, draw(st.sampled_from(("S1 VII", "条 19", 'say "so"'))), selector, keep, *uppers)


@st.composite
def regimes(draw: st.DrawFn, name: str) -> Regime:
    return Regime(name, "A title: of it", tuple(draw(rules(f"rule {n}")) for n in range(draw(st.integers(1, 3)))))


@st.composite
def policies(draw: st.DrawFn, most: int = 3) -> Policy:
    several = tuple(draw(regimes(f"regime {n}")) for n in range(draw(st.integers(1, most))))
    return Policy("shop", several, draw(st.integers(1, 60)), draw(st.booleans()))


def facts() -> st.SearchStrategy[Facts]:
    return st.builds(
        Facts, st.sampled_from(CLASSES), st.integers(0, 84_006), st.none() | DAYS,
        st.lists(st.none() | DAYS, max_size=3).map(tuple), st.none() | DAYS, st.none() | DAYS,
        st.none() | st.sampled_from((*PRODUCT_CLASSES, "other")), st.none() | st.sampled_from(JURISDICTIONS),
    )  # fmt: skip
