"""Codes on packs, containers, products and places: many spellings, one canonical id.

    spelling                                                         canonical id
    010952123400107221BJ0001                                         01/09521234001072/21/BJ0001
    ]d201095212340010721727063010LOT-A7<GS>21BJ0001                  the same
    (01)09521234001072(21)BJ0001                                     the same
    urn:epc:id:sgtin:9521234.000107.BJ0001                           the same
    https://brand.example/x/01/09521234001072/21/BJ0001?17=270630    the same
    urn:epc:class:lgtin:9521234.000107.LOT-A7                        01/09521234001072/10/LOT-A7
    urn:epc:id:sscc:9521234.0000000001                               00/095212340000000013
    81234567890123456789 (NMPA drug traceability code)               nmpa/81234567890123456789
    urn:uuid:..., any other absolute URI                             itself

GS1 ids have no colon (it is percent-encoded) and every other URI has one, so they never collide; NMPA
ids begin with letters, GS1 ids with digits. Pure functions without clock or state.

Twenty bare digits are read so: 8 in front is an NMPA code; otherwise a GS1 key of just that length
(`00` + SSCC, `01` + GTIN + more) is taken as such; what is left is a suspect NMPA code, since the
standard does not ask for the 8 but code platforms do. A symbology identifier decides before that: ]d2,
]C1, ]Q3, ]e0, ]J1 or a leading FNC1 is GS1 and nothing else. Other bare numbers (GTIN, GLN, SSCC without
an AI) have no kind of their own: the caller names it with `parse_gtin`, `parse_gln`, `parse_sscc`.
"""

from __future__ import annotations

import re
import unicodedata

from tracechain.errors import CodeError
from tracechain.identifiers.application_identifiers import (
    GS,
    PREDEFINED,
    fits,
    read,
    read_bracketed,
    swallowed,
)
from tracechain.identifiers.check_digits import (
    check_digit,
    checks,
    clean,
    is_gtin,
    parse_gln,
    parse_gtin,
    parse_sscc,
)
from tracechain.identifiers.digital_link import read_link, read_path
from tracechain.identifiers.epc import read_epc
from tracechain.identifiers.keys import KEYS, Code, assemble, unescape
from tracechain.identifiers.nearest import nearest

__all__ = [
    "MAX_ID_BYTES",
    "MAX_TEXT",
    "Code",
    "canonical",
    "check_digit",
    "format_digital_link",
    "format_element_string",
    "format_human",
    "is_gtin",
    "nearest",
    "parse",
    "parse_gln",
    "parse_gtin",
    "parse_sscc",
    "split",
]

MAX_TEXT = 2048  # characters of input: a Digital Link with a long query; refused before anything is looked at
MAX_ID_BYTES = 512  # of a canonical id in UTF-8; an LMDB key takes 511 and ids are hashed, so this is only a cap

# ---- reading -----------------------------------------------------------------------------------

_GS1_SYMBOLOGIES = frozenset(("]d2", "]C1", "]Q3", "]e0", "]e1", "]e2", "]J1"))
_GTIN_SYMBOLOGIES = {"]E0": 13, "]E4": 8, "]I0": 14, "]I1": 14}  # EAN-13 and UPC, EAN-8, ITF-14
_SYMBOLOGY = re.compile(r"\][A-Za-z][0-9A-Za-z]")
_SCHEME = re.compile("[A-Za-z][A-Za-z0-9+.-]+:")  # two letters at least: C:\\ is a path
_RESOLVER = re.compile("https?://id[.]gs1[.]org/", re.IGNORECASE)
_PATH = re.compile("([0-9]{2,4})/")
_DIGITS = re.compile("[0-9]+")
_NMPA = re.compile("[0-9]{20}")
_CONTROL = re.compile("[\x00-\x1c\x1e-\x1f\x7f]")  # all but GS


