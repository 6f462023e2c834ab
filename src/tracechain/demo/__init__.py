"""A day at a bonded warehouse, made up from fixed seeds: what `tracechain demo` ingests.

Pure: `make_day(scale)` gives the files as values (name, bytes, what is in them); the same scale gives the same bytes.
`make_registry(day)` gives what the registers know of it.

    world      who and what takes part           makers      what the makers send
    units      packs, cases and pallets          earlier     what happened before the day
    rows       what a scanner reports            shop        orders, sales, deliveries, returns
    sale       the trail of a purchase           bonded      work under bond
    recalled   a lot that is recalled at midday    buyers    who gets the first parcels, and what is known of them
    files      the files and what is in them     violations  what goes wrong, and what has to be said of it
    day        all of it together                registry    products, parties, places, measures, cases
"""

from tracechain.demo.buyers import Buyer, vault_file
from tracechain.demo.day import Breach, Day, DayFile, Recall, Station, StepCount, Story, make_day
from tracechain.demo.registry import RegisterFile, Registry, later_cases, make_registry
from tracechain.demo.world import ENTERPRISE, MAKERS, PRODUCTS, Maker, Product

__all__ = [
    "ENTERPRISE",
    "MAKERS",
    "PRODUCTS",
    "Breach",
    "Buyer",
    "Day",
    "DayFile",
    "Maker",
    "Product",
    "Recall",
    "RegisterFile",
    "Registry",
    "Station",
    "StepCount",
    "Story",
    "later_cases",
    "make_day",
    "make_registry",
    "vault_file",
]
