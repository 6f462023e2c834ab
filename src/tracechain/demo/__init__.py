"""A day at a bonded warehouse, made up from fixed seeds: what `tracechain demo` ingests.

Pure: `make_day(scale)` gives the files as values (name, bytes, what is in them); the same scale gives the same bytes.
`world` holds who and what takes part, `units` the packs, cases and pallets, `day` what happens to them.
"""

from tracechain.demo.day import Day, DayFile, Station, StepCount, Story, make_day
from tracechain.demo.world import MAKERS, PRODUCTS, Maker, Product

__all__ = [
    "MAKERS",
    "PRODUCTS",
    "Day",
    "DayFile",
    "Maker",
    "Product",
    "Station",
    "StepCount",
    "Story",
    "make_day",
]
