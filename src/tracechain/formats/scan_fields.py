"""The single fields of a scan file's row: from the text of a cell to a value, or a Fault that says what to do.

Nothing here knows of rows or events; `scan_rows` puts the values together.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from urllib.parse import quote

from tracechain import identifiers
from tracechain.errors import InputError
from tracechain.event import BizTransaction, Extension, SourceDest, parse_offset, parse_time
from tracechain.event.sale import EXPORT_RETURN_DOCUMENT, PAYMENT_DOCUMENT
from tracechain.event.vocabulary import BIZ_TRANSACTION_TYPE, ERROR_REASON, SOURCE_DEST_TYPE

__all__ = [
    "Fault",
    "documents",
    "expiry",
    "extension",
    "humidity",
    "identify",
    "moment",
    "nearby",
    "parties",
    "person",
    "reason",
    "temperature",
    "yuan",
]

#: Types of documents that CBV has no name for, as the doc column writes them.
OWN_TYPES = {"payment": PAYMENT_DOCUMENT, "export_return": EXPORT_RETURN_DOCUMENT}

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ZONELESS = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?")
_DIGITS = re.compile(r"[0-9]+")
_DOC = re.compile(rf"({'|'.join((*BIZ_TRANSACTION_TYPE.names, *OWN_TYPES))}):(.+)", re.DOTALL)
_PARTY = re.compile(rf"({'|'.join(SOURCE_DEST_TYPE.names)}):(.+)", re.DOTALL)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:.")
_TOKEN = re.compile(r"[0-9A-Fa-f]{32}")
_YUAN = re.compile(r"(0|[1-9][0-9]{0,14})(\.[0-9]{1,2})?")
_MEASURED = re.compile(r"-?(0|[1-9][0-9]{0,8})(\.[0-9]{1,6})?")
_COLDEST = Decimal("-273.15")


class Fault(Exception):  # noqa: N818  # internal: becomes a ScanError where the line is known
    """What is wrong with one field."""

    def __init__(self, column: str | None, value: str | None, message: str) -> None:
        super().__init__(message)
        self.column = column
        self.value = value


def nearby(name: str, known: Sequence[str]) -> str:
    """`; did you mean ...?`, or nothing."""
    close = get_close_matches(name.lower(), known, 1, 0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def identify(column: str, text: str) -> str:
    """A code or place in any spelling; a bare number where the column says what it is."""
    try:
        if _DIGITS.fullmatch(text):
            if len(text) == 13 and column in ("place", "location"):
                return f"414/{identifiers.parse_gln(text)}"
            if len(text) == 18 and column == "parent":
                return f"00/{identifiers.parse_sscc(text)}"
        return identifiers.canonical(text)
    except InputError as error:
        raise Fault(column, text, str(error)) from None


def expiry(text: str) -> str:
    """An expiry date, as it was written."""
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    raise Fault("expiry", text, f"{text!r:.60} is no day of the calendar: write YYYY-MM-DD")


def documents(text: str, untyped: str | None) -> tuple[BizTransaction, ...]:
    """`po:urn:...`, `urn:...`, or a bare number, which becomes a URI of ours; several are parted by spaces.

    A document that is written without a type has the type `untyped`.
    """
    found = []
    for word in text.split():
        typed = _DOC.fullmatch(word)
        kind, name = (OWN_TYPES.get(typed[1], typed[1]), typed[2]) if typed else (untyped, word)
        if not _SCHEME.match(name):
            name = f"urn:tracechain:doc:{quote(name, safe='')}"
        try:
            found.append(BizTransaction(kind, name))
        except InputError as error:
            raise Fault("doc", text, str(error)) from None
    return tuple(found)


def parties(column: str, text: str) -> tuple[SourceDest, ...]:
    """`owning_party:417/...`, or an id alone, which is the possessing party; several are parted by spaces."""
    found = []
    for word in text.split():
        typed = _PARTY.fullmatch(word)
        kind, name = (typed[1], typed[2]) if typed else ("possessing_party", word)
        try:
            if _DIGITS.fullmatch(name) and len(name) == 13:
                name = f"{'414' if kind == 'location' else '417'}/{identifiers.parse_gln(name)}"
            found.append(SourceDest(kind, identifiers.canonical(name)))
        except InputError as error:
            raise Fault(column, text, str(error)) from None
    return tuple(found)


def person(text: str) -> bytes:
    """The token of a natural person. The fault never repeats the text: it may be a name or a telephone number."""
    if _TOKEN.fullmatch(text):
        return bytes.fromhex(text)
    raise Fault(
        "buyer", None, f"this is no token (32 hexadecimal digits) but {len(text)} characters: never write the"
        " identity here, no name and no telephone number; use the token from the vault",
    )  # fmt: skip


def yuan(text: str) -> Decimal:
    """An amount of money, exact."""
    if _YUAN.fullmatch(text) and (amount := Decimal(text)) > 0:
        return amount
    raise Fault(
        "amount", text, f"{text!r:.60} is no amount in yuan over 0: write digits and at most two after a point,"
        " such as 1299.50, without currency and separators",
    )  # fmt: skip


def _measured(column: str, text: str, lowest: Decimal, highest: Decimal | None, example: str) -> Decimal:
    if _MEASURED.fullmatch(text):
        value = Decimal(text)
        if value >= lowest and (highest is None or value <= highest):
            return value
    raise Fault(column, text, f"{text!r:.60} is no {column}: {example}")


def temperature(text: str) -> Decimal:
    """Degrees Celsius."""
    return _measured("temperature", text, _COLDEST, None, "write degrees Celsius as digits, such as 4.5 or -18")


def humidity(text: str) -> Decimal:
    """Relative humidity in per cent."""
    return _measured("humidity", text, Decimal(0), Decimal(100), "write per cent from 0 to 100 as digits, such as 45.5")


def reason(text: str) -> str:
    """Why an event is declared an error."""
    if text in ERROR_REASON.names:
        return text
    known = ", ".join(ERROR_REASON.names)
    raise Fault("error", text, f"{text!r:.60} is no reason{nearby(text, ERROR_REASON.names)}; known: {known}")


def moment(column: str, text: str) -> tuple[int, int]:
    """A time as nanoseconds since 1970 UTC, and its offset in minutes."""
    try:
        nanos = parse_time(text)
    except InputError as error:
        if not text:
            raise Fault(column, text, "it is empty: write YYYY-MM-DDThh:mm:ss and the zone, such as +08:00") from None
        if _ZONELESS.fullmatch(text):
            raise Fault(
                column, text, f"{text!r} has no zone, so nobody can say when that was: put +08:00 (Beijing), "
                "another offset or Z behind it, and T between day and time"
            ) from None  # fmt: skip
        raise Fault(column, text, str(error)) from None
    return nanos, 0 if text.endswith("Z") else parse_offset(text[-6:])


def extension(column: str, namespace: str, name: str, value: str | Decimal) -> Extension:
    """A field that EPCIS has no place for."""
    try:
        return Extension(namespace, name, value)
    except InputError as error:
        raise Fault(column, str(value), str(error)) from None
