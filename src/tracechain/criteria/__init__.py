"""Criteria: which packs a recall is about, as values that compose with `&`, `|` and `~`.

values: the classes, and their plain form for records
"""

from tracechain.criteria.values import (
    MAX_CODES,
    MAX_DEPTH,
    MAX_SIZE,
    AllOf,
    AnyOf,
    ByCarrier,
    ByMaker,
    ByMerchant,
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
    all_of,
    any_of,
    from_plain,
    to_plain,
)

__all__ = [
    "MAX_CODES",
    "MAX_DEPTH",
    "MAX_SIZE",
    "AllOf",
    "AnyOf",
    "ByCarrier",
    "ByMaker",
    "ByMerchant",
    "Codes",
    "Commissioned",
    "Criterion",
    "Lot",
    "Measured",
    "Not",
    "OfProduct",
    "SharedContainer",
    "ThroughContainer",
    "ThroughPlace",
    "all_of",
    "any_of",
    "from_plain",
    "to_plain",
]
