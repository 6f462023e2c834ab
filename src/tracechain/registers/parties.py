"""Who takes part: settled merchants, the pilot enterprise, carriers."""

from __future__ import annotations

from typing import Annotated, ClassVar, TypeAlias

from attrs import frozen

from tracechain.registers.fields import (
    Country,
    Day,
    Digest,
    Documents,
    Id,
    Name,
    Register,
    Text,
)
from tracechain.registers.forms import Choice, Items, Words

__all__ = ["RESULTS", "SUSPENSION_GROUNDS", "Carrier", "Enterprise", "Merchant", "Readmission", "Suspension"]

#: S1 IV(3)1 to 4, in this order.
SUSPENSION_GROUNDS = ("scope-exceeded", "false-information", "overseas-suspension", "safety-risk")
RESULTS = ("passed", "failed")

Ground: TypeAlias = Annotated[str, Choice(SUSPENSION_GROUNDS)]
Result: TypeAlias = Annotated[str, Choice(RESULTS)]
# Merchants are admitted only on conditions (S1 VIII(4)1): without one there is nothing to admit on.
Conditions: TypeAlias = Annotated[
    tuple[str, ...], Items(Words("a text of one line", 2048), ordered=True, least=1, most=64)
]


@frozen(kw_only=True)
class Merchant(Register):
    """A settled enterprise and what it was admitted on (S1 IV(1), IV(2), VII; conditions S1 VIII(4)1).

    `agreement` is the digest of the settlement agreement, `conditions` are the admission conditions that it met,
    `documents` its qualifications, `verify_by` the day by which they have to be verified again.
    """

    KIND: ClassVar[str] = "merchant"
    CHAIN = ("merchant", "id")

    id: Id
    name: Name
    country: Country
    agreement: Digest
    agreed_on: Day
    conditions: Conditions
    documents: Documents = ()
    admitted_on: Day
    verify_by: Day

    def contradictions(self) -> list[str]:
        """It is verified again after it was admitted."""
        if self.verify_by < self.admitted_on:
            return [f"verify_by is {self.verify_by}: it must not be before admitted_on, {self.admitted_on}"]
        return []


@frozen(kw_only=True)
class Suspension(Register):
    """Service for a merchant stops at once, with the ground, and is reported (S1 IV(3)1 to 4)."""

    KIND: ClassVar[str] = "merchant-suspended"
    CHAIN = ("merchant", "merchant")

    merchant: Id
    ground: Ground
    reason: Text
    on: Day
    reported_to: Name


@frozen(kw_only=True)
class Readmission(Register):
    """Service for a suspended merchant goes on (the end of what S1 IV(3) began)."""

    KIND: ClassVar[str] = "merchant-readmitted"
    CHAIN = ("merchant", "merchant")

    merchant: Id
    reason: Text
    on: Day


@frozen(kw_only=True)
class Enterprise(Register):
    """The pilot enterprise (S1 III(1)): registered in Beijing, with both qualifications (S0, "dual qualifications").

    `registered_in` is the administrative area. `platform` is the number of its registration as a cross-border
    e-commerce platform, `device_trading` that as a third-party online trading service platform for medical devices;
    None where it has none, which an obligation then finds missing.
    """

    KIND: ClassVar[str] = "enterprise"
    CHAIN = ("enterprise", "id")

    id: Id
    name: Name
    registered_in: Name
    qualifications: Documents = ()
    platform: Name | None = None
    device_trading: Name | None = None
    verify_by: Day


@frozen(kw_only=True)
class Carrier(Register):
    """An entrusted distribution enterprise: its assessment and its quality responsibility (S1 VI).

    `responsibility` is the clause in words, `agreement` the digest of the agreement that holds it.
    """

    KIND: ClassVar[str] = "carrier"
    CHAIN = ("carrier", "id")

    id: Id
    name: Name
    assessed_on: Day
    assessed_by: Name
    result: Result
    valid_until: Day
    responsibility: Text
    agreement: Digest | None = None

    def contradictions(self) -> list[str]:
        """An assessment holds after it was made."""
        if self.valid_until < self.assessed_on:
            return [f"valid_until is {self.valid_until}: it must not be before assessed_on, {self.assessed_on}"]
        return []
