"""What a code says once it is read, and the one rule that makes a canonical id of GS1 keys.

Every reader (element string, EPC URI, Digital Link) yields (AI, value) pairs; `assemble` alone decides
which of them are the key. The canonical id is the path of the canonical GS1 Digital Link without its
host: key AI, value, qualifier AI, value, each value percent-encoded but for the unreserved characters of
RFC 3986 (A-Z a-z 0-9 - . _ ~), hexadecimal digits in capitals.

Lot and dates are not part of a unit's id: one scan shows them and another does not, and the unit is the
same. They are the id of a lot (`01/.../10/...`) only where no serial number stands.
"""

from __future__ import annotations

import datetime as dt
import re

from attrs import frozen

from tracechain.errors import CodeError
from tracechain.identifiers.application_identifiers import parse_date, validate

__all__ = ["KEYS", "QUALIFIERS", "Code", "assemble", "escape", "unescape"]


@frozen
class Code:
    """One code, understood.

    id: the canonical id. kind: sgtin lgtin gtin upui itip sscc sgln pgln grai giai gsrn gsrnp gdti sgcn
    cpi gsin ginc nmpa uri. gtin: 14 digits. serial: decoded; also the serial component of GRAI, GDTI,
    GCN and CPI, the GLN extension and the UPUI's TPX; None for a class. lot: AI 10, of the contents
    beside an SSCC. expiry, produced: AI 17 (or the day of 7003) and 11. other: the remaining (AI, value)
    pairs in the order read. suspect: why a valid code deserves a second look, or None.
    """

    id: str
    kind: str
    gtin: str | None = None
    serial: str | None = None
    lot: str | None = None
    expiry: dt.date | None = None
    produced: dt.date | None = None
    other: tuple[tuple[str, str], ...] = ()
    suspect: str | None = None


# Key AI -> kind. The first group identifies objects: two of them in one scan would be two objects.
_OBJECTS = {"00": "sscc", "01": "gtin", "8006": "itip", "8010": "cpi", "8003": "grai", "8004": "giai"}
# The others also accompany an object as an attribute (a logistic label: SSCC with GSIN and GINC), so
# they are the key only where no object is; of several the first in this order is.
_OTHERS = {
    "8017": "gsrnp",
    "8018": "gsrn",
    "253": "gdti",
    "255": "sgcn",
    "402": "gsin",
    "401": "ginc",
    "414": "sgln",
    "417": "pgln",
}
KEYS = _OBJECTS | _OTHERS

# Digital Link qualifiers of a key, in the order that its path has to keep.
QUALIFIERS = {
    "01": ("22", "10", "21", "235"),
    "8006": ("22", "10", "21"),
    "8010": ("8011",),
    "414": ("254",),
    "417": ("7040",),
    "8017": ("8019",),
    "8018": ("8019",),
}

# Where the serial component begins inside the key's own value.
_SERIAL_AT = {"8003": 14, "253": 13, "255": 13}

# Every character of set 82 that RFC 3986 does not call unreserved.
_ESCAPE = str.maketrans({c: f"%{ord(c):02X}" for c in "!\"#%&'()*+,/:;<=>?"})
_ESCAPED = re.compile("%([0-9A-Fa-f]{2})?")


def escape(value: str) -> str:
    """`value` (GS1 character sets 82 and 39) percent-encoded for the canonical id."""
    return value.translate(_ESCAPE)


def _unescape_one(match: re.Match[str]) -> str:
    if not match[1]:
        raise CodeError(f"{match.string[:80]!r}: % at position {match.start() + 1} is no escape such as %2F")
    return chr(int(match[1], 16))


def unescape(value: str) -> str:
    """The value behind percent escapes; CodeError for a % that begins none."""
    return _ESCAPED.sub(_unescape_one, value) if "%" in value else value


def _merge(pairs: list[tuple[str, str]]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for ai, value in pairs:
        if fields.setdefault(ai, value) != value:
            raise CodeError(f"({ai}) is there twice, with {fields[ai]!r} and with {value!r}: scan one code at a time")
    return fields


def _key(fields: dict[str, str]) -> str:
    objects = [ai for ai in _OBJECTS if ai in fields]
    if len(objects) > 1:
        named = " and ".join(f"({ai})" for ai in objects)
        raise CodeError(f"{named} identify two objects in one code: scan or send one of them")
    for ai in objects or _OTHERS:
        if ai in fields:
            return ai
    named = ", ".join(f"({ai})" for ai in fields)
    raise CodeError(f"nothing in {named} identifies an object or place: a key such as (01), (00) or (414) is missing")


def assemble(pairs: list[tuple[str, str]], *, year: int = 2000, suspect: str | None = None) -> Code:
    """(AI, value) pairs, values decoded, as the Code that they spell. CodeError names the fault.

    year: the year of reading, for the century of dates (`parse_date`).
    """
    fields = _merge(pairs)
    for ai, value in fields.items():
        validate(ai, value)
    ai = _key(fields)
    value = fields.pop(ai)
    kind, gtin, serial = KEYS[ai], None, None
    lot = fields.pop("10", None)
    path = f"{ai}/{escape(value)}"
    if ai in ("01", "8006"):
        gtin = value[:14]
        if "21" in fields and "235" in fields:
            raise CodeError("(21) and (235) exclude each other: one serial number, or the third party's, not both")
        for qualifier, name in (("21", "sgtin"), ("235", "upui")):
            if qualifier in fields:
                serial = fields.pop(qualifier)
                path, kind = f"{path}/{qualifier}/{escape(serial)}", name if ai == "01" else kind
        if serial is None and lot is not None:
            path, kind = f"{path}/10/{escape(lot)}", "lgtin" if ai == "01" else kind
    elif ai in _SERIAL_AT:
        serial = value[_SERIAL_AT[ai] :] or None
    elif ai == "8010" and "8011" in fields:
        serial = fields.pop("8011")
        path = f"{path}/8011/{serial}"
    elif ai == "414":
        serial = fields.pop("254", None)
        # EPC Tag Data Standard: extension 0 says that there is none.
        serial = None if serial == "0" else serial
        path = path if serial is None else f"{path}/254/{escape(serial)}"
    best, made = fields.pop("17", None), fields.pop("11", None)
    expires = best or fields.get("7003")
    return Code(
        id=path,
        kind=kind,
        gtin=gtin,
        serial=serial,
        lot=lot,
        expiry=parse_date(expires, year) if expires else None,
        produced=parse_date(made, year) if made else None,
        other=tuple(fields.items()),
        suspect=suspect,
    )
