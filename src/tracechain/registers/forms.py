"""What a field of a register may hold: one form each, with its three spellings.

    value in Python      in a record's body        in a TOML or JSON file
    date                 "2026-01-31"              2026-01-31 (TOML), "2026-01-31"
    Decimal              (25, -1)                  2.5, "2.5"
    digest, 32 bytes     32 bytes                  64 hexadecimal digits
    (low, high)          ((2, 0), (8, 0))          [2, 8]
    tuple of texts       the array                 the array
    criterion            [1, product, lot], ...    {lot = {product = "...", lot = "..."}}, ...

A form checks and normalises the value (`check`), and takes it to the body and back (`pack`, `unpack`) and to a file
and back (`write`, `read`). Whatever cannot be used is an InputError that begins with the field's name and holds the
value and the rule.
"""

from __future__ import annotations

import datetime as dt
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from attrs import field, frozen

from tracechain import criteria, identifiers
from tracechain.errors import CodeError, DecodeError, InputError
from tracechain.event.values import (
    CONTROL,
    MAX_EXPONENT,
    MAX_ID,
    MAX_MANTISSA,
    check_id,
    check_text,
    decimal_parts,
    normal_decimal,
)

__all__ = [
    "MAX_ITEMS",
    "MAX_REGISTER_ID",
    "Between",
    "Choice",
    "Code",
    "Count",
    "Date",
    "Fingerprint",
    "Flag",
    "Form",
    "Ident",
    "Items",
    "Number",
    "Pattern",
    "ProductCode",
    "Reference",
    "Which",
    "Words",
    "show",
]

#: Bytes of an id in a register: with what stands before it, it has to fit into a subject (format.md section 7).
MAX_REGISTER_ID = 400
#: Items of a list, unless a form says less: a scope list of more does not fit into one record either.
MAX_ITEMS = 4096

_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DECIMAL = re.compile("-?[0-9]{1,20}(?:[.][0-9]{1,20})?")
_HEX = re.compile("[0-9a-f]{64}")
# A plain name has no scheme, no slash and no digit in front, so it is never taken for a code or an address.
_PLAIN_NAME = re.compile("[A-Za-z][A-Za-z0-9._-]*")
# NMPA drug traceability codes: the first seven of the twenty digits are the product's.
_NMPA_PRODUCT = re.compile("nmpa/[0-9]{7}")
_GTIN_ID = re.compile("01/[0-9]{14}")


def show(value: object) -> str:
    """A value as messages quote it: never long, never more than one line."""
    if isinstance(value, dt.date | Decimal):
        return f"{value!s:.100}"
    try:
        return f"{value!r:.100}"
    except (ValueError, RecursionError):  # a number of thousands of digits; lists within lists without end
        return f"<{type(value).__name__}, too large to show>"


class Form(ABC):
    """What a field may hold. `rule` says it in words."""

    rule: str

    @abstractmethod
    def check(self, value: Any, what: str) -> Any:
        """The value, normalised; InputError if it breaks the rule."""

    def pack(self, value: Any) -> Any:
        """As it stands in a record's body."""
        return value

    def unpack(self, plain: Any, what: str) -> Any:
        """Back from a body; `check` follows."""
        del what
        return plain

    def write(self, value: Any) -> Any:
        """As it stands in a JSON file."""
        return value

    def read(self, given: Any, what: str) -> Any:
        """Back from a TOML or JSON file, checked."""
        return self.check(given, what)

    def fault(self, value: object, what: str) -> InputError:
        """What to raise for a value that breaks the rule."""
        return InputError(f"{what} is {show(value)}: it must be {self.rule}")


@frozen
class Words(Form):
    """A line of text."""

    rule: str
    most: int = MAX_ID

    def check(self, value: Any, what: str) -> str:
        """A text of one line in NFC, without space at its ends."""
        if type(value) is not str or not value or value != value.strip():
            raise self.fault(value, what)
        check_text(value, what, self.most, CONTROL)
        return value


