"""Registers: four spellings of one value, read strictly, and every fault named with its field, value and rule."""

from __future__ import annotations

import datetime as dt
import json
import re
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from register_samples import CLASSES, DIGEST, EXAMPLES, example, registered
from tracechain import registers
from tracechain.errors import DecodeError, InputError
from tracechain.record import Record, decode_record, encode_record
from tracechain.registers import (
    KINDS,
    CaseStep,
    Document,
    HoldStep,
    Merchant,
    Place,
    Product,
    Profile,
    RecallStep,
    Register,
    Scope,
    Shield,
    Stop,
    Suspension,
    forms,
)
from tracechain.registers.fields import _slots
from tracechain.registers.measures import TARGET_KINDS
from tracechain.testing import strategies

FIELDS = [(cls, slot.name) for cls in CLASSES for slot in _slots(cls)]
REQUIRED = [(cls, slot.name) for cls in CLASSES for slot in _slots(cls) if slot.required]


def called(cls: type[Register], name: str) -> str:
    """How the example spells a field: by its other name, if it does."""
    other = [alias for alias, (field, _) in cls.ALIASES.items() if field == name and alias in EXAMPLES[cls]]
    return other[0] if other else name


# ---- round trips -----------------------------------------------------------------------------------


def test_every_kind_has_an_example() -> None:
    assert set(EXAMPLES) == set(CLASSES)
    assert [cls.KIND for cls in CLASSES] == list(KINDS)


@given(registered(), st.integers(0, 1 << 40))
def test_a_value_comes_back_from_its_record(value: Any, version: int) -> None:
    record = decode_record(encode_record(value.record(version)))
    assert (record.kind, record.subject, record.version) == (value.KIND, value.subject, version)
    assert registers.read(record) == value
    assert type(registers.read(record)) is type(value)


@given(registered())
def test_a_value_comes_back_from_its_mapping(value: Any) -> None:
    mapping = json.loads(json.dumps(value.mapping()))
    again = type(value).from_mapping(mapping, "x.json")
    assert again == value
    assert again.mapping() == mapping


@pytest.mark.parametrize("cls", CLASSES)
def test_an_example_comes_back(cls: type[Register]) -> None:
    value = example(cls)
    assert registers.read(value.record()) == value
    assert cls.from_mapping(value.mapping(), "x.json") == value


def test_what_stands_in_a_body() -> None:
    assert example(Product).record(2) == Record(
        "product",
        ("01/09521234001072", "Sodium hyaluronate eye drops", "玻璃酸钠滴眼液", "0.1 %", "10 ml", "Dry eyes",
         "Allergy to the substance", "22500AMX00001000", "JP", "Example Pharma", None, "417/9521234000037", "drug",
         "none", "beijing", "2025-06-01", "2026-06-01", ((2, 0), (85, -1)), None, None, bytes.fromhex(DIGEST), None,
         "2025-06-02"),
        "urn:tracechain:product:01/09521234001072",
        2,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("cls", "subject"),
    [
        (Shield, "urn:tracechain:product:01/09521234001072"),
        (Suspension, "urn:tracechain:merchant:merchant-7"),
        (registers.Readmission, "urn:tracechain:merchant:merchant-7"),
        (Stop, "urn:tracechain:merchant:merchant-7"),
        (registers.Resumption, "urn:tracechain:product:nmpa/8123456"),
        (registers.Dossier, "urn:tracechain:dossier:facilities"),
        (CaseStep, "urn:tracechain:case:C-2026-1"),
        (RecallStep, "urn:tracechain:recall:R-2026-1"),
        (HoldStep, "urn:tracechain:hold:H-2026-1"),
        (Profile, "urn:tracechain:profile:mine"),
    ],
)
def test_a_record_stands_in_the_chain_of_what_it_is_about(cls: type[Register], subject: str) -> None:
    assert example(cls).subject == subject


