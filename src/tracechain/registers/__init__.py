"""Registers: what the pilot has to know and to prove about products, parties, places and orders, as typed records.

Each class is frozen and has four spellings: the value, the `Record` in the log (`record`, `from_record`), and the
object of a TOML or JSON file (`from_mapping`, `mapping`). Every registered subject has a chain of its own in the log,
`urn:tracechain:<kind>:<id>`, so "what did the register say on that day" is a walk along a chain. Nothing is judged
here: that a merchant is suspended is a fact, and what follows from it is a rule's.

    products: Product, Shield            parties: Merchant, Suspension, Readmission, Enterprise, Carrier
    places: Place                        scope: Scope             dossier: Dossier
    measures: Stop, Resumption           cases: CaseStep          recalls: RecallStep
    holds: HoldStep                      profile: Profile
"""

from tracechain.registers.cases import CASE_TYPES, PHASES, CaseStep
from tracechain.registers.dossier import SECTIONS, Dossier
from tracechain.registers.fields import Document, Register, subject_of
from tracechain.registers.files import load
from tracechain.registers.holds import HOLD_PHASES, HoldStep
from tracechain.registers.kinds import KINDS, kind_class, read
from tracechain.registers.measures import TARGET_KINDS, Resumption, Stop
from tracechain.registers.parties import (
    RESULTS,
    SUSPENSION_GROUNDS,
    Carrier,
    Enterprise,
    Merchant,
    Readmission,
    Suspension,
)
from tracechain.registers.places import PLACE_TYPES, Place
from tracechain.registers.products import CATEGORIES, SCREENINGS, Product, Shield
from tracechain.registers.profile import Profile
from tracechain.registers.recalls import RECALL_CLASSES, RECALL_PHASES, RecallStep
from tracechain.registers.scope import Scope

__all__ = [
    "CASE_TYPES",
    "CATEGORIES",
    "HOLD_PHASES",
    "KINDS",
    "PHASES",
    "PLACE_TYPES",
    "RECALL_CLASSES",
    "RECALL_PHASES",
    "RESULTS",
    "SCREENINGS",
    "SECTIONS",
    "SUSPENSION_GROUNDS",
    "TARGET_KINDS",
    "Carrier",
    "CaseStep",
    "Document",
    "Dossier",
    "Enterprise",
    "HoldStep",
    "Merchant",
    "Place",
    "Product",
    "Profile",
    "Readmission",
    "RecallStep",
    "Register",
    "Resumption",
    "Scope",
    "Shield",
    "Stop",
    "Suspension",
    "kind_class",
    "load",
    "read",
    "subject_of",
]
