"""GS1 Application Identifiers (AIs): which there are, how long, of which characters, and element strings.

An element string is AI after AI without punctuation. AIs of a predefined length (GS1 General
Specifications 7.8) are simply followed by the next; every other value runs to the next GS (0x1D, what a
scanner sends for FNC1) or to the end. So a scanner that drops GS makes one value swallow the next AI:
`read` says so where a value does not fit, and `swallowed` names the suspicion where it does fit.
"""

from __future__ import annotations

import datetime as dt
import re

from tracechain.errors import CodeError
from tracechain.identifiers.check_digits import verify

__all__ = ["GS", "PREDEFINED", "fits", "parse_date", "read", "read_bracketed", "swallowed", "validate"]

GS = "\x1d"

# GS1 character set 82 (X), set 39 (Y), and base64url (Z).
_CLASSES = {"N": "[0-9]", "X": r"[!\"%-?A-Z_a-z]", "Y": "[#\\-/0-9A-Z]", "Z": "[\\-0-9A-Z_a-z]"}

# Format -> AIs. A format is a list of components: N6 exactly six, X..20 one to twenty, X..16? up to
# sixteen or none.
_FORMATS = {
    "N18": "00 8006 8017 8018 8026",
    "N14": "01 02 03 8001",
    "N13": "410 411 412 413 414 415 416 417 7001",
    "N6": "11 12 13 15 16 17 3950 3951 3952 3953 3954 3955 4326 7006 8005",
    "N2": "20 7241",
    "N3": "422 424 426",
    "N4": "8111 3940 3941 3942 3943",
    "N8": "7250",
    "N10": "4324 4325 7003",
    "N12": "7251",
    "N15": "8040 8041",
    "N17": "402",
    "N20": "4309",
    "N32": "8042",
    "N1": "4321 4322 4323 7252",
    "N..4": "7004",
    "N..6": "242",
    "N..8": "30 37",
    "N..10": "8019",
    "N..12": "8011",
    "N..15": " ".join(f"39{kind}{places}" for kind in "02" for places in range(10)),
    "N3 N..15": " ".join(f"39{kind}{places}" for kind in "13" for places in range(10)),
    "N3 N..12?": "423 425",
    "N6 N6?": "7007",
    "N6 N4?": "7011",
    "N8 N..4?": "8008",
    "N18 N..2?": "8043",
    "N13 N..12?": "255",
    "X2": "4307 4317",
    "X4": "7040",
    "X..2": "7010",
    "X..3": "427 7008",
    "X..4": "7041",
    "X..10": "7009 7255",
    "X..12": "7005",
    "X..20": "10 21 22 243 254 420 4318 710 711 712 713 714 715 716 717 7020 7021 7022 7240 8002 8012",
    "X..25": "7242 8013 8014 8020",
    "X..28": "235",
    "X..30": "240 241 250 251 400 401 403 4308 4319 7002 7023 8004 90",
    "X..34": "8007",
    "X..35": "4300 4301 4310 4311 4320",
    "X..40": "7253 7254 7259",
    "X..50": "8009",
    "X..70": "4302 4303 4304 4305 4306 4312 4313 4314 4315 4316 7257 8110 8112 8200",
    "X..90": "91 92 93 94 95 96 97 98 99 7256",
    "X3 X..27": " ".join(f"723{n}" for n in range(10)),
    "N3 X..9": "421",
    "N3 X..27": " ".join(f"703{n}" for n in range(10)),
    "N13 X..17?": "253",
    "N14 X..16?": "8003",
    "N6 X1?": "4330 4331 4332 4333",
    "N1 X1 N1": "7258",
    "Y..30": "8010",
    "Z..90": "8030",
}

# Trade measures 31nn-36nn: six digits, the fourth digit of the AI says where the decimal point is.
_MEASURES = (*range(310, 317), *range(320, 338), *range(340, 358), *range(360, 370))


def _pattern(form: str) -> re.Pattern[str]:
    """A format as a regular expression."""
    parts = []
    for item in form.split():
        optional = item.endswith("?")
        kind, size = _CLASSES[item[0]], item[1:].rstrip("?")
        most = size.removeprefix("..")
        least = "1" if size != most else most
        part = f"{kind}{{{least},{most}}}"
        parts.append(f"(?:{part})?" if optional else part)
    return re.compile("".join(parts))