def test_other_records_are_no_registers() -> None:
    assert registers.read(Record("note", ("product",))) is None


@pytest.mark.parametrize("cls", [*CLASSES, Document])
def test_every_class_cites_its_clause(cls: type) -> None:
    assert re.search(r"\bS1 [IVX]+\b|\bS4 Part [12]\b", cls.__doc__ or "") is not None


# ---- files' objects: every fault with field, value and rule ----------------------------------------


@pytest.mark.parametrize(("cls", "name"), REQUIRED)
def test_a_missing_field_is_named_with_its_rule(cls: type[Register], name: str) -> None:
    mapping = {key: value for key, value in EXAMPLES[cls].items() if key != called(cls, name)}
    rule = next(slot.form.rule for slot in _slots(cls) if slot.name == name)
    with pytest.raises(InputError) as caught:
        cls.from_mapping(mapping, "x.toml")
    assert str(caught.value) == f"x.toml, {cls.KIND}: missing field {name!r}, {rule}"


@pytest.mark.parametrize(("cls", "name"), FIELDS)
def test_a_wrong_field_is_named_with_value_and_rule(cls: type[Register], name: str) -> None:
    rule = next(slot.form.rule for slot in _slots(cls) if slot.name == name)
    kept = {key: value for key, value in EXAMPLES[cls].items() if key != called(cls, name)}
    for wrong in ({"a": 1}, 0.5, dt.datetime(2026, 1, 1)):  # noqa: DTZ001 - TOML has such dates
        with pytest.raises(InputError) as caught:
            cls.from_mapping(kept | {name: wrong}, "x.toml")
        assert str(caught.value).startswith(f"x.toml, {cls.KIND}: {name} is {forms.show(wrong)}: it must be {rule}")


@pytest.mark.parametrize(("cls", "name"), FIELDS)
def test_a_misspelt_field_is_named_with_the_likely_one(cls: type[Register], name: str) -> None:
    with pytest.raises(InputError, match=re.escape(f"unknown field '{name}s', did you mean '{name}'?")):
        cls.from_mapping(EXAMPLES[cls] | {f"{name}s": 1}, "x.toml")


@pytest.mark.parametrize("cls", CLASSES)
def test_all_faults_are_named_at_once(cls: type[Register]) -> None:
    with pytest.raises(InputError) as caught:
        cls.from_mapping({"nonsense": 1, 5: 2}, "x.toml")
    message = str(caught.value)
    assert "unknown field 'nonsense'" in message
    assert "unknown field 5" in message
    assert all(f"missing field {name!r}" in message for other, name in REQUIRED if other is cls)


@pytest.mark.parametrize("found", [None, 5, "text", [], [{}]])
def test_only_an_object_is_read(found: Any) -> None:
    with pytest.raises(InputError, match=r"x\.toml, place is .*: it must be a table of fields"):
        Place.from_mapping(found, "x.toml")


