"""A purchase and the trail that it leaves: each method is one event of it, as the scanner or system reports it.

Everything here is lawful as it comes; who tells of a breach takes an event and changes what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from hashlib import sha256

from attrs import frozen

from tracechain.demo.rows import Happening
from tracechain.demo.units import Pack
from tracechain.demo.world import CARRIER, CITY, OUTBOUND, PLATFORM, STORE, WAREHOUSE

__all__ = ["Bought", "Purchase", "buyer_token", "pack_codes"]


def buyer_token(name: str) -> str:
    """The token of an invented person. Real ones are random; these have to be the same in every run."""
    return sha256(f"invented buyer {name}".encode()).hexdigest()[:32]


def pack_codes(packs: Sequence[Pack]) -> tuple[str, ...]:
    """The texts printed beside the codes."""
    return tuple(pack.human for pack in packs)


@frozen
class Purchase:
    """An order of one buyer: its number, the packs, and what they cost in yuan."""

    number: str
    packs: tuple[Pack, ...]
    buyer: str
    amount: Decimal

    @classmethod
    def of(cls, number: str, packs: Sequence[Pack], buyer: str) -> Purchase:
        """At the price of the packs."""
        return cls(number, tuple(packs), buyer, sum((Decimal(pack.product.price) for pack in packs), Decimal(0)))

    @property
    def po(self) -> str:
        """The order document."""
        return f"po:urn:epcglobal:cbv:bt:{PLATFORM[4:]}:{self.number}"

    @property
    def waybill(self) -> str:
        """The document of the carriage."""
        return f"bol:urn:epcglobal:cbv:bt:{CARRIER[4:]}:W{self.number}"

    @property
    def paper(self) -> str:
        """The payment document."""
        return f"payment:urn:epcglobal:cbv:bt:{PLATFORM[4:]}:PAY{self.number}"

    def _platform(self, event: str, time: int, doc: str) -> Happening:
        return Happening(
            time, event, pack_codes(self.packs), place=PLATFORM, location=PLATFORM, doc=doc, buyer=self.buyer,
            amount=self.amount,
        )  # fmt: skip

    def order(self, time: int) -> Happening:
        """The platform takes the order."""
        return self._platform("order", time, self.po)

    def payment(self, time: int) -> Happening:
        """The buyer pays it."""
        return self._platform("payment", time, f"{self.po} {self.paper}")

    def cancel(self, time: int) -> Happening:
        """The buyer thinks better of it, before clearance."""
        return self._platform("cancel", time, self.po)

    def clear(self, time: int, pack: Pack) -> Happening:
        """Customs clears a pack: order, payment and carriage agree."""
        return Happening(time, "clear", (pack.element,), place=OUTBOUND, doc=f"{self.po} {self.waybill}")

    def sell(self, time: int, pack: Pack) -> Happening:
        """The merchant's sale: the pack leaves the bonded stock."""
        return Happening(
            time, "sell", (pack.matrix,), place=OUTBOUND, source=f"owning_party:{pack.product.maker.merchant}"
        )

    def deliver(self, time: int, pack: Pack) -> Happening:
        """The carrier hands it to the buyer."""
        return Happening(time, "deliver", (pack.link,), "", CITY, CITY, source=CARRIER, buyer=self.buyer)

    def transfer(self, time: int, pack: Pack, store: str = STORE) -> Happening:
        """It goes to a store, for the buyer to fetch."""
        return Happening(
            time, "transfer_store", (pack.matrix,), "", OUTBOUND, WAREHOUSE, source=CARRIER, target=f"location:{store}"
        )

    def pickup(self, time: int, pack: Pack, store: str = STORE) -> Happening:
        """The buyer fetches it there."""
        return Happening(time, "pickup", (pack.link,), place=store, location=store, buyer=self.buyer)

    def apply(self, time: int, pack: Pack) -> Happening:
        """The buyer asks to give it back."""
        doc = f"rma:urn:epcglobal:cbv:bt:{PLATFORM[4:]}:R{self.number}"
        return Happening(time, "apply_return", (pack.human,), "", PLATFORM, PLATFORM, doc=doc, buyer=self.buyer)

    def through(self, time: int, until: str = "deliver") -> list[Happening]:
        """The whole trail from the order on, ten minutes a step: to "payment", "clear", "sell" or "deliver"."""
        steps = ("order", "payment", "clear", "sell", "deliver")
        trail, step = [self.order(time), self.payment(time + 600_000_000_000)], 600_000_000_000
        for number, act in enumerate((self.clear, self.sell, self.deliver), 2):
            if steps.index(until) >= number:
                trail += [act(time + number * step, pack) for pack in self.packs]
        return trail


@frozen
class Bought:
    """A pack that was sold, and the last that was heard of it."""

    purchase: Purchase
    pack: Pack
    last: Happening
