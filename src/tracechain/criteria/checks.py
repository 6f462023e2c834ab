"""What a criterion may hold: products, ids, texts, times. InputError says what cannot be used, and what to do."""

from __future__ import annotations

import re

from tracechain import identifiers
from tracechain.errors import CodeError, InputError
from tracechain.event.times import MAX_TIME, MIN_TIME
from tracechain.event.values import CONTROL, MAX_ID, check_id, check_text

__all__ = ["canonical_id", "check_line", "check_named", "check_product", "check_time", "check_window"]

_PRODUCT = re.compile("01/[0-9]{14}|nmpa/[0-9]{7}")
# A plain name has no scheme, no slash and no digit in front, so it is never taken for a code or an address.
_PLAIN_NAME = re.compile("[A-Za-z][A-Za-z0-9._-]*")


def check_product(product: object) -> None:
    """The id of a product, with the right check digit."""
    if type(product) is not str or not _PRODUCT.fullmatch(product):
        raise InputError(
            f"product is {product!r:.100}: it must be the id of a product, 01/ and 14 digits or nmpa/ and 7 digits"
        )
    if product.startswith("01/"):
        try:
            identifiers.canonical(product)
        except CodeError as error:
            raise InputError(f"product is {product!r}: {error}") from None


def check_line(text: object, what: str) -> None:
    """A text of one line, as labels and registers have them."""
    if type(text) is not str or not text or text != text.strip():
        raise InputError(f"{what} is {text!r:.100}: it must be a text of one line, without space at its ends")
    check_text(text, what, MAX_ID, CONTROL)


def check_named(text: object, what: str) -> None:
    """An id in its canonical spelling: one that is no code, or a false one, is just what a recall may be about."""
    if type(text) is not str:
        raise InputError(f"{what} is {text!r:.100}: it must be an id")
    check_id(text, what)
    if (wanted := canonical_id(text)) != text:
        raise InputError(f"{what} is {text!r:.100}: its canonical form is {wanted!r}")


def canonical_id(text: str) -> str:
    """The canonical spelling of a code; a plain name, and whatever is no code, stays."""
    if _PLAIN_NAME.fullmatch(text):
        return text
    try:
        return identifiers.canonical(text)
    except CodeError:
        return text


def check_time(time: object, what: str) -> None:
    """Nanoseconds as an event has them."""
    if type(time) is not int or not MIN_TIME <= time <= MAX_TIME:
        raise InputError(f"{what} is {time!r:.100}: it must be a signed 64-bit number of nanoseconds")


def check_window(start: int, stop: int) -> None:
    """A start that is not behind its stop."""
    if start > stop:
        raise InputError(f"start is {start} and stop {stop}: the start comes first")