WRONG: list[tuple[type[Register], dict[str, Any], str]] = [
    (Product, {"gtin": "9521234001073"}, "gtin: GTIN 9521234001073: check digit should be 2"),
    (Product, {"gtin": 9521234001072}, "gtin is 9521234001072: it must be a GTIN in quotes"),
    (Product, {"gtin": "９521234001072"}, "full-width"),
    (Product, {"id": "01/09521234001072"}, "id is '01/09521234001072', and id was given already: keep one"),
    (Product, {"verify_by": "2025-02-29"}, "verify_by is '2025-02-29': there is no such date"),
    (Product, {"verify_by": "2026-1-31"}, "verify_by is '2026-1-31': it must be a date that exists"),
    (Product, {"verify_by": "20260131"}, "verify_by is '20260131': it must be a date that exists"),
    (Product, {"verify_by": "２026-01-31"}, "it must be a date that exists"),
    (Product, {"verify_by": "2025-05-31"}, "verify_by is 2025-05-31: it must not be before verified_on, 2025-06-01"),
    (Product, {"name": ""}, "name is '': it must be a name of one line"),
    (Product, {"name": " x"}, "name is ' x': it must be a name of one line"),
    (Product, {"name": "a\x07b"}, r"name 'a\x07b' holds a control character at position 1"),
    (Product, {"name": "a\nb"}, r"name 'a\nb' holds a control character at position 1"),
    (Product, {"name": "e\u0301"}, "is not in Unicode normal form C"),
    (Product, {"name": "\ud800"}, "lone surrogate"),
    (Product, {"name": "x" * 481}, "481 bytes, over the limit of 480"),
    (Product, {"indications": "x" * 8193}, "8193 bytes, over the limit of 8192"),
    (Product, {"screening": "Narcotic"}, "screening is 'Narcotic': it must be one of 'none', 'narcotic',"),
    (Product, {"registered_in": "jp"}, "registered_in is 'jp': it must be a country as two capital letters"),
    (Product, {"temperature": [8, 2]}, "temperature is from 8 to 2: the lower end comes first"),
    (Product, {"temperature": [2]}, "temperature is [2]: it must be [low, high]"),
    (
        Product,
        {"temperature": [2, 8.5]},
        "temperature[1] is 8.5: it must be an exact number from -273.15 to 1000 and a",
    ),
    (Product, {"temperature": [True, 8]}, "temperature[0] is True: it must be an exact number"),
    (Product, {"temperature": [-300, 8]}, "temperature[0] is -300: it must be an exact number from -273.15 to 1000"),
    (Product, {"temperature": ["+2", "8"]}, "temperature[0] is '+2': it must be an exact number"),
    (Product, {"temperature": ["5_0", "80"]}, "temperature[0] is '5_0': it must be an exact number"),
    (Product, {"humidity": [0, Decimal("NaN")]}, "humidity[1]: NaN is no number that can be recorded"),
    (Product, {"humidity": [0, 10**400]}, "humidity[1] is out of range"),
    (Product, {"near_expiry_days": -1}, "near_expiry_days is -1: it must be a whole number from 0 to 36525"),
    (Product, {"near_expiry_days": True}, "near_expiry_days is True: it must be a whole number"),
    (Product, {"near_expiry_days": Decimal(90)}, "near_expiry_days is 90: it must be a whole number"),
    (Product, {"near_expiry_days": 1 << 20_000}, "near_expiry_days is <int, too large to show>: it must be"),
    (Product, {"introduction": DIGEST.upper()}, "introduction is 'ABAB"),
    (Product, {"introduction": DIGEST[1:]}, "it must be the SHA-256 of the document, 64 hexadecimal digits"),
    (Product, {"merchant": None}, "merchant is None: it must be a canonical id"),
    (Product, {"merchant": "417/9521234000038"}, "check digit should be 7"),
    (Product, {"merchant": "two words"}, "space at position 4; a code has no spaces inside"),
    (Product, {"merchant": "7 eleven"}, "space"),
    (Product, {"merchant": "7-eleven"}, "merchant is '7-eleven':"),
    (Product, {"merchant": "urn:example:" + "x" * 400}, "412 bytes, at most 400 fit"),
    (Scope, {"products": ["01/09521234001073"]}, "products[0] is '01/09521234001073':"),
    (Scope, {"products": ["01/09521234001072/21/BJ1"]}, "it must be the id of a product"),
    (Scope, {"products": ["nmpa/81234567890123456789"]}, "it must be the id of a product"),
    (Scope, {"products": ["9521234001072"]}, "a bare number of 13 digits does not say what it is"),
    (Scope, {"products": ["nmpa/8123456"] * 4097}, "products has 4097 items: it must have 0 to 4096"),
    (Scope, {"products": "01/09521234001072"}, "products is '01/09521234001072': it must be a list"),
    (Scope, {"name": "北京"}, "name is '北京': it must be 1 to 64 letters"),
    (Scope, {"name": "a/b"}, "name is 'a/b'"),
    (Merchant, {"conditions": []}, "conditions has 0 items: it must have 1 to 64"),
    (Merchant, {"documents": [{"name": "a", "digest": DIGEST}] * 65}, "documents has 65 items"),
    (Merchant, {"documents": [{"name": "a"}]}, "documents[0], document: missing field 'digest'"),
    (Merchant, {"documents": [{"nmae": "a", "digest": DIGEST}]}, "unknown field 'nmae', did you mean 'name'?"),
    (Merchant, {"documents": ["a"]}, "documents[0], document is 'a': it must be a table of fields"),
    (Merchant, {"verify_by": "2025-01-31"}, "verify_by is 2025-01-31: it must not be before admitted_on, 2025-02-01"),
    (registers.Carrier, {"valid_until": "2024-12-31"}, "valid_until is 2024-12-31: it must not be before assessed_on"),
    (Stop, {"target": "7"}, "target is '7'"),
    (Stop, {"target_kind": "product"}, "target is 'merchant-7': it must be the id of a product"),
    (Stop, {"target": "nmpa/8123456"}, "target is 'nmpa/8123456'"),
    (Stop, {"ground": 8}, "ground is 8: it must be a whole number from 0 to 7"),
    (CaseStep, {"about": ["a b"]}, "about[0] 'a b' holds a space at position 1"),
    (CaseStep, {"about": [""]}, "about[0] is ''"),
    (CaseStep, {"amount": "-1"}, "amount is -1: it must be an exact number from 0 to 1000000000"),
    (Profile, {"places_registered": 1}, "places_registered is 1: it must be true or false"),
    (RecallStep, {"recall_class": 2}, "recall_class is 2: it must be one of '1', '2', '3'"),
    (RecallStep, {"recall_class": None}, "recall_class is missing: a recall that is opened"),
    (RecallStep, {"criterion": None, "affected": None}, "criterion is missing: a recall that is opened"),
    (RecallStep, {"criterion": {"lott": 1}}, "it must be a criterion: unknown key 'lott', did you mean 'lot'?"),
    (RecallStep, {"criterion": {"all": [{"maker": "M"}, {"lot": {"product": "01/1", "lot": "A"}}]}}, "all[1].lot: "),
    (RecallStep, {"phase": "notified", "parties": ["a"]}, "criterion is stated by who opens a recall"),
    (RecallStep, {"open_reason": "Lost"}, "open_reason says why a recall is closed, and this one is opened"),
    (HoldStep, {"authority": None}, "authority is missing: a hold that is placed states who orders it"),
    (HoldStep, {"about": []}, "about, criterion and case are missing: a hold that is placed states one of them"),
    (HoldStep, {"phase": "extended"}, "about is stated by who places a hold, and this one is extended"),
    (HoldStep, {"phase": "extended", "about": [], "until": None}, "until is missing: a hold that is extended states"),
    (HoldStep, {"phase": "released", "about": []}, "until is stated where a hold is placed or extended, and this one"),
    (
        RecallStep,
        {"locked": 1, "returned": 2, "destroyed": 3, "outstanding": 4},
        "locked 1 + returned 2 + destroyed 3 + outstanding 4 is 10: it must be affected, 1200",
    ),
]
RECALL = {name: EXAMPLES[RecallStep][name] for name in ("id", "on", "by", "reason")}
COUNTS = {"affected": 9, "locked": 2, "returned": 3, "destroyed": 4, "outstanding": 0}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"phase": "notified"}, "parties is missing: a recall that is notified"),
        ({"phase": "closed"}, "outstanding is missing: a recall that is closed"),
        ({"phase": "closed", **COUNTS, "returned": 4}, "is 10: it must be affected, 9"),
        ({"phase": "closed", **COUNTS, "returned": 2, "outstanding": 1}, "outstanding is 1: say in open_reason why"),
        ({"phase": "closed", **COUNTS, "open_reason": "Lost"}, "outstanding is 0: drop open_reason"),
        ({"phase": "closed", **COUNTS, "recall_class": "1"}, "recall_class is stated by who opens a recall"),
    ],
)
def test_a_step_of_a_recall_says_what_it_is_about_and_adds_up(change: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=re.escape(says)):
        RecallStep.from_mapping(RECALL | change, "x.toml")


