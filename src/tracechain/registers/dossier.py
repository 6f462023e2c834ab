"""The application dossier of the pilot enterprise."""

from __future__ import annotations

from typing import Annotated, ClassVar, TypeAlias

from attrs import frozen

from tracechain.registers.fields import Day, Digest, Name, Register
from tracechain.registers.forms import Choice

__all__ = ["SECTIONS", "Dossier"]

#: S1 III(2)1 to 6, in this order.
SECTIONS = ("profile", "organisation", "platform", "facilities", "merchants-and-products", "management-systems")

Section: TypeAlias = Annotated[str, Choice(SECTIONS)]


@frozen(kw_only=True)
class Dossier(Register):
    """One section of the application materials, by the digest of its document (S1 III(2)1 to 6)."""

    KIND: ClassVar[str] = "dossier"
    CHAIN = ("dossier", "section")

    section: Section
    title: Name
    digest: Digest
    on: Day
