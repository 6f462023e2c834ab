"""EPC URIs (GS1 EPC Tag Data Standard): `urn:epc:id:`, `urn:epc:class:lgtin:`, `urn:epc:idpat:` with a
wildcard serial (a class), and `urn:epc:tag:` (the same identity with the tag's filter in front).

They carry no check digit but a mark where the company prefix ends. Without that mark, and with the check
digit computed, they are the GS1 key:

    urn:epc:id:sgtin:9521234.000107.BJ0001    (01) 0 9521234 00107 2 (21) BJ0001
    urn:epc:id:sscc:9521234.0000000001        (00) 0 9521234 000000001 3
"""

from __future__ import annotations

import re

from attrs import frozen

from tracechain.errors import CodeError
from tracechain.identifiers.check_digits import check_digit
from tracechain.identifiers.keys import unescape

__all__ = ["read_epc"]


@frozen
class _Scheme:
    """How an EPC scheme maps to AIs.

    ai: the key. digits: of prefix and reference together, without check digit; 0: a reference of
    characters. lead: the reference's first digit (indicator, extension) goes in front of the prefix.
    serial: AI of the last component, "" for a part of the key itself, None where there is none.
    """

    ai: str
    digits: int
    lead: bool = False
    serial: str | None = None


_SCHEMES = {
    "sgtin": _Scheme("01", 13, lead=True, serial="21"),
    "upui": _Scheme("01", 13, lead=True, serial="235"),
    "itip": _Scheme("8006", 13, lead=True, serial="21"),
    "sscc": _Scheme("00", 17, lead=True),
    "sgln": _Scheme("414", 12, serial="254"),
    "pgln": _Scheme("417", 12),
    "grai": _Scheme("8003", 12, serial=""),
    "gdti": _Scheme("253", 12, serial=""),
    "sgcn": _Scheme("255", 12, serial=""),
    "gsrn": _Scheme("8018", 17),
    "gsrnp": _Scheme("8017", 17),
    "gsin": _Scheme("402", 16),
    "giai": _Scheme("8004", 0),
    "ginc": _Scheme("401", 0),
    "cpi": _Scheme("8010", 0, serial="8011"),
}
_LGTIN = _Scheme("01", 13, lead=True, serial="10")

# Schemes of the Tag Data Standard that have no GS1 key: their URI is its own identity.
_OPAQUE = frozenset(("adi", "bic", "gid", "imovn", "usdod"))

_CLASSES = frozenset(("sgtin", "upui", "itip", "grai", "gdti", "sgcn", "cpi"))

_EPC = re.compile("(?i:urn:epc):([^:]*):([^:]*):(.*)")
_TAG = re.compile(r"([a-z]+)-(?:[0-9]{2,3}|var|\+{1,2})")
_PREFIX = re.compile("[0-9]{6,12}")
_DIGITS = re.compile("[0-9]*")
# GS3A3 of the Tag Data Standard: what needs no escape in a URI component, and escapes.
_COMPONENT = re.compile(r"(?:[!'()*+,\-.0-9:;=A-Z_a-z]|%[0-9A-Fa-f]{2})+")


def _decode(text: str, what: str, component: str) -> str:
    if not _COMPONENT.fullmatch(component):
        raise CodeError(f"{text[:120]!r}: {what} {component[:60]!r} has a character that must be escaped, as %2F for /")
    return unescape(component)


def _number(text: str, scheme: _Scheme, prefix: str, reference: str) -> str:
    """Prefix and reference as the key's digits, check digit computed."""
    if not _DIGITS.fullmatch(reference):
        raise CodeError(f"{text[:120]!r}: reference {reference[:60]!r} behind the company prefix has to be digits")
    if len(prefix) + len(reference) != scheme.digits:
        raise CodeError(
            f"{text[:120]!r}: company prefix and reference have {len(prefix) + len(reference)} digits "
            f"instead of {scheme.digits}"
        )
    if scheme.lead:
        if not reference:
            raise CodeError(f"{text[:120]!r}: indicator or extension digit behind the company prefix is missing")
        body = reference[0] + prefix + reference[1:]
    else:
        body = prefix + reference
    return body + check_digit(body)


def _pairs(text: str, name: str, scheme: _Scheme, body: str, *, wildcard: bool) -> list[tuple[str, str]]:
    # Only the last component may hold dots of its own, so count from the left.
    count = (1 if scheme.serial is None else 2) + (2 if name == "itip" else 0)
    prefix, *rest = body.split(".", count)
    if len(rest) != count:
        raise CodeError(f"{text[:120]!r}: {name} has {count + 1} parts joined by dots, {len(rest) + 1} found")
    if not _PREFIX.fullmatch(prefix):
        raise CodeError(
            f"{text[:120]!r}: company prefix {prefix[:60]!r} of {len(prefix)} characters, not 6 to 12 digits"
        )
    key = _number(text, scheme, prefix, rest[0]) if scheme.digits else prefix + _decode(text, "reference", rest[0])
    if name == "itip":
        if len(rest[1]) != 2 or len(rest[2]) != 2:
            raise CodeError(f"{text[:120]!r}: piece and total of an ITIP are two digits each")
        key += rest[1] + rest[2]
    elif name == "grai":
        key = "0" + key
    if scheme.serial is None:
        return [(scheme.ai, key)]
    if wildcard:
        if rest[-1] != "*":
            raise CodeError(
                f"{text[:120]!r}: a pattern is a class only with the serial *; for one unit use urn:epc:id:"
            )
        return [(scheme.ai, key)]
    serial = _decode(text, "serial", rest[-1])
    if not scheme.serial:
        return [(scheme.ai, key + serial)]
    return [(scheme.ai, key), (scheme.serial, serial)]


def read_epc(text: str) -> list[tuple[str, str]] | None:
    """An EPC URI as (AI, value) pairs; None for one that has no GS1 key (gid, usdod, adi, bic, imovn)."""
    match = _EPC.fullmatch(text)
    if not match:
        raise CodeError(f"{text[:120]!r}: an EPC URI reads urn:epc:id:scheme:...")
    space, name, body = match.groups()
    if space == "class" and name == "lgtin":
        return _pairs(text, name, _LGTIN, body, wildcard=False)
    if space == "tag" and (tag := _TAG.fullmatch(name)):
        # The filter value (item, case, pallet ...) belongs to the tag, not to the identity.
        name, (_, _, body) = tag[1], body.partition(".")
    if space in ("id", "tag", "idpat"):
        if name in _SCHEMES and (space != "idpat" or name in _CLASSES):
            return _pairs(text, name, _SCHEMES[name], body, wildcard=space == "idpat")
        if name in _OPAQUE and space == "id":
            return None
    hint = ""
    if (space.lower(), name.lower()) != (space, name):
        hint = "; EPC scheme names are in small letters"
    elif space == "idpat":
        hint = "; a pattern without a serial part names no single class"
    raise CodeError(f"{text[:120]!r}: urn:epc:{space[:20]}:{name[:20]} is no known EPC scheme{hint}")
