"""Registers from TOML and JSON files. The one module of this package that reads files.

A file holds one object at its top, or under the name of its kind one or several:

    [[product]]
    gtin = "9521234001072"
    name = "..."
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from tracechain.errors import InputError
from tracechain.registers.fields import Register
from tracechain.registers.forms import show
from tracechain.registers.kinds import KINDS, kind_class

__all__ = ["MAX_FILE", "load", "parse", "read_values"]

#: Bytes of a register file. A record holds 64 KiB, so this is hundreds of them.
MAX_FILE = 16 << 20


def load(path: str | Path, kind: str) -> tuple[Register, ...]:
    """The registers of `kind` in a .toml or .json file, in its order.

    InputError names the file, the place of the object, and every field that is missing, unknown or wrong.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise InputError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > MAX_FILE:
        raise InputError(f"{path} is over {MAX_FILE} bytes: split it")
    return read_values(parse(data, path.suffix.lower().removeprefix("."), str(path)), kind, str(path))


def parse(data: bytes, form: str, where: str) -> dict[str, Any]:
    """The object of a file: `form` is "toml" or "json". Numbers with a point become Decimals, never floats."""
    if form not in {"toml", "json"}:
        raise InputError(f"{where}: its name must end in .toml or .json, so that it is clear how to read it")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{where} is not UTF-8 at byte {error.start}: save it as UTF-8") from None
    try:
        if form == "toml":
            return tomllib.loads(text, parse_float=_decimal)
        found = json.loads(text, parse_float=_decimal, parse_constant=_no_constant, object_pairs_hook=_object)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{where} is no TOML: {error}{_line(text, str(error))}") from None
    except RecursionError:
        raise InputError(f"{where} nests too deep") from None
    except ValueError as error:  # an InputError of ours too
        raise InputError(f"{where} is no {form.upper()}: {error}") from None
    if not isinstance(found, dict):
        raise InputError(f"{where} is {show(found)}: it must be one object, or have the name of its kind above a list")
    return found


def read_values(mapping: Mapping[str, Any], kind: str, where: str) -> tuple[Register, ...]:
    """The registers of `kind` in a file's object."""
    cls = kind_class(kind)
    if kind not in mapping:
        if len(mapping) == 1 and (other := next(iter(mapping))) in KINDS:
            raise InputError(f"{where} holds registers of kind {other!r}, and {kind!r} was asked for")
        return (cls.from_mapping(mapping, where),)
    if others := sorted(str(key) for key in mapping if key != kind):
        raise InputError(f"{where}: beside {kind!r} stands {', '.join(map(repr, others))[:200]}; keep one kind a file")
    found = mapping[kind]
    if isinstance(found, Mapping):
        return (cls.from_mapping(found, where),)
    if not isinstance(found, list) or not found:
        raise InputError(f"{where}: {kind} is {show(found)}: it must be a table or a list of tables")
    faults: list[str] = []
    values: list[Register] = []
    for place, one in enumerate(found, 1):
        try:
            values.append(cls.from_mapping(one, f"{where}, number {place}"))
        except InputError as error:
            faults.append(str(error))
    if faults:
        raise InputError("\n".join(faults))
    return tuple(values)


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:  # an exponent of more than 18 digits
        number = Decimal("NaN")
    if not number.is_finite():
        raise InputError(f"{text:.60} is no number that can be recorded")
    return number


def _no_constant(text: str) -> Any:
    raise InputError(f"{text} is no number that can be recorded")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise InputError(f"{key!r} stands twice in one object: keep one")
        found[key] = value
    return found


def _line(text: str, message: str) -> str:
    """The line that a message of tomllib is about, so that the field and its value are named."""
    _, found, rest = message.rpartition("(at line ")
    number = rest.partition(",")[0]
    lines = text.replace("\r\n", "\n").split("\n")  # as tomllib counts them
    if found and number.isascii() and number.isdigit() and 0 < int(number) <= len(lines):
        return f", in {lines[int(number) - 1].strip()!r:.120}"
    return ""
