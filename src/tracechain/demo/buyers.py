"""Whom the first parcels of the day go to: invented persons, and what the platform knows of them.

The platform's orders of the first minutes come as an EPCIS document that has private fields: the log gets commitments
to the telephone number and the address, the values lie in the vault, with the name behind the buyer's token. No number
here can be dialled, and no address is one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from hashlib import sha256
from io import BytesIO

from attrs import evolve, frozen

from tracechain.demo.files import Count, DayFile, document
from tracechain.demo.rows import Happening, format_csv
from tracechain.demo.world import MINUTE
from tracechain.event import Event
from tracechain.formats.scans import iter_csv
from tracechain.private import PrivateValue, private_fields

__all__ = ["NAMES", "Buyer", "order_document", "tell_buyers", "vault_file"]

#: One order each; so many of the day's first are told in this way.
NAMES = (
    "Lin Qiaoyan", "Shen Zhiwei", "Gao Yulan", "Peng Xiaohui", "Tang Ruixue", "Xue Guoliang", "Fang Meilin",
    "Luo Tianyu", "Cui Jingshu", "Jiang Haoran", "Bai Suqin", "Meng Deshun",
)  # fmt: skip
_LANES = ("Paper Lantern", "Stone Well", "Willow Gate", "Copper Bell")


@frozen
class Buyer:
    """An invented person: the token, the name behind it, and what the order's private fields stand for."""

    token: bytes
    name: str
    phone: str
    address: str
    order: str
    #: What was ordered, as printed beside its code.
    pack: str
    values: tuple[PrivateValue, ...]

    @property
    def known(self) -> tuple[str, ...]:
        """Everything that is known of the person."""
        return self.name, self.phone, self.address


def tell_buyers(orders: Sequence[tuple[str, Happening]]) -> tuple[tuple[Buyer, ...], tuple[Event, ...]]:
    """Who buys, and the orders as events with private fields: (number of the order, what a scan file would say)."""
    buyers, events = [], []
    for number, (order, happening) in enumerate(orders):
        name = NAMES[number]
        phone = f"+86 100 0952 {1700 + 37 * number:04}"
        address = (
            f"{_LANES[number % len(_LANES)]} Lane {3 * number + 2}, room {100 * (number % 6 + 1) + number}, Beijing"
        )
        fields, values = private_fields({"phone": phone, "address": address}, _Salts(order))
        (event,) = iter_csv(BytesIO(format_csv([happening]).encode()), order)
        buyers.append(Buyer(bytes.fromhex(happening.buyer), name, phone, address, order, happening.codes[0], values))
        events.append(evolve(event, private=fields))
    return tuple(buyers), tuple(events)


class _Salts:
    """Real salts are random; these have to be the same in every run."""

    def __init__(self, order: str) -> None:
        self._order = order
        self._number = 0

    def __call__(self, size: int) -> bytes:
        self._number += 1
        return sha256(f"invented salt {self._order} {self._number}".encode()).digest()[:size]


def order_document(events: Iterable[Event], count: Count) -> DayFile:
    """The document of these orders, which goes in before the scans of the hour."""
    told = [("order", event) for event in events]
    return document("38-orders.json", "platform", told, count, told[-1][1].event_time + 2 * MINUTE)


def vault_file(buyers: Iterable[Buyer]) -> bytes:
    """What the platform knows of them, as `tracechain subject add` takes it."""
    persons = [
        {
            "token": buyer.token.hex(),
            "identity": {"name": buyer.name},
            "private": [{"name": one.name, "value": one.value, "salt": one.salt.hex()} for one in buyer.values],
        }
        for buyer in buyers
    ]
    return json.dumps({"persons": persons}, indent=1).encode()
