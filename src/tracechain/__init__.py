"""tracechain: an append-only, signed, verifiable traceability ledger for medical packs — one object, one code.

The way of the data:

    scan or EPCIS document -> Event -> content -> statement -> header with rows -> log -> checkpoint -> one commit
    Ledger.snapshot() -> View -> a pure function (verify, replay, ...) -> a value

`docs/format.md` is the format, the README the way in.
"""

from tracechain.event import (
    AggregationEvent,
    AssociationEvent,
    Event,
    ObjectEvent,
    TransactionEvent,
    TransformationEvent,
)
from tracechain.ledger import Ledger, Receipt, verify_ledger
from tracechain.record import Record
from tracechain.replay import MemoryView, replay
from tracechain.signing import FileSigner, PublicKey, Signer
from tracechain.station import Station
from tracechain.verification import Finding, Report, verify, verify_unit
from tracechain.view import Unit, View

__all__ = [
    "AggregationEvent",
    "AssociationEvent",
    "Event",
    "FileSigner",
    "Finding",
    "Ledger",
    "MemoryView",
    "ObjectEvent",
    "PublicKey",
    "Receipt",
    "Record",
    "Report",
    "Signer",
    "Station",
    "TransactionEvent",
    "TransformationEvent",
    "Unit",
    "View",
    "replay",
    "verify",
    "verify_ledger",
    "verify_unit",
]

__version__ = "0.1.0"
