"""From a class of fields to a record's body and to a mapping, and back, strictly.

A register is a frozen class whose fields are annotated with their forms. From these alone come its spellings:

    value = Product.from_mapping(mapping, "product.toml")    a file's object, every fault named at once
    record = value.record(version=2)                         the entry of the log: the values in order of the fields
    Product.from_record(record) == value                     strict: decode, encode again, compare
    value.mapping()                                          plain JSON values

The subject of a record is `urn:tracechain:<kind>:<id>`: what is registered has a chain of its own, like a pack.
"""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Self, TypeAlias, get_args, get_type_hints

import attrs
from attrs import frozen

from tracechain.errors import DecodeError, InputError
from tracechain.record import Record
from tracechain.registers.forms import (
    Count,
    Date,
    Fingerprint,
    Form,
    Ident,
    Items,
    Number,
    Pattern,
    ProductCode,
    Reference,
    Words,
    show,
)

__all__ = [
    "Country",
    "Day",
    "Days",
    "Digest",
    "Document",
    "Documents",
    "Fields",
    "Id",
    "Label",
    "Name",
    "ProductId",
    "ProductIds",
    "References",
    "Register",
    "Text",
    "Whole",
    "Yuan",
    "subject_of",
]

Name: TypeAlias = Annotated[str, Words("a name of one line")]
Text: TypeAlias = Annotated[str, Words("a text of one line", 8192)]
#: A name that stands in a subject: of a scope list, a profile, a case.
Label: TypeAlias = Annotated[
    str, Pattern("1 to 64 letters, digits, '.', '_' and '-'", "[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
]
Id: TypeAlias = Annotated[str, Ident()]
ProductId: TypeAlias = Annotated[str, ProductCode()]
ProductIds: TypeAlias = Annotated[tuple[str, ...], Items(ProductCode())]
References: TypeAlias = Annotated[tuple[str, ...], Items(Reference(), most=1024)]
Country: TypeAlias = Annotated[str, Pattern("a country as two capital letters (ISO 3166-1)", "[A-Z]{2}")]
Day: TypeAlias = Annotated[dt.date, Date()]
Days: TypeAlias = Annotated[int, Count(36_525)]
Whole: TypeAlias = Annotated[int, Count()]
Yuan: TypeAlias = Annotated[Decimal, Number("0", "1000000000")]
Digest: TypeAlias = Annotated[bytes, Fingerprint()]

#: What a class of fields is made of, found once. A dict, since mypy takes no class of ours for the cache of functools.
_SLOTS: dict[type[Fields], tuple[_Slot, ...]] = {}


@frozen
class _Slot:
    """One field: its form, whether None may stand for nothing, and whether a file may leave it out."""

    name: str
    form: Form
    nullable: bool
    required: bool

    def apply(self, one: Callable[..., Any], value: Any, *what: str) -> Any:
        """`one(value, *what)`, or None for a None that may be."""
        return None if value is None and self.nullable else one(value, *what)


def _slots(part: type[Fields]) -> tuple[_Slot, ...]:
    if (known := _SLOTS.get(part)) is not None:
        return known
    hints = get_type_hints(part, include_extras=True)
    slots = []
    for one in attrs.fields(part):
        hint = hints[one.name]
        options = [option for option in get_args(hint) if hasattr(option, "__metadata__")]
        nullable = not hasattr(hint, "__metadata__")
        form = (options[0] if nullable else hint).__metadata__[0]
        slots.append(_Slot(one.name, form, nullable, one.default is attrs.NOTHING))
    _SLOTS[part] = tuple(slots)
    return _SLOTS[part]


@frozen
class Fields:
    """A frozen class whose fields are all annotated with forms. Built with InputError that names every fault."""

    #: Other names that a file may use: name -> (field, form that reads it).
    ALIASES: ClassVar[Mapping[str, tuple[str, Form]]] = {}

    def __attrs_post_init__(self) -> None:
        faults: list[str] = []
        for slot in _slots(type(self)):
            try:
                value = slot.apply(slot.form.check, getattr(self, slot.name), slot.name)
            except InputError as error:
                faults.append(str(error))
            else:
                object.__setattr__(self, slot.name, value)  # normalised once, frozen ever after
        if faults := faults or self.contradictions():
            raise InputError(f"{self.label()}: {'; '.join(faults)}")

    def contradictions(self) -> list[str]:
        """What is wrong with fields that are right one by one."""
        return []

    @classmethod
    def label(cls) -> str:
        """What messages call it."""
        return cls.__name__.lower()

    def body(self) -> tuple[Any, ...]:
        """The values in order of the fields, as a record holds them."""
        return tuple(slot.apply(slot.form.pack, getattr(self, slot.name)) for slot in _slots(type(self)))

    @classmethod
    def from_body(cls, body: Any, what: str) -> Self:
        """Back from a body; InputError names what cannot be used."""
        slots = _slots(cls)
        if not isinstance(body, tuple) or len(body) != len(slots):
            raise InputError(f"{what} is {show(body)}: it must be an array of {len(slots)} values")
        return cls(**{s.name: s.apply(s.form.unpack, v, s.name) for s, v in zip(slots, body, strict=True)})

    def mapping(self) -> dict[str, Any]:
        """Plain JSON values by name; what is None is left out."""
        values = ((slot, getattr(self, slot.name)) for slot in _slots(type(self)))
        return {slot.name: slot.form.write(value) for slot, value in values if value is not None}

    @classmethod
    def from_mapping(cls, mapping: Any, where: str) -> Self:
        """Read an object of a TOML or JSON file; `where` says which.

        InputError that names every field that is missing, unknown or wrong, with its value and the rule.
        """
        what = f"{where}, {cls.label()}" if where else cls.label()
        if not isinstance(mapping, Mapping):
            raise InputError(f"{what} is {show(mapping)}: it must be a table of fields")
        slots = {slot.name: slot for slot in _slots(cls)}
        values: dict[str, Any] = {}
        faults: list[str] = []
        given: set[str] = set()
        for key, value in mapping.items():
            name, form = cls.ALIASES.get(key) or (key, slots[key].form if key in slots else None)
            if form is None:
                close = difflib.get_close_matches(str(key), [*slots, *cls.ALIASES], 1)
                faults.append(f"unknown field {show(key)}" + (f", did you mean {close[0]!r}?" if close else ""))
                continue
            if name in given:
                faults.append(f"{key} is {show(value)}, and {name} was given already: keep one")
            given.add(name)
            try:
                # A file has no word for None but JSON's null, and only where a field may be left out.
                values[name] = slots[name].apply(form.read, value, key)
            except InputError as error:
                faults.append(str(error))
        faults += [
            f"missing field {slot.name!r}, {slot.form.rule}"
            for slot in slots.values()
            if slot.required and slot.name not in given
        ]
        if faults:
            raise InputError(f"{what}: {'; '.join(faults)}")
        try:
            return cls(**values)
        except InputError as error:
            raise InputError(f"{where}, {error}" if where else str(error)) from None


@frozen
class Nested(Form):
    """A class of fields within another."""

    part: type[Fields]

    @property
    def rule(self) -> str:  # type: ignore[override] # it is only read
        """Its fields."""
        return f"a table of {', '.join(slot.name for slot in _slots(self.part))}"

    def check(self, value: Any, what: str) -> Fields:
        """A value of the class, which checked itself."""
        if not isinstance(value, self.part):
            raise InputError(f"{what} is {show(value)}: it must be a {self.part.__name__}")
        return value

    def pack(self, value: Any) -> Any:
        """Its values in order."""
        return value.body()

    def unpack(self, plain: Any, what: str) -> Any:
        """Back from its values."""
        try:
            return self.part.from_body(plain, self.part.label())
        except InputError as error:
            raise InputError(f"{what}: {error}") from None

    def write(self, value: Any) -> Any:
        """Its values by name."""
        return value.mapping()

    def read(self, given: Any, what: str) -> Any:
        """Back from its values by name."""
        return self.part.from_mapping(given, what)


def subject_of(kind: str, id: str) -> str:  # noqa: A002 - "id" is the word of the whole library
    """The subject, and with it the chain, of what is registered: `urn:tracechain:<kind>:<id>`."""
    return f"urn:tracechain:{kind}:{id}"


@frozen
class Register(Fields):
    """A value that stands in the log as a record of its own kind."""

    KIND: ClassVar[str] = ""
    #: Whose chain the record belongs to: the kind of what is registered, and the field that holds its id.
    CHAIN: ClassVar[tuple[str, str]] = ("", "")

    @classmethod
    def label(cls) -> str:
        """The kind."""
        return cls.KIND

    @property
    def subject(self) -> str:
        """The subject of the record, which names its chain."""
        kind, name = self.CHAIN
        return subject_of(kind, getattr(self, name))

    def record(self, version: int = 0) -> Record:
        """The record for the log. InputError if it is over 65,536 bytes."""
        return Record(self.KIND, self.body(), self.subject, version)

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """Read a record strictly: DecodeError names the kind and the field unless `record` is what we would write."""
        what = f"record {record.kind}"
        if record.kind != cls.KIND:
            raise DecodeError(f"{what}: its kind must be {cls.KIND!r}")
        try:
            value = cls.from_body(record.body, "its body")
        except InputError as error:
            raise DecodeError(f"{what}: {str(error).removeprefix(f'{cls.KIND}: ')}") from None
        again = value.body()
        for slot, ours, found in zip(_slots(cls), again, record.body, strict=True):
            if ours != found:
                raise DecodeError(f"{what}: {slot.name} is {show(found)}, which is written {show(ours)}")
        if record.subject != value.subject:
            raise DecodeError(f"{what}: its subject is {show(record.subject)}, and should be {value.subject!r}")
        return value


@frozen
class Document(Fields):
    """A document that stays outside, by its SHA-256 (S1 III(2), IV(2): agreements, qualifications, introductions)."""

    name: Name
    digest: Digest
    valid_until: Day | None = None


Documents: TypeAlias = Annotated[tuple[Document, ...], Items(Nested(Document), ordered=True, most=64)]
