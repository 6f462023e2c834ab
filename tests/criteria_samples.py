"""Any criterion, drawn from a small world of ids so that equal ones come."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from tracechain.criteria import (
    ByCarrier,
    ByMaker,
    ByMerchant,
    Codes,
    Commissioned,
    Criterion,
    Lot,
    Measured,
    OfProduct,
    SharedContainer,
    ThroughContainer,
    ThroughPlace,
    all_of,
    any_of,
)

__all__ = ["CASE", "GTIN", "NMPA", "PACK", "STORE", "criteria", "leaves"]

GTIN, NMPA = "01/09521234001072", "nmpa/8123456"
PACK, CASE, STORE = f"{GTIN}/21/BJ000001", "00/095212340000000013", "414/9521234000013"

times = st.integers(-(1 << 63), (1 << 63) - 1)
windows = st.tuples(times, times).map(sorted)
names = st.sampled_from([STORE, CASE, PACK, "carrier-1", "urn:example:x", f"{STORE}/254/17", "01/09521234001073/21/A"])
products = st.sampled_from([GTIN, NMPA])
lots = st.text(st.characters(codec="ascii", min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)
ids = st.integers(0, 99).map(lambda number: f"{GTIN}/21/{number}")
hundredths = st.integers(0, 10_000).map(lambda number: Decimal(number).scaleb(-2))


@st.composite
def through(draw: Any) -> Criterion:
    """A criterion with a window, of which either end may be open."""
    start, stop = draw(windows)
    ends = (draw(st.sampled_from([start, None])), draw(st.sampled_from([stop, None])))
    kind: Any = draw(st.sampled_from([ThroughPlace, ThroughContainer, ByCarrier]))
    found: Criterion = kind(draw(names), *ends)
    return found


@st.composite
def measured(draw: Any) -> Measured:
    """A criterion of measured values."""
    low, high = sorted((draw(hundredths), draw(hundredths)))
    above, below = draw(st.sampled_from([(high, low), (high, None), (None, low)]))
    return Measured(draw(st.sampled_from(["temperature", "humidity"])), above, below, draw(st.integers(0, 1 << 62)))


leaves = st.one_of(
    st.builds(Lot, products, lots),
    st.builds(OfProduct, products),
    st.builds(ByMaker, st.sampled_from(["Example Pharma", "示例药业", "417/9521234000037"])),
    st.builds(ByMerchant, names),
    windows.map(lambda pair: Commissioned(*pair)),
    through(),
    measured(),
    st.builds(SharedContainer, names),
    st.builds(Codes, st.lists(st.one_of(names, ids), min_size=1).map(tuple)),
)
criteria = st.recursive(
    leaves,
    lambda parts: st.one_of(
        st.lists(parts, min_size=1, max_size=4).map(all_of),
        st.lists(parts, min_size=1, max_size=4).map(any_of),
        parts.map(lambda part: ~part),
    ),
    max_leaves=6,
)