@frozen
class Pattern(Form):
    """A text of a given form."""

    rule: str
    pattern: re.Pattern[str] = field(converter=re.compile)

    def check(self, value: Any, what: str) -> str:
        """A text that the pattern matches as a whole."""
        if type(value) is not str or not self.pattern.fullmatch(value):
            raise self.fault(value, what)
        return value


@frozen
class Choice(Form):
    """One of a few words."""

    words: tuple[str, ...]

    @property
    def rule(self) -> str:  # type: ignore[override] # it is only read
        """The words."""
        return "one of " + ", ".join(map(repr, self.words))

    def check(self, value: Any, what: str) -> str:
        """One of the words."""
        if type(value) is not str or value not in self.words:
            raise self.fault(value, what)
        return value


@frozen
class Ident(Form):
    """An id of a party or a place."""

    rule: str = "a canonical id such as 414/9521234000020, a URI, or a name of letters, digits, '.', '_' and '-'"

    def check(self, value: Any, what: str) -> str:
        """A canonical id or a plain name: one spelling only, since it names a chain."""
        if type(value) is not str or not value:
            raise self.fault(value, what)
        check_id(value, what)
        if len(value.encode()) > MAX_REGISTER_ID:
            raise InputError(f"{what} {show(value)} has {len(value.encode())} bytes, at most {MAX_REGISTER_ID} fit")
        if not _PLAIN_NAME.fullmatch(value) and (wanted := _canonical(value, what)) != value:
            raise InputError(f"{what} is {show(value)}: its canonical form is {wanted!r}")
        return value

    def read(self, given: Any, what: str) -> str:
        """Any spelling of a code, made canonical."""
        if type(given) is str and given and not _PLAIN_NAME.fullmatch(given):
            given = _canonical(given, what)
        return self.check(given, what)


@frozen
class ProductCode(Form):
    """The id of a product: of a class of packs, not of one pack."""

    rule: str = "the id of a product, 01/ and 14 digits or nmpa/ and 7 digits"

    def check(self, value: Any, what: str) -> str:
        """A canonical class id with the right check digit."""
        if type(value) is not str or not (_GTIN_ID.fullmatch(value) or _NMPA_PRODUCT.fullmatch(value)):
            raise self.fault(value, what)
        if value.startswith("01/"):
            _canonical(value, what)
        return value

    def read(self, given: Any, what: str) -> str:
        """Any spelling of a GTIN that says that it is one, made canonical."""
        if type(given) is str and given and not _NMPA_PRODUCT.fullmatch(given):
            given = _canonical(given, what)
        return self.check(given, what)


@frozen
class Code(Form):
    """A bare GTIN, as files give it beside the id."""

    rule: str = "a GTIN in quotes, of 8, 12, 13 or 14 digits with the right check digit"

    def check(self, value: Any, what: str) -> str:
        """The product's id."""
        if type(value) is not str:
            raise self.fault(value, what)
        try:
            return f"01/{identifiers.parse_gtin(value)}"
        except CodeError as error:
            raise InputError(f"{what}: {error}") from None


@frozen
class Reference(Form):
    """The id of anything at all: a pack, a lot, an order."""

    rule: str = "an id without spaces"

    def check(self, value: Any, what: str) -> str:
        """An id, canonical where it is a code; a false code may be just what a case is about, so it stays."""
        if type(value) is not str or not value:
            raise self.fault(value, what)
        check_id(value, what)
        try:
            return identifiers.canonical(value)
        except CodeError:
            return value


@frozen
class Flag(Form):
    """True or false."""

    rule: str = "true or false"

    def check(self, value: Any, what: str) -> bool:
        """A bool."""
        if type(value) is not bool:
            raise self.fault(value, what)
        return value


@frozen
class Count(Form):
    """A whole number."""

    most: int = (1 << 31) - 1
    least: int = 0

    @property
    def rule(self) -> str:  # type: ignore[override] # it is only read
        """The range."""
        return f"a whole number from {self.least} to {self.most}"

    def check(self, value: Any, what: str) -> int:
        """An int in range; neither a bool nor a text."""
        if type(value) is not int or not self.least <= value <= self.most:
            raise self.fault(value, what)
        return value


