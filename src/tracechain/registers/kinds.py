"""Which kinds of records are registers, and the one way to read any of them."""

from __future__ import annotations

import difflib

from tracechain.errors import InputError
from tracechain.record import Record
from tracechain.registers.cases import CaseStep
from tracechain.registers.dossier import Dossier
from tracechain.registers.fields import Register
from tracechain.registers.holds import HoldStep
from tracechain.registers.measures import Resumption, Stop
from tracechain.registers.parties import Carrier, Enterprise, Merchant, Readmission, Suspension
from tracechain.registers.places import Place
from tracechain.registers.products import Product, Shield
from tracechain.registers.profile import Profile
from tracechain.registers.recalls import RecallStep
from tracechain.registers.scope import Scope

__all__ = ["KINDS", "kind_class", "read"]

_CLASSES: tuple[type[Register], ...] = (
    Product,
    Shield,
    Merchant,
    Suspension,
    Readmission,
    Enterprise,
    Place,
    Carrier,
    Scope,
    Dossier,
    Stop,
    Resumption,
    CaseStep,
    RecallStep,
    HoldStep,
    Profile,
)
KINDS: dict[str, type[Register]] = {one.KIND: one for one in _CLASSES}


def kind_class(kind: str) -> type[Register]:
    """The class of a kind; InputError names the nearest one for a kind that is none."""
    if (found := KINDS.get(kind)) is not None:
        return found
    close = difflib.get_close_matches(kind, KINDS, 1)
    hint = f"did you mean {close[0]!r}?" if close else "registers are " + ", ".join(KINDS)
    raise InputError(f"{kind!r} is no kind of register: {hint}")


def read(record: Record) -> Register | None:
    """The value that a record states, None where its kind is no register's. DecodeError names kind and field."""
    found = KINDS.get(record.kind)
    return None if found is None else found.from_record(record)
