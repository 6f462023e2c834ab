"""What the regulator orders: service for a merchant, a product or the enterprise stops, and goes on."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, TypeAlias

from attrs import frozen

from tracechain.errors import InputError
from tracechain.registers.fields import Day, Name, Register, Text, subject_of
from tracechain.registers.forms import Choice, Count, Form, Ident, ProductCode

__all__ = ["TARGET_KINDS", "Measure", "Resumption", "Stop"]

TARGET_KINDS = ("merchant", "product", "enterprise")

_FORMS: dict[str, Form] = {"merchant": Ident(), "product": ProductCode(), "enterprise": Ident()}


@frozen
class _Target(Form):
    """A product's id, or a party's: which one is wanted, `target_kind` says."""

    rule: str = "the id of the merchant, product or enterprise"

    def _form(self, value: str) -> Form:
        product = value.startswith("nmpa/")  # every other id of a product is canonical like a party's
        return _FORMS["product" if product else "merchant"]

    def check(self, value: Any, what: str) -> Any:
        """One of both."""
        if type(value) is not str:
            raise self.fault(value, what)
        return self._form(value).check(value, what)

    def read(self, given: Any, what: str) -> Any:
        """One of both, in any spelling."""
        if type(given) is not str:
            raise self.fault(given, what)
        return self._form(given).read(given, what)


TargetKind: TypeAlias = Annotated[str, Choice(TARGET_KINDS)]
Target: TypeAlias = Annotated[str, _Target()]
Ground: TypeAlias = Annotated[int, Count(7)]


@frozen(kw_only=True)
class Measure(Register):
    """What orders about services have in common (S1 VIII(3), VIII(4)). Not built itself: a `Stop` or a `Resumption`."""

    target_kind: TargetKind
    target: Target

    @property
    def subject(self) -> str:
        """The chain of what service is stopped for."""
        return subject_of(self.target_kind, self.target)

    def contradictions(self) -> list[str]:
        """The target is of the kind that is named."""
        try:
            _FORMS[self.target_kind].check(self.target, "target")
        except InputError as error:
            return [str(error)]
        return []


@frozen(kw_only=True)
class Stop(Measure):
    """The regulator orders to stop service; from this record on the target gets none (S1 VIII(3), VIII(4)).

    `ground` is the number in S1 VIII(4), 1 to 7, or 0 for another; a cancelled pilot qualification is a stop of the
    enterprise.
    """

    KIND: ClassVar[str] = "service-stopped"

    ground: Ground
    authority: Name
    reference: Name
    reason: Text
    on: Day


@frozen(kw_only=True)
class Resumption(Measure):
    """The regulator lets service go on that it had stopped (the end of a stop of S1 VIII(4))."""

    KIND: ClassVar[str] = "service-resumed"

    authority: Name
    reference: Name
    reason: Text
    on: Day