def test_a_recall_is_opened_goes_on_and_is_closed() -> None:
    told = RecallStep.from_mapping(RECALL | {"phase": "notified", "parties": ["b", "(414)9521234000020"]}, "x.toml")
    assert told.parties == ("414/9521234000020", "b")
    assert RecallStep.from_mapping(RECALL | {"phase": "closed", **COUNTS}, "x.toml").outstanding == 0
    left = COUNTS | {"returned": 0, "outstanding": 3, "open_reason": "Sold abroad"}
    assert RecallStep.from_mapping(RECALL | {"phase": "closed", **left}, "x.toml").open_reason == "Sold abroad"


@pytest.mark.parametrize(("cls", "change", "says"), WRONG)
def test_what_cannot_be_is_refused_with_the_reason(cls: type[Register], change: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=re.escape(says)) as caught:
        cls.from_mapping(EXAMPLES[cls] | change, "x.toml")
    assert str(caught.value).startswith(f"x.toml, {cls.KIND}: ")
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    ("cls", "change", "name", "value"),
    [
        (Product, {"verify_by": dt.date(2026, 6, 1)}, "verify_by", dt.date(2026, 6, 1)),
        (Product, {"verify_by": "2028-02-29"}, "verify_by", dt.date(2028, 2, 29)),
        (Product, {"temperature": [Decimal("2.50"), 8]}, "temperature", (Decimal("2.5"), Decimal(8))),
        (Product, {"merchant": "(417)9521234000037"}, "merchant", "417/9521234000037"),
        (Product, {"gtin": "09521234001072"}, "id", "01/09521234001072"),
        (Scope, {"products": ["(01)09521234001072", "01/09521234001072"]}, "products", ("01/09521234001072",)),
        (CaseStep, {"about": ["z", "010952123400107221BJ0001"]}, "about", ("01/09521234001072/21/BJ0001", "z")),
        # A false code may be just what a case is about.
        (CaseStep, {"about": ["01/00000000000001/21/x"]}, "about", ("01/00000000000001/21/x",)),
    ],
)
def test_other_spellings_become_one(cls: type[Register], change: dict[str, Any], name: str, value: Any) -> None:
    assert getattr(cls.from_mapping(EXAMPLES[cls] | change, "x.toml"), name) == value


