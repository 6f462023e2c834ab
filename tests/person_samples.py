"""Persons for tests: a ledger in which they bought things, with identities and private values in the vault."""

from __future__ import annotations

import os
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from tracechain.event import BizTransaction, Extension, TransactionEvent
from tracechain.event.sale import AMOUNT, AMOUNT_NAMESPACE
from tracechain.ledger import Ledger, Receipt
from tracechain.ledger.erasing import Erasure
from tracechain.persons import ErasurePlan, plan_erasure
from tracechain.persons.finding import erasures
from tracechain.private import PrivateValue, private_fields
from tracechain.retention.dates import shanghai_day
from tracechain.retention.records import Erased
from tracechain.testing import Clock, new_ledger, open_ledger
from tracechain.testing.samples import commission, pack_ids
from tracechain.testing.standins import START

DAY = 86_400_000
#: Record class of a sale.
TRADING = 1
# Without their names: those are looked for in files.
ANNA, BEN, CARL = b"token-of-buyer-1", b"token-of-buyer-2", b"token-of-buyer-3"


def words(who: str) -> dict[str, str]:
    """The private values of a purchase. Each is found by its bytes wherever it is: no other has them."""
    return {"phone": f"+86-10-{who}-5550199", "address": f"{who} Xinhua Road 7"}


class Shop:
    """A ledger with buyers; `today` is the day of its clock."""

    def __init__(self, folder: Path, *, jump_limit: int = 100 * 366 * DAY) -> None:
        self.clock = Clock()
        self.path = folder / "ledger"
        self.ledger: Ledger = new_ledger(self.path, clock=self.clock, jump_limit=jump_limit)
        self.ledger.append([commission(pack_ids(50))])
        self._sold = 0

    def reopen(self) -> Ledger:
        """Closed and opened again."""
        self.ledger.close()
        self.ledger = open_ledger(self.path, clock=self.clock)
        return self.ledger

    @property
    def today(self) -> int:
        """Days since 1970 in Beijing."""
        return shanghai_day(self.clock.now)

    def know(self, token: bytes, who: str) -> None:
        """Keep the identity of a buyer."""
        self.ledger.vault.put_person(token, {"name": f"{who} of Beijing", "id-number": f"110101-{who}-0011"})

    def sell(
        self,
        token: bytes | None,
        who: str,
        *,
        epcs: Sequence[str] = (),
        record_class: int = TRADING,
        yuan: str = "300",
        owned: bool = True,
    ) -> tuple[int, tuple[PrivateValue, ...]]:
        """A buyer orders a pack: the entry, and the private values that hang on it. The vault is told whose they are,
        or (`owned`) not."""
        fields, kept = private_fields(words(f"{who}{self._sold}"), os.urandom)
        self.ledger.vault.put_private(kept, token if owned else None)
        event = TransactionEvent(
            event_time=self.clock.now * 1_000_000, time_zone_offset=480, action="ADD",
            epcs=tuple(epcs) or pack_ids(1, start=1 + self._sold), biz_step="reserving", disposition="reserved",
            biz_transactions=(BizTransaction("po", f"urn:example:po:{self._sold}"),), person=token, private=fields,
            extensions=(Extension(AMOUNT_NAMESPACE, AMOUNT, Decimal(yuan)),),
        )  # fmt: skip
        self._sold += 1
        receipt: Receipt = self.ledger.append([event], record_class=record_class)
        return receipt.first, kept

    def holding(self, value: str | bytes) -> list[str]:
        """The files of the ledger's folder in which the bytes of a value are."""
        needle = value.encode() if isinstance(value, str) else value
        beside = [self.path.with_name(f"{self.path.name}.anchor")]
        files = [path for path in (*self.path.rglob("*"), *beside) if path.is_file()]
        return [str(path.relative_to(self.path.parent)) for path in files if needle in path.read_bytes()]


def plan(shop: Shop, *tokens: bytes, as_of: int | None = None, **more: Any) -> ErasurePlan:
    """What becomes of values as of a day, today by default."""
    with shop.ledger.snapshot() as view:
        return plan_erasure(view, shop.ledger.vault, as_of=as_of or shop.today, tokens=tokens, **more)


def erase(shop: Shop, *tokens: bytes, **more: Any) -> Erasure:
    """Erase what may be erased."""
    return shop.ledger.erase(plan(shop, *tokens, **more), ground="asked for", by="clerk 7")


def logged(ledger: Ledger) -> list[tuple[int, Erased]]:
    """What the log says was erased and withheld."""
    with ledger.snapshot() as view:
        return list(erasures(view))


__all__ = ["ANNA", "BEN", "CARL", "DAY", "START", "TRADING", "Shop", "erase", "logged", "plan", "words"]