@frozen
class Number(Form):
    """An exact number."""

    least: Decimal = field(converter=Decimal)
    most: Decimal = field(converter=Decimal)

    @property
    def rule(self) -> str:  # type: ignore[override] # it is only read
        """The range."""
        return f"an exact number from {self.least} to {self.most}"

    def check(self, value: Any, what: str) -> Decimal:
        """A Decimal (or an int) in range, normalised."""
        number = normal_decimal(value, what)
        if not self.least <= number <= self.most:
            raise self.fault(value, what)
        return number

    def pack(self, value: Any) -> tuple[int, int]:
        """Mantissa and exponent."""
        return decimal_parts(value)

    def unpack(self, plain: Any, what: str) -> Decimal:
        """Back from mantissa and exponent."""
        match plain:
            case (int() as mantissa, int() as exponent) if type(mantissa) is int and type(exponent) is int:
                if abs(mantissa) <= MAX_MANTISSA and abs(exponent) <= MAX_EXPONENT:
                    return Decimal((int(mantissa < 0), Decimal(abs(mantissa)).as_tuple().digits, exponent))
        raise InputError(f"{what} is {show(plain)}: it must be a mantissa and an exponent")

    def write(self, value: Any) -> str:
        """As text, since JSON's readers make binary floats of numbers."""
        return f"{value:f}"

    def read(self, given: Any, what: str) -> Decimal:
        """From a number of a file, or its text."""
        if type(given) is str and _DECIMAL.fullmatch(given):
            given = Decimal(given)
        if type(given) is not int and not isinstance(given, Decimal):
            hint = " and a float is not exact: give a Decimal, or text" if type(given) is float else ""
            raise InputError(f"{self.fault(given, what)}{hint}")
        return self.check(given, what)


@frozen
class Between(Form):
    """A range of exact numbers, both ends in it."""

    number: Number

    @property
    def rule(self) -> str:  # type: ignore[override] # it is only read
        """The range."""
        return f"[low, high], each {self.number.rule}"

    def _ends(self, value: Any, what: str) -> tuple[Any, Any]:
        if not isinstance(value, tuple | list) or len(value) != 2:
            raise self.fault(value, what)
        return value[0], value[1]

    def check(self, value: Any, what: str) -> tuple[Decimal, Decimal]:
        """(low, high), low not over high."""
        low, high = self._ends(value, what)
        ends = self.number.check(low, f"{what}[0]"), self.number.check(high, f"{what}[1]")
        if ends[0] > ends[1]:
            raise InputError(f"{what} is from {low} to {high}: the lower end comes first")
        return ends

    def pack(self, value: Any) -> Any:
        """Both ends."""
        return tuple(map(self.number.pack, value))

    def unpack(self, plain: Any, what: str) -> Any:
        """Both ends."""
        low, high = self._ends(plain, what)
        return self.number.unpack(low, f"{what}[0]"), self.number.unpack(high, f"{what}[1]")

    def write(self, value: Any) -> Any:
        """Both ends."""
        return [self.number.write(end) for end in value]

    def read(self, given: Any, what: str) -> Any:
        """Both ends."""
        low, high = self._ends(given, what)
        return self.check((self.number.read(low, f"{what}[0]"), self.number.read(high, f"{what}[1]")), what)


@frozen
class Date(Form):
    """A day."""

    rule: str = "a date that exists, such as 2026-01-31"

    def check(self, value: Any, what: str) -> dt.date:
        """A date, not a date with a time."""
        if type(value) is not dt.date:
            raise self.fault(value, what)
        return value

    def pack(self, value: Any) -> str:
        """YYYY-MM-DD."""
        text: str = value.isoformat()
        return text

    def write(self, value: Any) -> str:
        """YYYY-MM-DD."""
        return self.pack(value)

    def unpack(self, plain: Any, what: str) -> dt.date:
        """From YYYY-MM-DD; full-width digits and a 29 February of other years do not pass."""
        if type(plain) is str and _DATE.fullmatch(plain):
            try:
                return dt.date.fromisoformat(plain)
            except ValueError:
                raise InputError(f"{what} is {plain!r}: there is no such date") from None
        raise self.fault(plain, what)

    def read(self, given: Any, what: str) -> dt.date:
        """TOML's own date, or its text."""
        return self.check(given if type(given) is dt.date else self.unpack(given, what), what)


