"""The GS1 mod-10 check digit, and the bare numbers that end in one: GTIN, GLN, SSCC.

From the right of the body the digits weigh 3, 1, 3, ...; the check digit brings the sum to a multiple
of ten (GS1 General Specifications 7.9). It finds every wrong digit, but not swapped neighbours that are
equal or differ by 5.
"""

from __future__ import annotations

import re

from tracechain.errors import CodeError

__all__ = ["check_digit", "checks", "is_gtin", "parse_gln", "parse_gtin", "parse_sscc", "verify"]

# [0-9] and not \d or str.isdigit: those take full-width and Arabic digits as well.
_DIGITS = re.compile(r"[0-9]+")
_FULL_WIDTH = re.compile("[\uff01-\uff5e\u3000]")
PADDING = " \t\r\n"  # not str.strip()'s default, which would also eat a trailing GS (0x1D)


def clean(text: str) -> str:
    """`text` without scanner padding at its ends; CodeError for full-width characters and inner spaces."""
    text = text.strip(PADDING)
    if not text:
        raise CodeError("empty code: nothing was scanned")
    if not text.isascii() and (found := _FULL_WIDTH.search(text)):
        raise CodeError(
            f"code {text[:80]!r}: full-width digits or letters ({found[0]!r}, place {found.start() + 1}); "
            "configure the scanner or the input method for half-width (ASCII) characters"
        )
    if " " in text:
        raise CodeError(f"code {text[:80]!r}: space at position {text.index(' ') + 1}; a code has no spaces inside")
    return text


def check_digit(body: str) -> str:
    """The check digit for `body`, the number without it: ASCII digits, any length but none."""
    if not _DIGITS.fullmatch(body):
        raise CodeError(f"{body[:80]!r} is no string of digits 0-9: it has no check digit")
    return _check_digit(body)


def _check_digit(body: str) -> str:
    digits = body.encode()
    # A byte is 48 + digit, and 48 = 8 (mod 10): bring that back out with one term a digit.
    heavy, light = digits[::-2], digits[-2::-2]
    return str(-(3 * (sum(heavy) - 48 * len(heavy)) + sum(light) - 48 * len(light)) % 10)


# What 48 a byte adds to the weighted sum of n digits, so that `checks` needs no subtraction a digit.
_BIAS = tuple(48 * (3 * (n // 2) + n - n // 2) % 10 for n in range(32))


def checks(number: str) -> bool:
    """Whether the last of `number`'s digits is right; the caller has made sure of at most 31 ASCII digits."""
    digits = number.encode()
    return (3 * sum(digits[-2::-2]) + sum(digits[::-2])) % 10 == _BIAS[len(digits)]


def verify(name: str, number: str) -> None:
    """CodeError naming the number and the check digit that it should have had."""
    if not checks(number):
        raise CodeError(f"{name} {number}: check digit should be {_check_digit(number[:-1])}; scan again or correct it")


def _parse(name: str, text: str, lengths: tuple[int, ...]) -> str:
    number = clean(text)
    if not _DIGITS.fullmatch(number) or len(number) not in lengths:
        wanted = "/".join(map(str, lengths))
        raise CodeError(f"{name} {number[:80]!r}: {wanted} digits 0-9 wanted, {len(number)} characters found")
    verify(name, number)
    return number


def parse_gtin(text: str) -> str:
    """A bare GTIN-8, -12, -13 or -14 as 14 digits (filled with zeros in front), its check digit verified."""
    return _parse("GTIN", text, (8, 12, 13, 14)).zfill(14)


def is_gtin(text: str) -> bool:
    """Whether `parse_gtin` takes `text`."""
    try:
        parse_gtin(text)
    except CodeError:
        return False
    return True


def parse_gln(text: str) -> str:
    """A bare GLN: 13 digits, its check digit verified."""
    return _parse("GLN", text, (13,))


def parse_sscc(text: str) -> str:
    """A bare SSCC: 18 digits, its check digit verified."""
    return _parse("SSCC", text, (18,))
