"""docs/registers.md is as the classes say, and enough to decode a record with: a reader made of that text alone does.

The reader below takes names, order and forms from the tables of the document, and bytes by the plain decoder of
`standalone_check`, which imports nothing of ours.
"""

from __future__ import annotations

import datetime as dt
import importlib.util
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from attrs import fields
from hypothesis import given

from register_samples import registered
from standalone_check import read
from tracechain import encoding
from tracechain.record import decode_record, encode_record
from tracechain.registers import KINDS, Register, kind_class
from tracechain.registers import read as read_register

DOCS = Path(__file__).resolve().parents[1] / "docs"
TEXT = (DOCS / "registers.md").read_text("utf-8")


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_registers", DOCS / "generate_registers.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ---- as generated ----------------------------------------------------------------------------------


def test_the_document_is_as_generated() -> None:
    command = [sys.executable, str(DOCS / "generate_registers.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "registers.md is as generated\n"), done.stdout + done.stderr


def test_a_document_that_went_stale_is_noticed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stale = tmp_path / "registers.md"
    stale.write_text(TEXT.replace("| 0 | `id` | product id |", "| 0 | `id` | id |"), "utf-8")
    main = generator().main
    assert main(["--check"], stale) == 1
    assert "+| 0 | `id` | product id |  | or as `gtin` |" in capsys.readouterr().out
    assert main(["--check"], tmp_path / "missing.md") == 1
    assert main([], stale) == 0
    assert stale.read_text("utf-8") == TEXT


# ---- a stranger's reader ---------------------------------------------------------------------------


class Section:
    """One kind of record, from the text: its fields, the example of a file and the example's bytes."""

    def __init__(self, text: str) -> None:
        self.kind = text.partition("\n")[0]
        rows = re.findall(r"^\| ([0-9]+) \| `(\w+)` \| (.+?) \| (yes)? ?\| (.*?) ?\|", text, re.MULTILINE)
        assert [int(row[0]) for row in rows] == list(range(len(rows)))
        self.fields = {row[1]: (row[2], row[3] == "yes", row[4]) for row in rows}
        blocks = dict(re.findall(r"^```(\w+)\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
        self.file: dict[str, Any] = tomllib.loads(blocks["toml"], parse_float=Decimal)
        self.listing: list[tuple[str, str]] = [(line[:28].strip(), line[28:]) for line in blocks["text"].splitlines()]
        self.bytes = bytes.fromhex("".join(line[28:] for line in blocks["text"].splitlines()))
        subject = re.search(r"^Subject: (.*)\.$", text, re.MULTILINE)
        assert subject is not None
        self.subject = re.findall("`([^`]+)`", subject[1])

    def decoded(self, content: bytes) -> dict[str, Any]:
        """A record's body by field."""
        (kind, _, subject, body), end = read(content)
        assert (kind, end, len(body)) == (self.kind, len(content), len(self.fields))
        named = dict(zip(self.fields, body, strict=True))
        assert subject == "".join(named.get(part, part) for part in self.subject)
        for name, value in named.items():
            form, nil, _ = self.fields[name]
            assert fits(form, value) or (value is None and nil), (self.kind, name, value)
        return named


#: What the table of forms says, as checks of plain values.
FORMS: dict[str, Callable[[Any, str], object]] = {
    "label": lambda v, _: re.fullmatch("[A-Za-z0-9][A-Za-z0-9._-]{0,63}", v),
    "country": lambda v, _: re.fullmatch("[A-Z]{2}", v),
    "one of": lambda v, rest: v in re.findall("`([^`]+)`", rest),
    "id or product id": lambda v, _: isinstance(v, str) and 0 < len(v.encode()) <= 400,
    "id": lambda v, _: isinstance(v, str) and 0 < len(v.encode()) <= 400,
    "product id": lambda v, _: re.fullmatch("01/[0-9]{14}|nmpa/[0-9]{7}", v),
    "reference": lambda v, _: isinstance(v, str) and 0 < len(v.encode()) <= 480,
    "boolean": lambda v, _: v is True or v is False,
    "integer": lambda v, rest: type(v) is int and in_range(Decimal(v), rest),
    "number": lambda v, rest: in_range(Decimal(v[0]).scaleb(v[1]), rest) and (v == [0, 0] or v[0] % 10 != 0),
    "range": lambda v, rest: len(v) == 2 and all(fits(rest.partition("each a ")[2], end) for end in v),
    "date": lambda v, _: dt.date.fromisoformat(v).isoformat() == v,
    "digest": lambda v, _: type(v) is bytes and len(v) == 32,
    "line": lambda v, rest: v.strip() == v and 0 < len(v.encode()) <= int(re.findall("[0-9]+", rest)[0]),
    "criterion": lambda v, _: is_criterion(v),
    "document": lambda v, _: fits("line, at most 480 bytes", v[0]) and fits("digest", v[1]) and len(v) == 3,
}


def is_criterion(value: Any, depth: int = 8) -> bool:
    """Whether an array is a criterion, as format.md section 5.8 has it."""
    tag, *rest = value
    if tag in (12, 13):
        ordered = [encoding.pack(part) for part in rest]
        several = len(rest) > 1 and ordered == sorted(set(ordered)) and all(part[0] != tag for part in rest)
        return depth > 1 and several and all(is_criterion(part, depth - 1) for part in rest)
    if tag == 14:
        return depth > 1 and len(rest) == 1 and rest[0][0] != 14 and is_criterion(rest[0], depth - 1)
    if tag == 11:
        ids = [prefix + suffix for prefix, some in zip(rest[0][::2], rest[0][1::2], strict=True) for suffix in some]
        return len(rest) == 1 and 0 < len(ids) <= 4096 and ids == sorted(set(ids), key=lambda text: text.encode())
    if tag == 9:
        limits = [number for number in rest[1:3] if number is not None]
        number = "number, -273.15 to 1000" if rest[0] == 0 else "number, 0 to 100"
        return len(rest) == 4 and bool(limits) and all(fits(number, one) for one in limits) and 0 <= rest[3] < 1 << 63
    if tag in (1, 2) and not fits("product id", rest[0]):
        return False
    texts = {1: 2, 2: 1, 3: 1, 4: 1, 5: 0, 6: 1, 7: 1, 8: 1, 10: 1}[tag]
    times = [time for time in rest[texts:] if time is not None]
    counted = len(rest) == texts + (2 if tag in (5, 6, 7, 8) else 0) and (tag != 5 or len(times) == 2)
    return counted and times == sorted(times) and all(fits("line, at most 480 bytes", text) for text in rest[:texts])


def in_range(number: Decimal, rest: str) -> bool:
    least, most = re.findall("-?[0-9.]+", rest)
    return Decimal(least) <= number <= Decimal(most)


def fits(form: str, value: Any) -> bool:
    """Whether a plain value is of a form, as the words of the document have it."""
    if form.startswith("list of "):
        sizes, _, item = form.partition("; each: ")
        least, most = map(int, re.findall("[0-9]+", sizes))
        ordered = "sorted" not in sizes or value == sorted(set(value), key=lambda text: text.encode())
        return ordered and least <= len(value) <= most and all(fits(item, one) for one in value)
    name = next(name for name in sorted(FORMS, key=len, reverse=True) if form.startswith(name))
    return value is not None and bool(FORMS[name](value, form[len(name) :]))


def as_written(form: str, given: Any) -> Any:
    """A value of a file as the table of forms says that it stands in the body."""
    if form.startswith("list of "):
        return [as_written(form.partition("; each: ")[2], one) for one in given]
    if form.startswith("range"):
        return [as_written("number", end) for end in given]
    if form.startswith("number"):
        sign, digits, exponent = Decimal(given).normalize().as_tuple()
        return [int("".join(map(str, digits))) * (-1 if sign else 1), exponent]
    if form == "date":
        return given.isoformat()
    if form == "digest":
        return bytes.fromhex(given)
    if form == "criterion":
        ((key, said),) = given.items()
        return {"lot": [1, said["product"], said["lot"]]}[key]
    if form == "document":
        named = [("line", "name"), ("digest", "digest"), ("date", "valid_until")]
        return [as_written(inner, given[name]) if name in given else None for inner, name in named]
    return given


SECTIONS = {one.kind: one for one in map(Section, re.split("^## ", TEXT, flags=re.MULTILINE)[4:])}


def test_every_kind_has_its_section_in_order() -> None:
    assert list(SECTIONS) == list(KINDS)


@pytest.mark.parametrize("cls", KINDS.values(), ids=KINDS)
def test_the_fields_are_those_of_the_class_in_order(cls: type[Register]) -> None:
    assert list(SECTIONS[cls.KIND].fields) == [one.name for one in fields(cls)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_is_decoded_by_the_document_alone(kind: str) -> None:
    """The example's bytes, decoded by the tables, are the example's file, and the library says the same."""
    section = SECTIONS[kind]
    named = section.decoded(section.bytes)
    given = dict(section.file)
    if "gtin" in given:
        given["id"] = f"01/{given.pop('gtin'):>014}"
    for name, (form, nil, file) in section.fields.items():
        if name in given:
            assert named[name] == as_written(form, given.pop(name)), name
        else:
            assert file == "optional"
            assert named[name] == (None if nil else [])
    assert given == {}
    record = decode_record(section.bytes)
    assert encode_record(record) == section.bytes
    assert read_register(record) == kind_class(kind).from_mapping(section.file, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_each_line_of_a_listing_is_the_item_that_it_names(kind: str) -> None:
    section = SECTIONS[kind]
    named = section.decoded(section.bytes)
    starts = [place for place, (name, _) in enumerate(section.listing) if name]
    body = [place for place in starts if section.listing[place][0].startswith("body, ")]
    assert len(body) == 1
    for start, end in zip(starts, [*starts[1:], len(section.listing)], strict=True):
        if start > body[0]:
            data = bytes.fromhex("".join(piece for _, piece in section.listing[start:end]))
            name, _, nil = section.listing[start][0].partition(": ")
            assert read(data) == (named[name], len(data))
            assert (nil == "nil") is (named[name] is None)


@given(registered())
def test_any_record_is_decoded_by_the_document_alone(value: Register) -> None:
    SECTIONS[value.KIND].decoded(encode_record(value.record()))