def _nmpa(number: str) -> Code:
    suspect = None
    if number[0] != "8":
        suspect = f"20 digits that begin with {number[0]}: drug traceability codes in use begin with 8"
    return Code(id=f"nmpa/{number}", kind="nmpa", suspect=suspect)


def _uri(text: str) -> Code:
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    plain = text.isascii() and text.isprintable() and " " not in text
    for position, character in enumerate("" if plain else text):
        # Invisible characters (zero-width, direction marks) would make two ids look like one.
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Zs", "Zl", "Zp"):
            raise CodeError(f"URI {text[:80]!r}: space, control or invisible character at position {position + 1}")
    size = len(text.encode())
    if size > MAX_ID_BYTES:
        raise CodeError(f"URI {text[:80]!r}...: {size} bytes, at most {MAX_ID_BYTES} can be an id")
    if text.endswith(":"):
        raise CodeError(f"URI {text[:80]!r}: nothing behind the scheme")
    suspect = None
    if _RESOLVER.match(text):
        suspect = "an address at id.gs1.org without a GS1 key in plain: perhaps a compressed Digital Link"
    return Code(id=text, kind="uri", suspect=suspect)


def _address(text: str, year: int) -> Code:
    """Anything with a scheme in front."""
    lowered = text[:8].lower()
    if lowered == "urn:epc:":
        pairs = read_epc(text)
        return _uri(text) if pairs is None else assemble(pairs, year=year)
    if lowered.startswith("http"):
        link = read_link(text)
        if link is not None:
            return assemble(link[0], year=year, suspect=link[1])
    if lowered.startswith("nmpa:"):
        if not _NMPA.fullmatch(text[5:]):
            raise CodeError(f"{text[:80]!r}: nmpa: has to be followed by 20 digits")
        return _nmpa(text[5:])
    return _uri(text)


def _fits_key(text: str) -> bool:
    """Whether 20 bare digits are a GS1 element string in form; right check digits are not asked for."""
    try:
        pairs = read(text)
    except CodeError:
        return False
    return pairs[0][0] in KEYS and all(fits(ai, value) for ai, value in pairs)


def _digits(text: str, year: int) -> Code:
    """Digits only, and nothing said about what they are."""
    size = len(text)
    if size == 20 and (text[0] == "8" or not _fits_key(text)):
        return _nmpa(text)
    if size in (8, 12, 13, 14, 18):
        raise CodeError(
            f"{text}: a bare number of {size} digits does not say what it is; put its AI in front (01 and 14 "
            "digits for a GTIN, 414 GLN, 00 SSCC) or name the kind (parse_gtin, parse_gln, parse_sscc)"
        )
    if size > 14 and text[0] == "8" and not _fits_key(text):
        raise CodeError(f"{text[:80]}: {size} digits; a drug traceability code has 20")
    return _element_string(text, year)


def _element_string(text: str, year: int) -> Code:
    pairs = read(text)
    return assemble(pairs, year=year, suspect=swallowed(pairs))


