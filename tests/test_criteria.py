"""Criteria: one value and one spelling for each, in records, in files and in words."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from criteria_samples import CASE, GTIN, NMPA, PACK, STORE, criteria, leaves
from tracechain.criteria import (
    MAX_DEPTH,
    AllOf,
    AnyOf,
    ByCarrier,
    ByMaker,
    ByMerchant,
    Codes,
    Commissioned,
    Criterion,
    Lot,
    Measured,
    Not,
    OfProduct,
    SharedContainer,
    ThroughContainer,
    ThroughPlace,
    all_of,
    any_of,
    from_json,
    from_plain,
    in_words,
    to_json,
    to_plain,
)
from tracechain.criteria.files import format_duration, parse_duration
from tracechain.encoding import pack, unpack_strict
from tracechain.errors import DecodeError, InputError
from tracechain.event.times import parse_time

JANUARY, MARCH = parse_time("2026-01-01T00:00:00+08:00"), parse_time("2026-03-01T00:00:00+08:00")
A, B, C = Lot(GTIN, "A102"), OfProduct(NMPA), ThroughPlace(STORE)


def untyped(kind: Any) -> Any:
    """A class that a caller without types calls."""
    return kind


@given(criteria)
def test_each_criterion_has_one_plain_form_and_comes_back_from_it(criterion: Criterion) -> None:
    plain = to_plain(criterion)
    again = from_plain(unpack_strict(pack(plain)))
    assert again == criterion
    assert hash(again) == hash(criterion)
    assert pack(to_plain(again)) == pack(plain)


@given(criteria)
def test_each_comes_back_from_a_file_and_has_words_in_both_languages(criterion: Criterion) -> None:
    assert from_json(json.loads(json.dumps(to_json(criterion)))) == criterion
    assert from_json(json.loads(json.dumps(to_json(criterion)), parse_float=Decimal)) == criterion
    english, chinese = in_words(criterion), in_words(criterion, "zh")
    assert english
    assert chinese
    assert english != chinese
    assert "\n" not in english + chinese


@given(st.lists(leaves, min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_the_order_nesting_and_doubles_of_parts_do_not_matter(parts: list[Criterion], chance: Any) -> None:
    for join, operator in ((all_of, Criterion.__and__), (any_of, Criterion.__or__)):
        shuffled = [*parts, chance.choice(parts)]
        chance.shuffle(shuffled)
        one = shuffled[0]
        for part in shuffled[1:]:
            one = operator(one, part) if chance.random() < 0.5 else operator(part, one)
        assert one == join(parts)
        assert to_plain(one) == to_plain(join(parts))


@given(st.integers(0, (1 << 63) - 1))
def test_durations_come_back(nanos: int) -> None:
    assert parse_duration(format_duration(nanos)) == nanos


def test_a_criterion_is_written_as_format_md_says() -> None:
    assert to_plain(A) == (1, GTIN, "A102")
    assert to_plain(B) == (2, NMPA)
    assert to_plain(ByMaker("示例药业")) == (3, "示例药业")
    assert to_plain(ByMerchant("pharmacy")) == (4, "pharmacy")
    assert to_plain(Commissioned(JANUARY, MARCH)) == (5, JANUARY, MARCH)
    assert to_plain(C) == (6, STORE, None, None)
    assert to_plain(ThroughContainer(CASE, JANUARY)) == (7, CASE, JANUARY, None)
    assert to_plain(ByCarrier("carrier-1", None, MARCH)) == (8, "carrier-1", None, MARCH)
    assert to_plain(Measured("humidity", above=Decimal("70.50"), longer_than=60)) == (9, 1, (705, -1), None, 60)
    assert to_plain(Measured("temperature", below=-5)) == (9, 0, None, (-5, 0), 0)
    assert to_plain(SharedContainer(PACK)) == (10, PACK)
    assert to_plain(Codes((PACK, CASE))) == (11, ("00/", ("095212340000000013",), f"{GTIN}/21/", ("BJ000001",)))
    assert to_plain(~(A & B)) == (14, (12, (2, NMPA), (1, GTIN, "A102"))), (
        "shorter bytes of the same length sort by them"
    )
    assert to_plain(A | C) == (13, (1, GTIN, "A102"), (6, STORE, None, None))


def test_operators_keep_criteria_flat_and_without_doubles() -> None:
    assert (A & B) & C == A & (B & C) == AllOf((C, B, A))
    assert A & A == A
    assert AnyOf((B, A)) == A | (A | B)
    assert ~~A == A
    assert Not(AnyOf((A, B))) == ~(A | B)
    assert (A & B) | C != A & (B | C)
    assert isinstance((A | B) & C, AllOf)


def _nested(depth: int) -> Criterion:
    found: Criterion = A
    for level in range(depth - 1):
        found = found & ByMaker(f"M{level}") if level % 2 else found | ByMaker(f"M{level}")
    return found


def test_criteria_nest_eight_deep_and_no_deeper() -> None:
    assert from_plain(to_plain(_nested(MAX_DEPTH))) == _nested(MAX_DEPTH)
    with pytest.raises(InputError, match="9 deep"):
        _nested(MAX_DEPTH + 1)
    plain: Any = to_plain(_nested(MAX_DEPTH))
    with pytest.raises(DecodeError, match="deep"):
        from_plain((14, plain))
    document: Any = {"product": GTIN}
    for _ in range(1000):
        document = {"not": document}
    with pytest.raises(InputError, match="too deep"):
        from_json(document)


def test_a_criterion_takes_4096_codes_if_they_fit() -> None:
    codes = Codes(tuple(f"{GTIN}/21/BJ{number:06}" for number in range(4096)))
    assert from_plain(to_plain(codes)) == codes
    with pytest.raises(InputError, match="1 to 4096"):
        Codes((*codes.codes, PACK + "X"))
    with pytest.raises(InputError, match="65536 fit"):
        Codes(tuple(f"urn:{number:04}:{'x' * 400}" for number in range(200)))
    with pytest.raises(InputError, match="65536 fit"):
        codes | Codes(tuple(f"{GTIN}/21/XX{number:06}" for number in range(4096)))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Lot("01/09521234001073", "A"), "product is '01/09521234001073'.*check digit"),
        (lambda: Lot(PACK, "A"), "must be the id of a product"),
        (lambda: Lot(GTIN, ""), "lot is ''"),
        (lambda: Lot(GTIN, " A"), "without space"),
        (lambda: Lot(GTIN, "A\n"), "without space"),
        (lambda: Lot(GTIN, "A\nB"), "control character"),
        (lambda: OfProduct("nmpa/８１２３４５６"), "must be the id of a product"),
        (lambda: untyped(ByMaker)(7), "maker is 7"),
        (lambda: ByMerchant("a b"), "merchant 'a b' holds a space"),
        (lambda: Commissioned(2, 1), "the start comes first"),
        (lambda: Commissioned(True, 1), "start is True"),
        (lambda: Commissioned(0, 1 << 63), "64-bit"),
        (lambda: ThroughPlace("urn:epc:id:sgln:9521234.00001.0"), f"its canonical form is '{STORE}'"),
        (lambda: ThroughPlace(STORE, 2, 1), "the start comes first"),
        (lambda: untyped(ThroughContainer)(CASE, stop=1.5), "stop is 1.5"),
        (lambda: untyped(ByCarrier)(None), "carrier is None"),
        (lambda: Measured("pressure", above=1), "measure is 'pressure'"),
        (lambda: Measured("temperature"), "needs a limit"),
        (lambda: Measured("temperature", above=8.5), "exact number"),
        (lambda: Measured("humidity", above=101), "from 0 to 100"),
        (lambda: Measured("temperature", above=2, below=8), "always so"),
        (lambda: Measured("temperature", above=2, longer_than=-1), "0 ns or more"),
        (lambda: SharedContainer(""), "empty"),
        (lambda: Codes(()), "codes has 0 ids"),
        (lambda: untyped(Codes)(PACK), "a list of ids"),
        (lambda: untyped(Codes)((PACK, 7)), r"codes\[1\] is 7"),
        (lambda: AllOf((A,)), "1 different parts"),
        (lambda: AnyOf((A, A)), "1 different parts"),
        (lambda: untyped(AllOf)((A, "B")), "must be a criterion"),
        (lambda: Not(Not(A)), "another Not"),
        (lambda: untyped(Not)("A"), "must be a criterion"),
        (lambda: all_of(()), "0 different parts"),
    ],
)
def test_what_cannot_be_meant_is_refused_on_construction(make: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        make()


@pytest.mark.parametrize(
    "plain",
    [
        None,
        7,
        (),
        (0, GTIN),
        (15, GTIN),
        (True, GTIN, "A102"),
        ("1", GTIN, "A102"),
        (1, GTIN),
        (1, GTIN, "A102", None),
        (5, JANUARY, True),
        (6, STORE),
        (6, STORE, None, None, None),
        (9, 2, (8, 0), None, 0),
        (9, False, (8, 0), None, 0),
        (9, 0, (80, -1), None, 0),
        (9, 0, (8, False), None, 0),
        (9, 0, (8, 0, 0), None, 0),
        (9, 0, (10**18, 60), None, 0),
        (11, (PACK,)),
        (11, ("", (PACK,))),
        (11, (f"{GTIN}/21/", ("B", "A"))),
        (11, (f"{GTIN}/21/", ("A",), f"{GTIN}/21/", ("B",))),
        (11, (f"{GTIN}/21/", (), "", ("x",))),
        (11, (f"{GTIN}/21/", ("A", 7))),
        (11, (7, ("A",))),
        (12,),
        (12, (1, GTIN, "A102")),
        (12, (1, GTIN, "A102"), (2, NMPA)),
        (12, (2, NMPA), (2, NMPA)),
        (12, (2, NMPA), (12, (1, GTIN, "A102"), (6, STORE, None, None))),
        (12, (2, NMPA), ()),
        (14, (14, (2, NMPA))),
        (14, (2, NMPA), None),
        [2, NMPA],
        (2, b"nmpa/8123456"),
        (2, 1.5),
    ],
)
def test_any_other_plain_form_is_refused(plain: Any) -> None:
    with pytest.raises(DecodeError):
        from_plain(plain)


def test_a_file_is_read_generously() -> None:
    read = from_json(
        {
            "all": [
                {"lot": {"product": "urn:epc:idpat:sgtin:9521234.000107.*", "lot": "A102"}},
                {
                    "any": [
                        {"through_place": {"place": "(414)9521234000013", "from": "2025-12-31T16:00:00Z", "to": None}}
                    ]
                },
                {"measured": {"measure": "temperature", "above": 8.5, "below": 2, "longer_than": "1h30m"}},
                {"not": {"not": {"codes": ["(01)09521234001072(21)BJ000001"]}}},
            ]
        }
    )
    assert read == all_of(
        (
            A,
            ThroughPlace(STORE, JANUARY),
            Measured("temperature", Decimal("8.5"), Decimal(2), 5400 * 10**9),
            Codes((PACK,)),
        )
    )
    assert to_json(ThroughPlace(STORE, JANUARY)) == {
        "through_place": {"place": STORE, "from": "2026-01-01T00:00:00+08:00"}
    }
    assert to_json(Measured("temperature", below=Decimal("-0.5"), longer_than=1800 * 10**9)) == {
        "measured": {"measure": "temperature", "below": "-0.5", "longer_than": "30m"}
    }
    assert to_json(Commissioned(JANUARY, MARCH)) == {
        "commissioned": {"from": "2026-01-01T00:00:00+08:00", "before": "2026-03-01T00:00:00+08:00"}
    }


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (7, "an object of one key"),
        ({}, "an object of one key"),
        ({"product": GTIN, "maker": "M"}, "an object of one key"),
        ({"lott": {}}, "unknown key 'lott', did you mean 'lot'"),
        ({"lot": {"product": GTIN, "lot": "A", "batch": 1}}, "lot: unknown key 'batch'"),
        ({"lot": {"product": GTIN}}, "lot: 'lot' is missing"),
        ({"lot": GTIN}, "lot: '01/09521234001072' must be an object of product, lot"),
        ({"any": [{"maker": "M"}, {"all": [{"prodct": 1}]}]}, r"^any\[1\].all\[0\]: unknown key 'prodct'"),
        ({"all": []}, "all: .* must be a list of 1"),
        ({"all": {"maker": "M"}}, "must be a list of 1"),
        (
            {"commissioned": {"from": "2026-01-01", "before": "2026-03-01"}},
            "commissioned: from: '2026-01-01' is no time",
        ),
        ({"commissioned": {"from": 5, "before": 6}}, "it must be a time in quotes"),
        ({"commissioned": {"from": "2026-01-01T00:00:00Z", "to": "2026-03-01T00:00:00Z"}}, "unknown key 'to'"),
        ({"through_place": {"place": STORE, "before": "2026-01-01T00:00:00Z"}}, "unknown key 'before'"),
        ({"measured": {"measure": "temperature", "above": "8"}}, "'longer_than' is missing"),
        ({"measured": {"measure": "temperature", "above": "8", "longer_than": 30}}, "a duration in quotes"),
        ({"measured": {"measure": "temperature", "above": "８", "longer_than": "30m"}}, "above is '８'"),
        ({"measured": {"measure": "temperature", "above": True, "longer_than": "30m"}}, "above is True"),
        ({"measured": {"measure": "temperature", "above": float("nan"), "longer_than": "30m"}}, "above is nan"),
        ({"codes": PACK}, "must be a list"),
        ({"codes": [PACK, None]}, r"codes\[1\] is None"),
        ({"not": None}, "not: None must be an object"),
    ],
)
def test_what_a_file_has_wrong_is_named_where_it_stands(document: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        from_json(document)


@pytest.mark.parametrize(
    "text", ["", "30", "m", "30m1h", "5mm", "1.5h", " 5m", "5m ", "５m", "1s1s", "+5m", "9" * 19 + "d"]
)
def test_other_durations_are_none(text: str) -> None:
    with pytest.raises(InputError):
        parse_duration(text)


def test_criteria_are_said_in_words() -> None:
    criterion = (
        (A | B)
        & ~ThroughPlace(STORE, JANUARY, MARCH)
        & Measured("temperature", above=Decimal(8), longer_than=1800 * 10**9)
    )
    assert in_words(A) == f"lot A102 of {GTIN}"
    assert in_words(A, "zh") == f"产品 {GTIN} 的批次 A102"
    words = in_words(criterion)
    assert f"(product {NMPA} or lot A102 of {GTIN})" in words
    assert f"not (was at {STORE} from 2026-01-01 00:00:00 to 2026-03-01 00:00:00)" in words
    assert "temperature above 8 °C for longer than 30m" in words
    chinese = in_words(criterion, "zh")
    assert "温度高于 8 °C，持续超过 30m" in chinese
    assert "非（自 2026-01-01 00:00:00 至 2026-03-01 00:00:00 曾在地点" in chinese
    assert in_words(Codes(tuple(f"{GTIN}/21/{n}" for n in range(9)))).startswith("9 codes: ")
    with pytest.raises(InputError, match="no language"):
        in_words(A, "de")  # type: ignore[arg-type] # what a caller without types may ask for
