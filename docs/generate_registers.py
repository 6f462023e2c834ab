"""Write docs/registers.md from the classes in `tracechain.registers`: what stands in the body of each register record.

    python docs/generate_registers.py            write the file
    python docs/generate_registers.py --check    compare only; exit 1 and show what differs (runs in the suite)

Fields, forms and limits come from the code, examples are the templates of `tracechain register`. By hand are the words
about forms, and what a class demands of several fields together (`TOGETHER`); what has none stops the generator.
"""

from __future__ import annotations

import argparse
import difflib
import inspect
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from tracechain.encoding.primitives import pack
from tracechain.record import encode_record
from tracechain.registers import KINDS, Document, Register, forms
from tracechain.registers.fields import Country, Fields, Label, Nested, _slots
from tracechain.registers.files import parse, read_values
from tracechain.registers.measures import _Target

TARGET = Path(__file__).resolve().parent / "registers.md"

#: What a class demands of its fields together.
TOGETHER = {
    "product": "`verify_by` is not before `verified_on`.",
    "merchant": "`verify_by` is not before `admitted_on`.",
    "carrier": "`valid_until` is not before `assessed_on`.",
    "service-stopped": "`target` is a product id where `target_kind` is `product`, an id where it is not.",
    "service-resumed": "`target` is a product id where `target_kind` is `product`, an id where it is not.",
    "recall": (
        "`phase` opened: `recall_class`, `criterion` and `affected` are not nil. Any other: `recall_class` and"
        " `criterion` are nil. `phase` notified: `parties` is not empty. `phase` closed: `affected`, `locked`,"
        " `returned`, `destroyed` and `outstanding` are not nil, and `open_reason` is nil exactly where `outstanding`"
        " is 0; any other: `open_reason` is nil. Where none of the five numbers is nil, the last four add up to"
        " `affected`."
    ),
    "hold": (
        "`phase` placed: `authority` is not nil, and `criterion` and `case` are not both nil where `about` is empty."
        " Any other: `criterion` and `case` are nil, and `about` is empty. `phase` extended: `until` is not nil;"
        " released: `until` is nil."
    ),
}

HEAD = f"""\
# Registers

<!-- made by docs/generate_registers.py: change that file, or the classes in src/tracechain/registers -->

Normative, a part of [the format](format.md) (section 5.7): what stands in the body of each register record. Clauses: S1 is the pilot's Implementation Plan, by its own
sections; S0 and S2 to S4 are the other documents that [obligations.md](obligations.md) lists.

## Records, bodies, chains

A register record is a record (format.md section 5.6), so its content is `[ kind, version, subject, body ]` in canonical bytes (format.md section 3). `body` is an array of
all the fields of its kind, in the order of the tables below. None is left out at the end: a field that says nothing is nil, where the table has a *yes* under *nil*, and nowhere else.

A record that breaks any rule of this document is not valid: a ledger refuses it, and in a log it changes nothing. The order of the log decides; no date in a body does.

What is registered has a chain of its own, named by the subject: `urn:tracechain:<chain>:<id>`. Several kinds of records share a chain:

{{chains}}

A kind that is called like its chain states a *whole value*: it replaces the one before, and its `version` is the number of whole values before it on the chain (0, 1, 2, ...). The
others are measures; their version, and that of a `case`, a `recall` or a `hold`, is written by us and looked at by nobody. What may follow what is in format.md section 5.7. Of a `profile`,
the latest one of all chains is in force.

## Forms

| form | in the body | in a TOML or JSON file |
|---|---|---|
| line | text of 1 to as many UTF-8 bytes as the field says, and white space (Unicode property White_Space) at neither end | text |
| label | text of 1 to 64 ASCII letters, digits, `.`, `_`, `-`; the first is a letter or digit | text |
| country | text of two letters `A` to `Z` (ISO 3166-1) | text |
| one of ... | one of these texts | text |
| id | text of 1 to {forms.MAX_REGISTER_ID} bytes without white space, of a party or a place: a *plain name* (an ASCII letter, then ASCII letters, digits, `.`, `_`, `-`), a canonical id (format.md section 9.2) with the right check digit, or any other text that begins with a scheme (an ASCII letter, one or more ASCII letters, digits, `+`, `.`, `-`, and a colon), goes on behind it, and has no invisible character (Unicode categories Cf, Co). An EPC URI, a Digital Link or `nmpa:` is no id: its canonical id is | any spelling of the code |
| product id | text: `01/` and a GTIN of 14 digits with the right check digit, or `nmpa/` and the first 7 digits of the product's traceability codes | any spelling of the GTIN that says that it is one |
| reference | text of 1 to 480 bytes without white space: the id of anything. A right code stands in its canonical spelling; what is no right code stands as it is | any spelling of the code |
| boolean | true or false | true or false |
| integer | integer in the range that the field says | integer |
| number | `[ mantissa, exponent ]`, a number of format.md section 9.2, in the range that the field says | integer, number with a point, or text such as `"2.5"`; read as it stands, never as binary |
| range | `[ low, high ]`, two numbers, low not above high; both belong to it | array of two numbers |
| date | text `YYYY-MM-DD`, a day of the Gregorian calendar, year 0001 to 9999 | date (TOML) or text |
| digest | byte string of 32: the SHA-256 of a document that is kept elsewhere | text of 64 hexadecimal digits in lower case |
| document | an array of its fields (below) | table |
| criterion | the plain form of a criterion (format.md section 5.8) | table of one key, such as `{{{{ lot = {{{{ product = "...", lot = "..." }}}} }}}}` |
| list of ... | array; *sorted* ones by their UTF-8 bytes, each item once | array; sorted when it is read |

Texts are in NFC and have no control characters (format.md section 3), so a line is one line. In a file, fields are named; one that the table calls *optional* may be left out, and in JSON be null. The
table *in the body* is what decides: files are a way to make records, and no part of the format.

"""  # noqa: E501  a paragraph of the document is as long as it is

