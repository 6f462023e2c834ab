"""An alert, its kinds, and what those who look for alerts are given."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any

from attrs import asdict, field, frozen

from tracechain.entry import parse_header
from tracechain.errors import DataError
from tracechain.pilot.survey import Survey
from tracechain.registers import Profile
from tracechain.rules import Standing
from tracechain.view import View

__all__ = ["CLAUSE_OF", "Alert", "AlertKind", "Asked", "Severity", "midnight"]

_DAY = 86_400_000
_EAST = 8 * 3_600_000


class Severity(IntEnum):
    """How soon somebody has to look: some time, today, now."""

    NOTICE = 1
    WARNING = 2
    CRITICAL = 3


class AlertKind(StrEnum):
    """What an alert is about."""

    EXPIRED = "EXPIRED"
    SOLD_TWICE = "SOLD_TWICE"
    IMPOSSIBLE_MOVEMENT = "IMPOSSIBLE_MOVEMENT"
    UNKNOWN_CODE = "UNKNOWN_CODE"
    TEMPERATURE = "TEMPERATURE"
    HUMIDITY = "HUMIDITY"
    MERCHANT_TO_STOP = "MERCHANT_TO_STOP"
    NEAR_EXPIRY = "NEAR_EXPIRY"
    DELIVERY_OVERDUE = "DELIVERY_OVERDUE"
    STOCK_UNCONFIRMED = "STOCK_UNCONFIRMED"
    OVERDUE = "OVERDUE"
    LATE_RECORDING = "LATE_RECORDING"


#: Where each is demanded (docs/obligations.md has the short names); what is overdue in a register says its own.
CLAUSE_OF: Mapping[AlertKind, str] = MappingProxyType({
    AlertKind.EXPIRED: "S1 VI",
    AlertKind.SOLD_TWICE: "S1 V; S2",
    AlertKind.IMPOSSIBLE_MOVEMENT: "S1 V",
    AlertKind.UNKNOWN_CODE: "S1 V",
    AlertKind.TEMPERATURE: "S1 VI",
    AlertKind.HUMIDITY: "S1 VI",
    AlertKind.MERCHANT_TO_STOP: "S1 IV(3), VIII(4)",
    AlertKind.NEAR_EXPIRY: "S1 VI",
    AlertKind.DELIVERY_OVERDUE: "S1 VI",
    AlertKind.STOCK_UNCONFIRMED: "S1 VI",
    AlertKind.OVERDUE: "S1 VII",
    AlertKind.LATE_RECORDING: "S1 V",
})  # fmt: skip


@frozen
class Alert:
    """Something that somebody has to look at.

    `subject` is the pack, container, product, merchant or place that it is about, None where it is none; `index` the
    log entry that it began with, None where it follows from a date; `since` (ms) when that was. `words` say it to
    people, `details` to programs: plain values by name, ids of the packs concerned under "packs".
    """

    kind: AlertKind
    severity: Severity
    subject: str | None
    index: int | None
    since: int
    words: str
    clause: str
    details: Mapping[str, Any] = field(factory=dict, hash=False)

    def mapping(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            **asdict(self, recurse=False),
            "kind": self.kind.value,
            "severity": self.severity.name.lower(),
            "details": {name: list(v) if isinstance(v, tuple) else v for name, v in self.details.items()},
        }


@frozen
class Asked:
    """What is asked, of what: the view up to `as_of` (ms, None for all of it), and when `now` (ms) and `today` are."""

    view: View
    now: int
    today: date
    as_of: int | None
    standing: Standing
    survey: Survey

    @property
    def profile(self) -> Profile | None:
        """The profile in force."""
        return self.standing.profile

    def received(self, index: int) -> int:
        """When an entry was received (ms)."""
        header = self.view.header(index)
        if header is None:
            raise DataError(f"entry {index}: its header is missing; verify the ledger")
        return parse_header(header).time


def midnight(day: date) -> int:
    """When a day begins in Asia/Shanghai (ms)."""
    return (day - date(1970, 1, 1)).days * _DAY - _EAST