def _table() -> dict[str, tuple[str, re.Pattern[str]]]:
    table: dict[str, tuple[str, re.Pattern[str]]] = {}
    for form, ais in _FORMATS.items():
        pattern = _pattern(form)
        table.update((ai, (form, pattern)) for ai in ais.split())
    six = table["11"]
    table.update((f"{measure}{places}", six) for measure in _MEASURES for places in range(6))
    return table


_AIS = _table()
_LONGEST = {form: sum(int(item[1:].strip(".?")) for item in form.split()) for form in _FORMATS}

# How long an AI is, by its first two digits (General Specifications 3.2).
_AI_LENGTH = dict.fromkeys(("00", "01", "02", "03", "10", "11", "12", "13", "15", "16", "17"), 2)
_AI_LENGTH |= dict.fromkeys(("20", "21", "22", "30", "37", *map(str, range(90, 100))), 2)
_AI_LENGTH |= dict.fromkeys(("23", "24", "25", "40", "41", "42", "71"), 3)
_AI_LENGTH |= dict.fromkeys(("31", "32", "33", "34", "35", "36", "39", "43", "70", "72", "80", "81", "82"), 4)

# Data length of the AIs that need no separator behind them, by their first two digits.
PREDEFINED = {"00": 18, "01": 14, "02": 14, "03": 14, "20": 2, "41": 13}
PREDEFINED |= dict.fromkeys(("11", "12", "13", "15", "16", "17"), 6)
PREDEFINED |= dict.fromkeys(("31", "32", "33", "34", "35", "36"), 6)

# AI -> (name, where the number with its check digit begins and ends).
_CHECKED = {
    "00": ("SSCC", 0, 18),
    "01": ("GTIN", 0, 14),
    "02": ("GTIN", 0, 14),
    "03": ("GTIN", 0, 14),
    "8006": ("GTIN", 0, 14),
    "8026": ("GTIN", 0, 14),
    "8003": ("GRAI", 1, 14),
    "8017": ("GSRN", 0, 18),
    "8018": ("GSRN", 0, 18),
    "253": ("GDTI", 0, 13),
    "255": ("GCN", 0, 13),
    "402": ("GSIN", 0, 17),
} | {f"41{n}": ("GLN", 0, 13) for n in range(8)}

_DATES = frozenset(("11", "12", "13", "15", "16", "17", "7003", "7006"))

# Keys that begin with a GS1 company prefix but carry no check digit: at least four digits in front.
_PREFIXED = frozenset(("401", "8004", "8010"))
_PREFIX = re.compile("[0-9]{4}")


