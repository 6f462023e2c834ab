"""Criteria: which packs a recall is about, as values that compose with `&`, `|` and `~`.

values: the classes               plain: their form in records
files: their form in JSON files   words: what they say, in English and Chinese
"""

from tracechain.criteria.files import from_json, to_json
from tracechain.criteria.plain import from_plain, to_plain
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
)
from tracechain.criteria.words import Language, in_words

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
    "Language",
    "Lot",
    "Measured",
    "Not",
    "OfProduct",
    "SharedContainer",
    "ThroughContainer",
    "ThroughPlace",
    "all_of",
    "any_of",
    "from_json",
    "from_plain",
    "in_words",
    "to_json",
    "to_plain",
]