def test_a_product_may_be_named_by_id_instead_of_gtin() -> None:
    mapping = EXAMPLES[Product] | {"id": "nmpa/8123456"}
    del mapping["gtin"]
    assert Product.from_mapping(mapping, "x.toml").id == "nmpa/8123456"


def test_the_constructor_names_every_fault_too() -> None:
    with pytest.raises(InputError) as caught:
        evolve(example(Place), id="", area=-1, closed_on="2026-01-01")
    message = str(caught.value)
    assert message.startswith("place: id is '': ")
    assert "area is -1: it must be a whole number" in message
    assert "closed_on is '2026-01-01': it must be a date" in message
    with pytest.raises(InputError, match="a date that exists"):
        evolve(example(Place), closed_on=dt.datetime(2026, 1, 1))  # noqa: DTZ001 - no date
    with pytest.raises(InputError, match=re.escape("documents[0] is 5: it must be a Document")):
        evolve(example(Merchant), documents=(5,))
    with pytest.raises(InputError, match="its canonical form is '417/9521234000037'"):
        evolve(example(Merchant), id="(417)9521234000037")


def test_a_list_that_fits_into_no_record_is_refused_when_it_is_recorded() -> None:
    scope = evolve(example(Scope), products=tuple(f"nmpa/{number:07}" for number in range(4096)))
    assert scope.record().body[4] == scope.products  # 13 bytes each fit
    gtins = tuple(f"01/{strategies.keyed(f'{number:013}')}" for number in range(4000))
    with pytest.raises(InputError, match="at most 65536 fit"):
        evolve(scope, products=gtins).record()


