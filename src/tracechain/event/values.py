"""What events are made of: ids, texts, exact numbers, and extension fields with their values.

Numbers are decimals: mantissa x 10^exponent with |mantissa| < 2^63 and no trailing zero, exponent from -64 to 64.
There are no floats, so what a sensor reported is what is hashed. An array and an object are distinct classes.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from attrs import field, frozen

from tracechain.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracechain.event.vocabulary import Vocabulary

__all__ = [
    "MAX_DEPTH",
    "MAX_ID",
    "MAX_LIST",
    "MAX_TEXT",
    "OWN_NAMESPACE",
    "Array",
    "Extension",
    "Object",
    "Value",
    "check_id",
    "check_ids",
    "check_name",
    "check_size",
    "check_term",
    "check_text",
    "check_uri",
    "decimal_parts",
    "normal_decimal",
    "optional_number",
    "sorted_extensions",
    "sorted_uris",
]

MAX_ID = 480  # bytes of UTF-8 of an id, a URI, a name; an LMDB key has at most 511
MAX_TEXT = 16_384  # bytes of UTF-8 of a text value
MAX_LIST = 32_768  # items of a list: more cannot fit into one content
MAX_DEPTH = 16  # arrays and objects within each other in an extension value
MAX_MANTISSA = (1 << 63) - 1
MAX_EXPONENT = 64

# Where `person` and `private` stand in documents of other formats; no vendor field of an event may claim it.
OWN_NAMESPACE = "urn:tracechain:"

# EPCIS texts are text documents' values, so line breaks and tabs stay; any other control character is
# refused.
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
CONTROL_BUT_WHITE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
SPACE = re.compile(r"\s")
ABSOLUTE_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^\s<>\"{}|\\^`]+")


def check_text(text: object, what: str, limit: int = MAX_TEXT, control: re.Pattern[str] = CONTROL_BUT_WHITE) -> None:
    """InputError unless `text` is a str of NFC without control characters and of at most `limit` bytes."""
    if type(text) is not str:
        raise InputError(f"{what} is {text!r}: it must be text")
    if not (text.isascii() and text.isprintable()):
        if (match := control.search(text)) is not None:
            raise InputError(f"{what} {text!r:.100} holds a control character at position {match.start()}: remove it")
        try:
            size = len(text.encode())
        except UnicodeEncodeError as error:
            raise InputError(f"{what} {text!r:.100} holds a lone surrogate at position {error.start}") from None
        if not unicodedata.is_normalized("NFC", text):
            raise InputError(f"{what} {text!r:.100} is not in Unicode normal form C: normalise it")
    else:
        size = len(text)
    if size > limit:
        raise InputError(f"{what} {text!r:.100} has {size} bytes, over the limit of {limit}")


def check_id(text: object, what: str) -> None:
    """InputError unless `text` can be an id or a URI: not empty, no spaces, at most 512 bytes."""
    if type(text) is str and 0 < len(text) <= MAX_ID and text.isascii() and text.isprintable() and " " not in text:
        return
    check_name(text, what)
    if (match := SPACE.search(str(text))) is not None:
        raise InputError(f"{what} {text!r:.100} holds a space at position {match.start()}: remove it")


def check_name(text: object, what: str) -> None:
    """InputError unless `text` can be a name: not empty, one line, at most 512 bytes."""
    if text == "":
        raise InputError(f"{what} is empty: leave it out, or say what it is")
    check_text(text, what, MAX_ID, CONTROL)


def check_uri(text: object, what: str) -> None:
    """InputError unless `text` is an absolute URI (or IRI)."""
    check_id(text, what)
    if ABSOLUTE_URI.fullmatch(str(text)) is None:
        raise InputError(f"{what} is {text!r:.100}: it must be an absolute URI, such as urn:... or https://...")


def check_term(text: object, vocabulary: Vocabulary, what: str) -> None:
    """InputError unless `text` is a bare standard name of `vocabulary`, or another absolute URI."""
    if type(text) is str and text in vocabulary.codes:
        return
    check_id(text, what)
    if (fault := vocabulary.fault(str(text))) is not None:
        raise InputError(f"{what} is {text!r:.100}: {fault}")
    check_uri(text, what)


def check_ids(ids: Iterable[str], what: str) -> tuple[str, ...]:
    """`ids`, checked, sorted by code points (which is the order of the UTF-8 bytes), each once."""
    if type(ids) is not tuple:
        if isinstance(ids, str):
            raise InputError(f"{what} is the text {ids!r:.100}: it must be a list of ids")
        ids = tuple(ids)
    if len(ids) < 2:
        if ids:
            check_id(ids[0], what)
        return ids
    if len(ids) > MAX_LIST:
        raise InputError(f"{what} has {len(ids)} ids, over the limit of {MAX_LIST}: make several events of it")
    try:
        joined = "".join(ids)
        plain = joined.isascii() and joined.isprintable() and max(map(len, ids)) <= MAX_ID
        plain = plain and " " not in joined and "" not in ids
    except TypeError:
        plain = False
    if not plain:
        for one in ids:
            check_id(one, what)
    ids = tuple(sorted(ids))
    return ids if len(set(ids)) == len(ids) else tuple(sorted(set(ids)))


def sorted_uris(uris: tuple[str, ...], what: str) -> tuple[str, ...]:
    """`uris`, each checked to be absolute, sorted, each once."""
    for one in uris:
        check_uri(one, what)
    return check_ids(uris, what)


def decimal_parts(number: Decimal) -> tuple[int, int]:
    """Mantissa and exponent of `number`, normalised: no trailing zero in the mantissa, zero is (0, 0)."""
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        raise InputError(f"{number} is no number that can be recorded")
    end = len(digits)
    while end and digits[end - 1] == 0:
        end -= 1
    if end == 0:
        return 0, 0
    exponent += len(digits) - end
    start = 0
    while digits[start] == 0:
        start += 1
    mantissa = 0
    if end - start <= 19:
        for digit in digits[start:end]:
            mantissa = mantissa * 10 + digit
    else:
        mantissa = MAX_MANTISSA + 1
    if mantissa > MAX_MANTISSA or not -MAX_EXPONENT <= exponent <= MAX_EXPONENT:
        raise InputError(f"{number!s:.60} is out of range: at most 18 digits, and exponents from -64 to 64")
    return (-mantissa if sign else mantissa), exponent


def normal_decimal(number: object, what: str) -> Decimal:
    """`number` (int or Decimal) as the one Decimal that stands for it; InputError for anything else."""
    if type(number) is int:
        if abs(number) > MAX_MANTISSA * 10**MAX_EXPONENT:
            raise InputError(f"{what} is out of range: at most 18 digits, and exponents from -64 to 64")
        number = Decimal(number)
    elif not isinstance(number, Decimal):
        raise InputError(f"{what} is {number!r:.100}: it must be an exact number, int or Decimal")
    try:
        mantissa, exponent = decimal_parts(number)
    except InputError as error:
        raise InputError(f"{what}: {error}") from None
    # Built from digits: arithmetic would round to the caller's decimal context.
    return Decimal((int(mantissa < 0), Decimal(abs(mantissa)).as_tuple().digits, exponent))


def optional_number(number: object, what: str) -> Decimal | None:
    """`normal_decimal`, or None for None."""
    return None if number is None else normal_decimal(number, what)


def convert_items(items: Iterable[Value | int]) -> tuple[Value, ...]:
    """Items of an array, with int as Decimal."""
    found = tuple(normal_value(item, "an item of an array") for item in items)
    check_size(found, "an array")
    return found


def convert_value(value: Value | int) -> Value:
    """Value of an extension, with int as Decimal."""
    if type(value) is str and len(value) <= 4096 and value.isascii() and value.isprintable():
        return value
    return normal_value(value, "the value of an extension")


@frozen
class Array:
    """An ordered list of values; `depth` counts the arrays and objects within each other, itself included."""

    items: tuple[Value, ...] = field(default=(), converter=convert_items, eq=lambda items: tuple(map(distinct, items)))
    depth: int = field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "depth", nested(self.items))


@frozen
class Object:
    """Named values, sorted by (namespace, name), each name once. A namespace may be empty here."""

    fields: tuple[Extension, ...] = ()
    depth: int = field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        fields = sorted_extensions(self.fields, "an object", bare=True)
        object.__setattr__(self, "fields", fields)
        object.__setattr__(self, "depth", nested(one.value for one in fields))


Value: TypeAlias = str | bool | Decimal | Array | Object | None


def distinct(value: Value) -> tuple[bool, Value]:
    """What tells values apart: for Python, True == 1."""
    return value is True or value is False, value


@frozen
class Extension:
    """A field that is not EPCIS's own: a vendor's, or master data in an ilmd section.

    `namespace` is what the prefix of its name stands for (empty only within an `Object`), `name` the rest. An int as
    value becomes a Decimal.
    """

    namespace: str
    name: str
    value: Value = field(converter=convert_value, eq=distinct)

    def __attrs_post_init__(self) -> None:
        if self.namespace:
            check_id(self.namespace, "an extension's namespace")
        elif self.namespace != "":
            raise InputError(f"an extension's namespace is {self.namespace!r}: it must be text")
        check_name(self.name, "an extension's name")


def nested(values: Iterable[Value]) -> int:
    """One more than the deepest of `values`; InputError over the limit."""
    depth = 1 + max((one.depth for one in values if isinstance(one, Array | Object)), default=0)
    if depth > MAX_DEPTH:
        raise InputError(f"an extension value nests {depth} deep, over the limit of {MAX_DEPTH}")
    return depth


def normal_value(value: object, what: str) -> Value:
    """`value` if it can be recorded, with int as Decimal; InputError otherwise."""
    if type(value) is str:
        check_text(value, what)
        return value
    if value is None or value is True or value is False or type(value) is Array or type(value) is Object:
        return value
    return normal_decimal(value, what)


def check_size(items: object, what: str) -> None:
    """InputError unless `items` is a tuple that is not too long."""
    if type(items) is not tuple:
        raise InputError(f"{what} is {items!r:.100}: it must be a tuple")
    if len(items) > MAX_LIST:
        raise InputError(f"{what} has {len(items)} items, over the limit of {MAX_LIST}")


def sorted_extensions(fields: tuple[Extension, ...], what: str, *, bare: bool = False) -> tuple[Extension, ...]:
    """`fields` sorted by (namespace, name).

    InputError for a name that comes twice or, unless `bare`, has no namespace.
    """
    check_size(fields, what)
    for one in fields:
        if type(one) is not Extension:
            raise InputError(f"{what} holds {one!r:.100}: it must be an Extension")
        if not one.namespace and not bare:
            raise InputError(f"{what} holds {one.name!r:.100} without a namespace: declare a prefix and use it")
    if len(fields) < 2:
        return fields
    result = tuple(sorted(fields, key=lambda one: (one.namespace, one.name)))
    for left, right in pairwise(result):
        if left.namespace == right.namespace and left.name == right.name:
            raise InputError(f"{what} holds {right.namespace + right.name!r:.200} twice: keep one")
    return result
