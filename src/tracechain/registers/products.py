"""Products: the registration file of each, with every published version of it, and shielding."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar, TypeAlias

from attrs import frozen

from tracechain.registers.fields import (
    Country,
    Day,
    Days,
    Digest,
    Id,
    Label,
    Name,
    ProductId,
    Register,
    Text,
    Whole,
)
from tracechain.registers.forms import Between, Choice, Code, Number

__all__ = ["CATEGORIES", "SCREENINGS", "Product", "Shield"]

CATEGORIES = ("drug", "device")
#: What the screening of a product found. Information on anything but "none" is barred (S1 VIII(4)2), so a product of
#: that kind may be registered, as evidence of the screening, but nobody may sell it.
SCREENINGS = ("none", "narcotic", "psychotropic", "toxic", "radioactive", "rehabilitation", "precursor")

Category: TypeAlias = Annotated[str, Choice(CATEGORIES)]
Screening: TypeAlias = Annotated[str, Choice(SCREENINGS)]
Celsius: TypeAlias = Annotated[tuple[Decimal, Decimal], Between(Number("-273.15", "1000"))]
Percent: TypeAlias = Annotated[tuple[Decimal, Decimal], Between(Number("0", "100"))]


@frozen(kw_only=True)
class Product(Register):
    """The registration file of a product (S1 VII; screening S1 VIII(4)2; introduction and quality S1 IV(2)).

    `temperature` is in Celsius and `humidity` in per cent, each (low, high) with both ends allowed. `verify_by` is the
    day by which the file has to be verified again, `introduction` and `quality` are the digests of the Chinese product
    introduction and of the quality control requirements, `registration_number` is the overseas one, and `scope` the
    list of the pilot's varieties that names the product. In a file, `gtin` may stand for `id`.
    """

    KIND: ClassVar[str] = "product"
    CHAIN = ("product", "id")
    ALIASES = {"gtin": ("id", Code())}  # noqa: RUF012 - read only, and declared ClassVar in the base

    id: ProductId
    name: Name
    name_zh: Name
    model: Name
    specification: Text
    indications: Text
    contraindications: Text
    registration_number: Name
    registered_in: Country
    maker: Name
    maker_id: Id | None = None
    merchant: Id
    category: Category
    screening: Screening
    scope: Label
    verified_on: Day
    verify_by: Day
    temperature: Celsius | None = None
    humidity: Percent | None = None
    near_expiry_days: Days | None = None
    introduction: Digest | None = None
    quality: Digest | None = None
    published_on: Day

    def contradictions(self) -> list[str]:
        """It is verified again after it was verified."""
        if self.verify_by < self.verified_on:
            return [f"verify_by is {self.verify_by}: it must not be before verified_on, {self.verified_on}"]
        return []


@frozen(kw_only=True)
class Shield(Register):
    """The published information of a product is hidden on order; its digest stays (S1 VIII(3)).

    `version` is that of the product's record that is hidden.
    """

    KIND: ClassVar[str] = "shielded"
    CHAIN = ("product", "product")

    product: ProductId
    version: Whole
    authority: Name
    reference: Name
    reason: Text
    on: Day
