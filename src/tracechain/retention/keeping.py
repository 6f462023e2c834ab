"""Keep-until days for headers: what the policy in force says of an entry by its class, its day and its packs' expiry.

The ledger writes these days, a verifier works them out again, and both ask a table that is made once for each class and
day. Packs go by what their states say (docs/format.md section 7.2), so the rows of an entry are enough for it.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import define, field

from tracechain.custody import DAY_ZERO, EXPIRY_SHIFT, is_pack
from tracechain.entry import NO_POLICY, OPEN_DAY
from tracechain.errors import DecodeError
from tracechain.record import Record
from tracechain.retention.dates import day_of, shanghai_day
from tracechain.retention.policy import Policy
from tracechain.retention.records import POLICY, POLICY_SUBJECT

__all__ = ["NO_PACK", "Days", "Heads", "Keeping", "expiry_codes", "expiry_of", "policy_of"]

#: The expiry code of an entry of which no subject is a pack; 0 is a pack of which it is not known, others are days
#: since 2000-01-01.
NO_PACK = -1
_DAY_ZERO = day_of(DAY_ZERO)
_TABLES_MOST = 1024


class Days(dict[int, int]):
    """Keep-until days of entries of one class and one day of receipt, by the expiry code of a pack. What is asked for
    is remembered. Of an entry with several packs the latest holds."""

    def __init__(self, policy: Policy, record_class: int, receipt_ms: int) -> None:
        super().__init__()
        self._ask = policy.header_day
        self._class = record_class
        self._received = receipt_ms

    def __missing__(self, code: int) -> int:
        expiries: tuple[int | None, ...] = ()
        if code >= 0:
            expiries = (expiry_of(code),)
        self[code] = day = self._ask(self._class, self._received, expiries)
        return day

    def of_codes(self, codes: Iterable[int]) -> int:
        """The day of an entry with these packs."""
        return max(map(self.__getitem__, codes), default=self[NO_PACK])


@define
class Keeping:
    """A policy in force, by the index of its record."""

    index: int
    policy: Policy
    _tables: dict[tuple[int, int], Days] = field(factory=dict)

    def days(self, record_class: int, receipt_ms: int) -> Days:
        """The table for a class and a receipt time."""
        key = record_class, shanghai_day(receipt_ms)
        found = self._tables.get(key)
        if found is None:
            if len(self._tables) >= _TABLES_MOST:
                self._tables.clear()
            found = self._tables[key] = Days(self.policy, record_class, receipt_ms)
        return found


_KEEP_UNTIL, _AFTER_KEEP = 20, 24  # where the keep-until day stands in a header


class Heads(dict[int, bytes]):
    """The first 32 bytes of the headers of one class, author and receipt time, which differ by their keep-until days
    only: by the expiry code of a pack. `policy` is what they name as their policy."""

    def __init__(self, head: bytes, keeping: Keeping | None, record_class: int, receipt_ms: int) -> None:
        super().__init__()
        self._head = head
        self.days = None if keeping is None else keeping.days(record_class, receipt_ms)
        self.policy = NO_POLICY if keeping is None else keeping.index

    def __missing__(self, code: int) -> bytes:
        self[code] = found = self.head(OPEN_DAY if self.days is None else self.days[code])
        return found

    def head(self, day: int) -> bytes:
        """The head with this day."""
        return self._head[:_KEEP_UNTIL] + day.to_bytes(4, "big") + self._head[_AFTER_KEEP:]


def expiry_of(code: int) -> int | None:
    """The expiry day of a pack (since 1970-01-01) by its code, None where it is not known."""
    return _DAY_ZERO + code if code else None


def expiry_codes(subjects: Iterable[tuple[str, int]]) -> list[int]:
    """The expiry codes of those of some subjects, (id, state after the entry), that are packs."""
    return [state >> EXPIRY_SHIFT for subject, state in subjects if is_pack(subject)]


def policy_of(record: Record) -> Policy | None:
    """The policy that a record puts in force; None for any other record, and for one that is malformed: it stays in the
    log and changes nothing."""
    if record.kind != POLICY or record.subject != POLICY_SUBJECT:
        return None
    try:
        return Policy.from_record(record)
    except DecodeError:
        return None