def parse(text: str, *, year: int = 2000) -> Code:
    """Any spelling of a code. CodeError (an InputError) names the fault and what to do.

    Spaces, tabs and line ends around the code are scanner padding and dropped. `year` places two-digit
    years of dates: at most 49 years before, 50 after it; the default reads them as 1951 to 2050.
    """
    if len(text) > MAX_TEXT:
        raise CodeError(f"code of {len(text)} characters ({text[:40]!r}...): at most {MAX_TEXT} are read")
    text = clean(text)
    if found := _CONTROL.search(text):
        raise CodeError(f"code {text[:80]!r}: control character at position {found.start() + 1}; only GS (0x1D) may be")
    gs1 = False
    if text[0] == "]" and _SYMBOLOGY.match(text):
        mark, text = text[:3], text[3:]
        gs1 = mark in _GS1_SYMBOLOGIES
        if mark in _GTIN_SYMBOLOGIES and len(text) == _GTIN_SYMBOLOGIES[mark] and _DIGITS.fullmatch(text):
            return assemble([("01", parse_gtin(text))], year=year)
    if text[:1] == GS:
        gs1, text = True, text[1:]
    if not text:
        raise CodeError("empty code: nothing behind the symbology identifier")
    if gs1:
        return _element_string(text, year)
    if _DIGITS.fullmatch(text):
        return _digits(text, year)
    if text[0] == "(":
        pairs = read_bracketed(text)
        return assemble(pairs, year=year)
    if _SCHEME.match(text):
        return _address(text, year)
    if text.startswith("nmpa/") and _NMPA.fullmatch(text[5:]):
        return _nmpa(text[5:])
    # Values of keys begin with a digit, so this slash is none of an element string's.
    if (path := _PATH.match(text)) and path[1] in KEYS:
        return assemble(read_path(text, text.split("/")), year=year)
    if text[0] in "0123456789":
        return _element_string(text, year)
    raise CodeError(
        f"{text[:80]!r} follows no known scheme: GS1 element string, EPC URI, Digital Link, 20-digit drug "
        "traceability code or absolute URI wanted"
    )


# ---- canonical, fast ---------------------------------------------------------------------------

# One component of a canonical id: unreserved characters, and set 82's others as escapes.
_VALUE = "(?:[0-9A-Za-z._-]|%(?:2[125-9ABCF]|3[A-F])){1,20}"
_CANONICAL = re.compile(
    f"01/([0-9]{{14}})(?:/(?:21|10)/{_VALUE})?|00/([0-9]{{18}})|414/([0-9]{{13}})(?:/254/(?!0$){_VALUE})?|nmpa/[0-9]{{20}}"
)
_SCAN = re.compile(r"01([0-9]{14})21([0-9A-Za-z._-]{1,20})|00([0-9]{18})")
_LINK = re.compile("https?://[0-9A-Za-z.:-]+/(0[01]/.*|414/.*)")
# What a pack of prescription drugs carries: GTIN, expiry and production date, lot, serial. 29 February
# takes the long way, which has the calendar.
_MONTH_DAY = (
    "(?:(?:0[1-9]|1[0-2])(?:[01][0-9]|2[0-8])"  # day 00: the last of the month
    "|(?:0[13-9]|1[0-2])(?:29|30)|(?:0[13578]|1[02])31)"
)
_DATE = f"[0-9]{{2}}{_MONTH_DAY}"
_PACK = re.compile(
    rf"(?:\](?:d2|C1|Q3))?\x1d?01([0-9]{{14}})(?:17{_DATE})?(?:11{_DATE})?(?:10[0-9A-Za-z._-]{{1,20}}\x1d)?"
    "21([0-9A-Za-z._-]{1,20})"
)
_SGTIN = re.compile(r"urn:epc:id:sgtin:([0-9]{6,12})\.([0-9])([0-9]{0,6})\.([0-9A-Za-z._-]{1,20})")
_SSCC = re.compile(r"urn:epc:id:sscc:([0-9]{6,12})\.([0-9])([0-9]{4,10})")
_SGLN = re.compile(r"urn:epc:id:sgln:([0-9]{6,12})\.([0-9]{0,6})\.([0-9A-Za-z._-]{1,20})")


