"""Vectors of private fields: commitments, identities as the vault keeps them, disclosures (format.md section 4.1)."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from attrs import evolve

from tracechain.checkpoint import format_vkey
from tracechain.encoding import pack
from tracechain.errors import DataError, InputError
from tracechain.persons import check_disclosure, disclose, format_disclosure, parse_disclosure
from tracechain.private import PrivateValue, Value, commit_private, decode_identity, encode_identity
from tracechain.testing import new_ledger
from tracechain.testing.samples import commission, observe, pack_ids

Cases = dict[str, dict[str, Any]]

SALT = bytes(range(32))
TOKEN = bytes(range(0xA0, 0xB0))


def _plain(value: Value) -> Any:
    return value if isinstance(value, str) else {"hex": value.hex()}


def _commitments() -> Cases:
    some: dict[str, tuple[str, bytes, str, Value]] = {
        "text": ("A text.", SALT, "phone", "+86 10 5555 0199"),
        "text-chinese": ("A text that is not ASCII, of 34 bytes.", SALT, "地址", "北京市朝阳区新华路7号"),
        "text-lines": ("A text value may have tabs and ends of lines.", SALT, "address", "Xinhua Road 7\r\n\tBeijing"),
        "text-empty": ("An empty text is a value.", SALT, "note", ""),
        "text-long": ("A text of 300 bytes has a length of two bytes.", SALT, "note", "x" * 300),
        "bytes": ("Bytes are another value than the text with these bytes.", SALT, "phone", b"+86 10 5555 0199"),
        "bytes-empty": ("No bytes are a value too.", SALT, "note", b""),
        "salt-zero": ("Another salt, another commitment.", bytes(32), "phone", "+86 10 5555 0199"),
    }
    return {
        f"commitment-{name}": {
            "about": about, "kind": "private commitment", "salt": salt.hex(), "name": field, "value": _plain(value),
            "commitment": commit_private(salt, field, value).hex(),
        }
        for name, (about, salt, field, value) in some.items()
    }  # fmt: skip


def _refused_commitments() -> Cases:
    some: dict[str, tuple[str, bytes, str, Value]] = {
        "salt-short": ("A salt has 32 bytes.", SALT[:31], "phone", "x"),
        "name-empty": ("A field has a name.", SALT, "", "x"),
        "name-control": ("A name is one line.", SALT, "two\nlines", "x"),
        "value-not-nfc": ("A text is in normal form C.", SALT, "name", "Ame\u0301lie"),
        "value-control": ("A text has no control characters.", SALT, "name", "\x07"),
        "value-large": ("A value has at most 16,384 bytes.", SALT, "photo", bytes(16_385)),
    }
    cases: Cases = {}
    for name, (about, salt, field, value) in some.items():
        try:
            commit_private(salt, field, value)
        except InputError:
            cases[f"refused-{name}"] = {
                "about": about, "kind": "private commitment", "salt": salt.hex(), "name": field,
                "value": _plain(value), "refused": True,
            }  # fmt: skip
    assert len(cases) == len(some)
    return cases


def _identities() -> Cases:
    good: dict[str, tuple[str, dict[str, Value]]] = {
        "one": ("One named value.", {"name": "Li Example"}),
        "several": ("In order of their names' bytes.", {"phone": "1", "name": "Li", "照片": b"\xff\xd8", "Name": "x"}),
    }
    bad: dict[str, tuple[str, Any]] = {
        "empty": ("It has at least one value.", ()),
        "order": ("Names are sorted.", (("phone", "1"), ("name", "Li"))),
        "twice": ("A name stands once.", (("name", "Li"), ("name", "Li"))),
        "nil": ("Nil is no value.", (("name", None),)),
        "number": ("A number is no value.", (("name", 5),)),
        "flat": ("Each pair is an array.", ("name", "Li")),
    }
    cases: Cases = {
        f"identity-{name}": {
            "about": about, "kind": "identity", "values": {key: _plain(value) for key, value in values.items()},
            "bytes": encode_identity(values).hex(),
        }
        for name, (about, values) in good.items()
    }  # fmt: skip
    for name, (about, plain) in bad.items():
        try:
            decode_identity(pack(plain))
        except DataError:
            cases[f"identity-refused-{name}"] = {
                "about": about,
                "kind": "identity",
                "bytes": pack(plain).hex(),
                "refused": True,
            }
    assert len(cases) == len(good) + len(bad)
    return cases


def _disclosures() -> Cases:
    values = [PrivateValue(SALT, "phone", "+86 10 5555 0199"), PrivateValue(SALT[::-1], "photo", b"\xff\xd8")]
    with tempfile.TemporaryDirectory() as folder, new_ledger(Path(folder) / "ledger") as ledger:
        fields = tuple(value.field for value in values)
        event = evolve(observe(pack_ids(2)), person=TOKEN, private=fields)
        at = ledger.append([commission(pack_ids(2)), event]).first + 1
        ledger.vault.put_private(values, TOKEN)
        with ledger.snapshot() as view:
            shown = [disclose(view, ledger.vault, at, name) for name in ("phone", "photo")]
        verifier = ledger.verifier
    phone, photo = shown
    cases: Cases = {}
    for name, one in (("text", phone), ("bytes", photo)):
        found = check_disclosure(one, verifier)
        cases[f"disclosure-{name}"] = {
            "about": f"A field whose value is {name}.", "kind": "disclosure", "vkey": format_vkey(verifier),
            "text": format_disclosure(one), "index": found.index, "received": found.received, "name": found.name,
            "value": _plain(found.value), "size": found.size,
        }  # fmt: skip
    wrong = {
        "value": ("Another value.", evolve(phone, value="+86 10 5555 0198")),
        "kind": ("The same bytes as a byte string.", evolve(phone, value=b"+86 10 5555 0199")),
        "name": ("Another name.", evolve(phone, name="photo")),
        "salt": ("The salt of another field.", evolve(phone, salt=photo.salt)),
        "content": ("Another content.", evolve(phone, content=phone.content[:-1] + b"\0")),
        "content-salt": ("Another salt of the content.", evolve(phone, content_salt=bytes(32))),
        "header": ("Another header.", evolve(phone, header=phone.header[:15] + b"\1" + phone.header[16:])),
        "index": ("The place of another entry.", evolve(phone, proof=evolve(phone.proof, index=at - 1))),
        "path": ("A path that is too short.", evolve(phone, proof=evolve(phone.proof, hashes=phone.proof.hashes[1:]))),
    }
    texts = {name: (about, format_disclosure(one)) for name, (about, one) in wrong.items()}
    plain = json.loads(format_disclosure(phone))
    more = {
        "format": ("Another format.", plain | {"format": "tracechain disclosure v1"}),
        "surplus": ("A name that is not known.", plain | {"more": ""}),
        "capitals": ("Hexadecimal is in lower case.", plain | {"salt": SALT.hex().upper()}),
        "number": ("A number is no value.", plain | {"value": 5}),
    }
    texts |= {name: (about, json.dumps(one, ensure_ascii=False)) for name, (about, one) in more.items()}
    for name, (about, text) in texts.items():
        try:
            check_disclosure(parse_disclosure(text), verifier)
        except DataError:
            cases[f"disclosure-refused-{name}"] = {
                "about": about,
                "kind": "disclosure",
                "vkey": format_vkey(verifier),
                "text": text,
                "refused": True,
            }
    accepted = [name for name in texts if f"disclosure-refused-{name}" not in cases]
    assert not accepted, accepted
    return cases


def cases() -> Cases:
    """All cases of this group."""
    return _commitments() | _refused_commitments() | _identities() | _disclosures()