DOCUMENTS = "## document\n\nA document that is kept elsewhere, by its digest. It is no record, but stands in lists.\n\n"
DOCUMENT = """\
name = "Pharmacy licence"
digest = "7d1a54127b222502f5b79b5fb0803061152a44f92b37e23c6527baf665d4da9a"
valid_until = 2027-12-31
"""
#: The fields of every record, before its body.
BEFORE = ("kind", "version", "subject")


def written(form: forms.Form) -> str:
    """A form in the words of the document."""
    match form:
        case forms.Words():
            return f"line, at most {form.most} bytes"
        case forms.Pattern() if form is Label.__metadata__[0]:  # type: ignore[attr-defined]  # it is Annotated
            return "label"
        case forms.Pattern() if form is Country.__metadata__[0]:  # type: ignore[attr-defined]  # likewise
            return "country"
        case forms.Choice():
            return "one of " + ", ".join(f"`{word}`" for word in form.words)
        case forms.Ident():
            return "id"
        case forms.ProductCode():
            return "product id"
        case _Target():
            return "id or product id"
        case forms.Reference():
            return "reference"
        case forms.Flag():
            return "boolean"
        case forms.Count():
            return f"integer, {form.least} to {form.most}"
        case forms.Number():
            return f"number, {form.least} to {form.most}"
        case forms.Between():
            return f"range, each a {written(form.number)}"
        case forms.Date():
            return "date"
        case forms.Fingerprint():
            return "digest"
        case forms.Which():
            return "criterion"
        case Nested() if form.part is Document:
            return "document"
        case forms.Items():
            order = "in the author's order" if form.ordered else "sorted"
            return f"list of {form.least} to {form.most}, {order}; each: {written(form.item)}"
    raise NotImplementedError(f"{form}: the document has no words for it")


def notes(part: type[Fields]) -> dict[str, str]:
    """What the comments in the source say of fields: a comment holds for the fields below it, until the next."""
    found: dict[str, str] = {}
    lines: list[str] = []
    fresh = False
    for line in inspect.getsource(part).splitlines():
        if (comment := re.fullmatch(r" +#: (.*)", line)) is not None:
            lines, fresh = ([*lines, comment[1]] if fresh else [comment[1]]), True
        elif (name := re.match(r"    (\w+): ", line)) is not None:
            fresh = False
            if lines:
                found[name[1]] = " ".join(lines)
    return {name: text for name, text in found.items() if name in {slot.name for slot in _slots(part)}}


def table(part: type[Fields]) -> str:
    """The fields of a class."""
    said = notes(part)
    rows = ["| # | field | form | nil | in a file |" + (" what it says |" if said else "")]
    rows.append("|---|---|---|---|---|" + ("---|" if said else ""))
    for place, slot in enumerate(_slots(part)):
        others = [f"`{name}`" for name, (field, _) in part.ALIASES.items() if field == slot.name]
        file = ("" if slot.required else "optional") + (f"or as {', '.join(others)}" if others else "")
        row = f"| {place} | `{slot.name}` | {written(slot.form)} | {'yes' if slot.nullable else ''} | {file} |"
        rows.append(row + (f" {said.get(slot.name, '')} |" if said else ""))
    return "\n".join(rows) + "\n"