def parse_date(value: str, year: int = 2000) -> dt.date:
    """YYMMDD as a date; day 00 is the last day of the month.

    The century is the one that puts the date at most 49 years before or 50 years after `year`
    (General Specifications 7.12): by default the fixed window 1951-2050, since a pure function has no
    clock and one scan has to mean the same date for ever.
    """
    century, two = year - year % 100, int(value[:2])
    ahead = two - year % 100
    full = century + two + (-100 if ahead >= 51 else 100 if ahead <= -50 else 0)
    month, day = int(value[2:4]), int(value[4:6])
    try:
        if day:
            return dt.date(full, month, day)
        first_of_next = dt.date(full + month // 12, month % 12 + 1, 1) if 1 <= month <= 12 else None
    except ValueError:
        first_of_next = None
    if first_of_next is None:
        raise CodeError(f"date {value[:6]} (YYMMDD) is not in the calendar")
    return first_of_next - dt.timedelta(days=1)


def fits(ai: str, value: str) -> bool:
    """Whether `value` has the length and characters of AI `ai`; check digit and date are not looked at."""
    return ai in _AIS and _AIS[ai][1].fullmatch(value) is not None


def validate(ai: str, value: str) -> None:
    """CodeError unless `value` has the form, check digit and calendar date that AI `ai` asks for."""
    if ai not in _AIS:
        raise CodeError(f"({ai}) is not a GS1 Application Identifier")
    form, pattern = _AIS[ai]
    if not pattern.fullmatch(value):
        raise CodeError(f"({ai}) {value[:80]!r}: {len(value)} characters do not fit its format {form}")
    if ai in _CHECKED:
        name, start, stop = _CHECKED[ai]
        verify(name, value[start:stop])
    if ai in _DATES:
        parse_date(value)
    elif ai == "8003" and value[0] != "0":
        raise CodeError(f"(8003) {value!r}: a GRAI begins with the filler digit 0")
    elif ai in ("8006", "8026") and not "00" < value[14:16] <= value[16:18]:
        raise CodeError(f"({ai}) {value!r}: piece {value[14:16]} of {value[16:18]} cannot be")
    elif ai == "8011" and value[0] == "0" and value != "0":
        raise CodeError(f"(8011) {value!r}: a CPI serial has no leading zeros")
    elif ai in _PREFIXED and not _PREFIX.match(value):
        raise CodeError(f"({ai}) {value!r} does not begin with a GS1 company prefix (digits)")


def read(text: str) -> list[tuple[str, str]]:
    """An element string as its (AI, value) pairs, lengths taken apart but values not yet validated."""
    pairs: list[tuple[str, str]] = []
    position, end = 0, len(text)
    while position < end:
        size = _AI_LENGTH.get(text[position : position + 2], 0)
        ai = text[position : position + size]
        if ai not in _AIS:
            raise CodeError(
                f"element string {text[:80]!r}: no GS1 Application Identifier at position {position + 1}"
                + (f" (behind ({pairs[-1][0]}))" if pairs else "")
            )
        start = position + size
        predefined = PREDEFINED.get(ai[:2])
        if predefined is None:
            stop = text.find(GS, start)
            stop = end if stop < 0 else stop
            if stop - start > _LONGEST[_AIS[ai][0]]:
                raise CodeError(
                    f"({ai}) {text[start:stop][:80]!r}: {stop - start} characters do not fit its format "
                    f"{_AIS[ai][0]}; has the scanner dropped the separator (FNC1) behind it?"
                )
        else:
            stop = start + predefined
        pairs.append((ai, text[start:stop]))
        # A separator behind a predefined length is not needed but tolerated; so is one at the very end.
        position = stop + 1 if text[stop : stop + 1] == GS else stop
    return pairs


_BRACKET = re.compile(r"\(([0-9]{2,4})\)")


def read_bracketed(text: str) -> list[tuple[str, str]]:
    r"""`(01)...(21)...` as (AI, value) pairs; a bracket that belongs to a value is written `\(`."""
    pairs: list[tuple[str, str]] = []
    marks = [m for m in _BRACKET.finditer(text) if text[m.start() - 1 : m.start()] != "\\"]
    if not marks or marks[0].start() != 0:
        raise CodeError(f"code {text[:80]!r}: does not begin with an Application Identifier in brackets, as in (01)")
    for mark, following in zip(marks, [*marks[1:], None], strict=True):
        stop = following.start() if following else len(text)
        pairs.append((mark[1], text[mark.end() : stop].replace("\\(", "(")))
    return pairs


_DATE_AT_END = re.compile(r".+?(17)([0-9]{2}(?:0[1-9]|1[0-2])(?:[0-2][0-9]|3[01]))(?:10.+)?")
_SERIAL_INSIDE = re.compile(r".+?(21).+")


def swallowed(pairs: list[tuple[str, str]]) -> str | None:
    """Words about a last value that looks as if a dropped separator let it swallow another AI, or None.

    Only the last value can have done so without being noticed. A lot that merely contains 21 looks the
    same: it is a suspicion, not an error.
    """
    ais = {ai for ai, _ in pairs}
    ai, value = pairs[-1]
    if "01" not in ais or ai not in ("10", "21"):
        return None
    found = _SERIAL_INSIDE.fullmatch(value) if ai == "10" and "21" not in ais else None
    if not found and "17" not in ais:
        found = _DATE_AT_END.fullmatch(value)
    if not found:
        return None
    return (
        f"ambiguous: ({ai}) {value!r} may have swallowed ({found[1]}), no separator (FNC1) behind it; "
        "configure the scanner to send GS"
    )