def canonical(text: str) -> str:
    """`parse(text).id`, by a short way for the spellings that come by the million.

    What the short way does not take goes through `parse`, so both always agree (a property of the test
    suite), errors included.
    """
    first = text[:1]
    if first == "0" or first == "4" or first == "n":
        if match := _CANONICAL.fullmatch(text):
            group = match.lastindex
            if group is None or checks(match[group]):
                return text
        elif match := _SCAN.fullmatch(text):
            if match.lastindex == 3:
                if checks(match[3]):
                    return f"00/{match[3]}"
            elif checks(match[1]):
                return f"01/{match[1]}/21/{match[2]}"
        elif (match := _PACK.fullmatch(text)) and checks(match[1]):
            return f"01/{match[1]}/21/{match[2]}"
    elif first == "]":
        if (match := _PACK.fullmatch(text)) and checks(match[1]):
            return f"01/{match[1]}/21/{match[2]}"
    elif first == "8" and _NMPA.fullmatch(text):
        return f"nmpa/{text}"
    elif first == "h":
        link = _LINK.fullmatch(text)
        if link and (match := _CANONICAL.fullmatch(link[1])) and checks(match[match.lastindex or 0]):
            return link[1]
    elif first == "u":
        if match := _SGTIN.fullmatch(text):
            prefix, lead, item, serial = match.groups()
            body = lead + prefix + item
            if len(body) == 13:
                return f"01/{body}{check_digit(body)}/21/{serial}"
        elif match := _SSCC.fullmatch(text):
            prefix, lead, reference = match.groups()
            body = lead + prefix + reference
            if len(body) == 17:
                return f"00/{body}{check_digit(body)}"
        elif match := _SGLN.fullmatch(text):
            prefix, reference, extension = match.groups()
            body = prefix + reference
            if len(body) == 12:
                gln = f"414/{body}{check_digit(body)}"
                return gln if extension == "0" else f"{gln}/254/{extension}"
    return parse(text).id


# ---- writing -----------------------------------------------------------------------------------


def _pairs(id: str) -> list[tuple[str, str]] | None:  # noqa: A002 - "id" is the word of the whole library
    """A canonical id's (AI, value) pairs, None for NMPA codes and plain URIs. CodeError if not canonical."""
    if (wanted := canonical(id)) != id:
        raise CodeError(f"{id[:80]!r} is no canonical id; its canonical form is {wanted[:80]!r}")
    if ":" in id or id.startswith("nmpa/"):
        return None
    segments = id.split("/")
    return [(ai, unescape(value)) for ai, value in zip(segments[::2], segments[1::2], strict=True)]


def format_element_string(id: str) -> str:  # noqa: A002 - as above
    """A canonical id as a scanner would send it, without symbology identifier; an NMPA code as its 20 digits.

    CodeError for a plain URI, which no element string can carry.
    """
    pairs = _pairs(id)
    if pairs is None:
        if ":" in id:
            raise CodeError(f"{id[:80]!r} is a plain URI: it has no GS1 element string")
        return id.removeprefix("nmpa/")
    text = ""
    for ai, value in pairs:
        text += f"{ai}{value}{'' if ai[:2] in PREDEFINED else GS}"
    return text.removesuffix(GS)


def format_digital_link(id: str) -> str:  # noqa: A002 - as above
    """A canonical id as an absolute URI, for documents that want one: `https://id.gs1.org/...` for GS1 keys.

    A plain URI is itself. An NMPA code has no web address in any standard; it becomes
    `nmpa:81234567890123456789`, which names no host that somebody else controls and which `parse` reads
    back as the same id.
    """
    if _pairs(id) is not None:
        return f"https://id.gs1.org/{id}"
    return id.replace("nmpa/", "nmpa:", 1) if id.startswith("nmpa/") else id


def format_human(id: str) -> str:  # noqa: A002 - as above
    r"""A canonical id to be read by people: `(01)09521234001072(21)BJ0001`.

    A bracket inside a value is written `\(`, so that `parse` reads the text back. NMPA codes are their
    20 digits, plain URIs themselves.
    """
    pairs = _pairs(id)
    if pairs is None:
        return id.removeprefix("nmpa/")
    return "".join("({}){}".format(ai, value.replace("(", "\\(")) for ai, value in pairs)


def split(id: str) -> tuple[str, str]:  # noqa: A002 - as above
    """An id before and after its last `/`: `('01/09521234001072/21/', 'BJ0001')`; `('', id)` without one.

    The two joined are the id, so ids of one product can share their first part.
    """
    head, slash, tail = id.rpartition("/")
    return head + slash, tail