nonsense = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.decimals() | st.text(max_size=5) | st.dates()
    | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@given(st.sampled_from(FIELDS), nonsense)
def test_no_value_of_a_file_raises_anything_else(field: tuple[type[Register], str], value: Any) -> None:
    cls, name = field
    kept = {key: one for key, one in EXAMPLES[cls].items() if key != called(cls, name)}
    try:
        found = cls.from_mapping(kept | {name: value}, "x.toml")
    except InputError as error:
        assert name in str(error)  # noqa: PT017 - either way is right
    else:
        assert registers.read(found.record()) == found


# ---- records: read strictly ------------------------------------------------------------------------


@pytest.mark.parametrize(("cls", "name"), FIELDS)
def test_a_value_of_the_wrong_type_in_a_record_is_named(cls: type[Register], name: str) -> None:
    record = example(cls).record()
    place = [slot.name for slot in _slots(cls)].index(name)
    for wrong in ((), b"\x00", ((1, 2), 3), -7):
        body = (*record.body[:place], wrong, *record.body[place + 1 :])
        if wrong == () and wrong == record.body[place]:
            continue  # a list may be empty
        try:
            registers.read(evolve(record, body=body))
        except DecodeError as error:
            assert str(error).startswith(f"record {cls.KIND}: {name}")  # noqa: PT017 - the one exception is below
        else:
            assert wrong == ()
            assert name in {"products", "documents", "qualifications", "about", "parties"}


def _changed(cls: type[Register], name: str, value: Any) -> Record:
    record: Record = example(cls).record()
    place = [slot.name for slot in _slots(cls)].index(name)
    return evolve(record, body=(*record.body[:place], value, *record.body[place + 1 :]))


