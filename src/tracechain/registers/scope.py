"""The scope of the pilot: the list of product varieties, by edition."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from tracechain.registers.fields import Day, Label, Name, ProductIds, Register

__all__ = ["Scope"]


@frozen(kw_only=True)
class Scope(Register):
    """A positive list of products that may be sold (S1 IV(3)1, VIII(4)3 and 5; S0, "positive list").

    A later edition replaces the former one from `valid_from` on, whenever before that it was recorded. `products` are
    class ids, sorted, each once. A record holds about 3,600 of them; a longer list is several scopes, and each product
    names its own.
    """

    KIND: ClassVar[str] = "scope"
    CHAIN = ("scope", "name")

    name: Label
    edition: Name
    valid_from: Day
    authority: Name
    products: ProductIds