@frozen
class Fingerprint(Form):
    """The SHA-256 of a document that stays outside."""

    rule: str = "the SHA-256 of the document, 64 hexadecimal digits in lower case"

    def check(self, value: Any, what: str) -> bytes:
        """32 bytes."""
        if type(value) is not bytes or len(value) != 32:
            raise InputError(f"{what} is {show(value)}: it must be a SHA-256 of 32 bytes")
        return value

    def write(self, value: Any) -> str:
        """Hexadecimal."""
        text: str = value.hex()
        return text

    def read(self, given: Any, what: str) -> bytes:
        """From hexadecimal."""
        if type(given) is not str or not _HEX.fullmatch(given):
            raise self.fault(given, what)
        return bytes.fromhex(given)


@frozen
class Which(Form):
    """A criterion: which packs are meant."""

    rule: str = "a criterion"

    def check(self, value: Any, what: str) -> criteria.Criterion:
        """A criterion, which checked itself."""
        if not isinstance(value, criteria.Criterion):
            raise self.fault(value, what)
        return value

    def pack(self, value: Any) -> Any:
        """Its plain form."""
        return criteria.to_plain(value)

    def unpack(self, plain: Any, what: str) -> criteria.Criterion:
        """Back from its plain form."""
        try:
            return criteria.from_plain(plain)
        except DecodeError as error:
            raise InputError(f"{what}: {error}") from None

    def write(self, value: Any) -> Any:
        """As `criteria.files` has it."""
        return criteria.to_json(value)

    def read(self, given: Any, what: str) -> criteria.Criterion:
        """Back from that."""
        try:
            return criteria.from_json(given)
        except InputError as error:
            raise InputError(f"{self.fault(given, what)}: {error}") from None


@frozen
class Items(Form):
    """A list. `ordered` says that the order is the author's; otherwise it is sorted, each once."""

    item: Form
    ordered: bool = False
    least: int = 0
    most: int = MAX_ITEMS

    @property
    def rule(self) -> str:  # type: ignore[override] # it is only read
        """What the items are, and how many."""
        return f"a list of {self.least} to {self.most}, each {self.item.rule}"

    def _sized(self, value: Any, what: str) -> Any:
        if not isinstance(value, tuple | list):
            raise self.fault(value, what)
        if not self.least <= len(value) <= self.most:
            raise InputError(f"{what} has {len(value)} items: it must have {self.least} to {self.most}")
        return value

    def _each(self, one: Any, values: Iterable[Any], what: str) -> tuple[Any, ...]:
        return tuple(one(value, f"{what}[{place}]") for place, value in enumerate(values))

    def check(self, value: Any, what: str) -> tuple[Any, ...]:
        """Every item checked."""
        found = self._each(self.item.check, self._sized(value, what), what)
        return found if self.ordered else tuple(sorted(set(found)))

    def pack(self, value: Any) -> Any:
        """Every item."""
        return tuple(map(self.item.pack, value))

    def unpack(self, plain: Any, what: str) -> Any:
        """Every item."""
        return self._each(self.item.unpack, self._sized(plain, what), what)

    def write(self, value: Any) -> Any:
        """Every item."""
        return list(map(self.item.write, value))

    def read(self, given: Any, what: str) -> Any:
        """Every item."""
        return self.check(self._each(self.item.read, self._sized(given, what), what), what)


def _canonical(text: str, what: str) -> str:
    try:
        return identifiers.canonical(text)
    except CodeError as error:
        raise InputError(f"{what} is {show(text)}: {error}") from None