NOT_OURS: list[tuple[Record, str]] = [
    (
        _changed(RecallStep, "criterion", (1, "01/09521234001072")),
        "criterion: this is no criterion: tag 1 has 1 values",
    ),
    (_changed(RecallStep, "criterion", (14, (14, (3, "M")))), "criterion: this is no criterion: Not holds another Not"),
    (_changed(RecallStep, "criterion", (12, (3, "N"), (3, "M"))), "criterion: this criterion is written otherwise"),
    (_changed(RecallStep, "criterion", None), "criterion is missing: a recall"),
    (_changed(RecallStep, "recall_class", 1), "recall_class is 1: it must be one of"),
    (_changed(Scope, "products", ("nmpa/8123456", "01/09521234001072")), "products is ('nmpa/8123456',"),
    (_changed(Scope, "products", ("nmpa/8123456", "nmpa/8123456")), "products is ('nmpa/8123456', 'nmpa/8123456')"),
    (_changed(CaseStep, "about", ("010952123400107221BJ0001",)), "about is ('010952123400107221BJ0001',)"),
    (_changed(CaseStep, "amount", (125, -1, 0)), "amount is (125, -1, 0): it must be a mantissa and an exponent"),
    (_changed(CaseStep, "amount", (1250, -2)), "amount is (1250, -2), which is written (125, -1)"),
    (_changed(CaseStep, "amount", (0, 5)), "amount is (0, 5), which is written (0, 0)"),
    (_changed(CaseStep, "amount", (True, 0)), "amount is (True, 0): it must be a mantissa and an exponent"),
    (_changed(CaseStep, "amount", (1, 1 << 62)), "it must be a mantissa and an exponent"),
    (_changed(CaseStep, "on", "2025-02-29"), "on is '2025-02-29': there is no such date"),
    (_changed(CaseStep, "on", "2025-02-2９"), "it must be a date that exists"),
    (_changed(CaseStep, "by", None), "by is None: it must be a name"),
    (_changed(Product, "temperature", ((8, 0), (2, 0))), "temperature is from 8 to 2"),
    (_changed(Product, "temperature", ((20, -1), (8, 0))), "temperature is ((20, -1), (8, 0)), which is written"),
    (_changed(Product, "introduction", bytes(31)), "introduction is b'"),
    (_changed(Product, "verify_by", "2024-01-01"), "verify_by is 2024-01-01: it must not be before"),
    (_changed(Profile, "places_registered", 1), "places_registered is 1: it must be true or false"),
    (_changed(Profile, "undo_days", True), "undo_days is True: it must be a whole number"),
    (_changed(Merchant, "documents", (("a", bytes(32)),)), "documents[0]: document is ('a', b'"),
    (_changed(Merchant, "documents", (("a", bytes(3), None),)), "documents[0]: document: digest is b'"),
    (_changed(Merchant, "id", "(417)9521234000037"), "its canonical form is '417/9521234000037'"),
    (evolve(example(Place).record(), body=example(Place).record().body[:-1]), "its body is ("),
    (evolve(example(Place).record(), body=(*example(Place).record().body, None)), "must be an array of 10 values"),
    (evolve(example(Place).record(), body=None), "its body is None: it must be an array of 10 values"),
    (evolve(example(Place).record(), body="x" * 10), "must be an array of 10 values"),
    (evolve(example(Place).record(), subject="urn:tracechain:place:other"), "its subject is 'urn:tracechain:place:oth"),
    (evolve(example(Place).record(), subject=None), "its subject is None, and should be 'urn:tracechain:place:414/"),
]


@pytest.mark.parametrize(("record", "says"), NOT_OURS)
def test_what_we_would_not_write_is_not_read(record: Record, says: str) -> None:
    with pytest.raises(DecodeError, match=re.escape(says)) as caught:
        registers.read(record)
    assert str(caught.value).startswith(f"record {record.kind}: ")


def test_a_class_reads_only_its_own_kind() -> None:
    with pytest.raises(DecodeError, match="record place: its kind must be 'product'"):
        Product.from_record(example(Place).record())


@given(st.sampled_from(CLASSES), st.data())
def test_no_body_raises_anything_else(cls: type[Register], data: st.DataObject) -> None:
    """One value of a body is anything plain: it is refused, or it is exactly what we write."""
    record = example(cls).record()
    place = data.draw(st.integers(0, len(record.body) - 1))
    wrong = data.draw(strategies.plain_values().filter(lambda value: "\x00" not in repr(value)))
    try:
        changed = Record(cls.KIND, (*record.body[:place], wrong, *record.body[place + 1 :]), record.subject)
    except InputError:
        return  # no record may hold it at all
    try:
        value = cls.from_record(changed)
    except DecodeError as error:
        assert str(error).startswith(f"record {cls.KIND}: ")  # noqa: PT017 - either way is right
    else:
        assert value.record() == changed


# ---- kinds -----------------------------------------------------------------------------------------


def test_a_kind_that_is_none_is_told_the_nearest() -> None:
    assert registers.kind_class("place") is Place
    with pytest.raises(InputError, match="'merchants' is no kind of register: did you mean 'merchant'"):
        registers.kind_class("merchants")
    with pytest.raises(InputError, match="registers are product, shielded, merchant"):
        registers.kind_class("???")


@pytest.mark.parametrize("kind", TARGET_KINDS)
def test_a_stop_stands_in_its_targets_chain(kind: str) -> None:
    target = "01/09521234001072" if kind == "product" else "x"
    stop = evolve(example(Stop), target_kind=kind, target=target)
    assert stop.subject == registers.subject_of(kind, target)