def hexadecimal(name: str, data: bytes) -> list[str]:
    """A name and its bytes, at most 40 a line."""
    pieces = [data[at : at + 40].hex() for at in range(0, len(data), 40)]
    return [f"{name if place == 0 else '':<28}{piece}" for place, piece in enumerate(pieces)]


def head(array: tuple[Any, ...]) -> bytes:
    """The bytes of an array that stand before its items."""
    return pack(array)[: -sum(len(pack(item)) for item in array)]


def listing(value: Register) -> str:
    """The content of a value's first record, item by item."""
    record = value.record(0)
    body = value.body()
    lines = hexadecimal("array of 4", head((value.KIND, 0, record.subject, body)))
    for name, item in zip(BEFORE, (record.kind, record.version, record.subject), strict=True):
        lines += hexadecimal(name, pack(item))
    lines += hexadecimal(f"body, array of {len(body)}", head(body))
    for slot, item in zip(_slots(type(value)), body, strict=True):
        lines += hexadecimal(f"{slot.name}{': nil' if item is None else ''}", pack(item))
    content = encode_record(record)
    assert bytes.fromhex("".join(line[28:] for line in lines)) == content
    return "\n".join(lines) + "\n"


def example(kind: str) -> str:
    """A file of a kind: the template of `tracechain register`, the profile that comes with the library."""
    profile = files("tracechain.pilot") / "beijing.toml"
    path = profile if kind == "profile" else files("tracechain.cli") / "templates" / f"{kind}.toml"
    return path.read_text("utf-8")


def about(cls: type[Fields]) -> str:
    """What the docstring says, as a paragraph each."""
    text = inspect.cleandoc(cls.__doc__ or "")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n")) + "\n"


def section(cls: type[Register]) -> str:
    """One kind of record."""
    text = example(cls.KIND)
    (value,) = read_values(parse(text.encode(), "toml", "example"), cls.KIND, "example")
    parts = [f"## {cls.KIND}\n", about(cls), f"Subject: {subject(cls)}.\n", table(cls)]
    if cls.contradictions is not Fields.contradictions:
        parts.append(TOGETHER[cls.KIND] + "\n")
    parts.append(f"For example, in a file:\n\n```toml\n{text.strip()}\n```\n")
    parts.append(f"and as the content of a record, version 0, on `{value.subject}`:\n\n```text\n{listing(value)}```\n")
    return "\n".join(parts)


def subject(cls: type[Register]) -> str:
    """How the subject of a kind is made."""
    kind, field = cls.CHAIN
    if kind:
        return f"`urn:tracechain:{kind}:` and the `{field}`"
    return "`urn:tracechain:`, the `target_kind`, `:` and the `target`"


def chains() -> str:
    """Which kinds share a chain."""
    shared: dict[str, list[str]] = {}
    for kind, cls in KINDS.items():
        own = [cls.CHAIN[0]] if cls.CHAIN[0] else list(_slots(cls)[0].form.words)  # type: ignore[attr-defined]  # a Choice
        for chain in own:
            shared.setdefault(chain, []).append(kind)
    rows = ["| chain | kinds of records on it |", "|---|---|"]
    rows += [f"| `{chain}` | {', '.join(f'[{kind}](#{kind})' for kind in kinds)} |" for chain, kinds in shared.items()]
    return "\n".join(rows)


def build() -> str:
    """The document."""
    text = HEAD.format(chains=chains()) + DOCUMENTS + table(Document)
    inner = Document.from_mapping(tomllib.loads(DOCUMENT), "example")
    text += f"\n```toml\n{DOCUMENT.strip()}\n```\n\n```text\n{pack(inner.body()).hex()}\n```\n"
    return text + "".join("\n" + section(cls) for cls in KINDS.values())


def differences(text: str, found: str) -> Iterator[str]:
    """Lines in which what is there is not what would be made."""
    return difflib.unified_diff(found.splitlines(), text.splitlines(), "as it is", "as it should be", "", "", 0, "")


def main(arguments: list[str], target: Path = TARGET) -> int:
    """Write the document, or compare it."""
    parser = argparse.ArgumentParser(description="Write docs/registers.md, or check that it is as generated.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the file differs")
    check = parser.parse_args(arguments).check
    text = build()
    if not check:
        target.write_text(text, "utf-8", newline="\n")
        return 0
    found = list(differences(text, target.read_text("utf-8") if target.exists() else ""))
    print("\n".join(found) if found else f"{target.name} is as generated")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
