"""Persons: all that is held on one, a value that others can hold against the log, and a request from end to end."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from person_samples import ANNA, BEN, CARL, Shop, words
from pilot_world import BUYER, OTHER_BUYER, World
from tracechain.custody import Custody, Violation
from tracechain.entry import content_commitment, parse_header
from tracechain.errors import (
    CheckpointError,
    DataError,
    DecodeError,
    InputError,
    ProofError,
    RestrictedError,
)
from tracechain.event.sale import amount
from tracechain.persons import (
    Disclosure,
    check_disclosure,
    disclose,
    export_file,
    format_disclosure,
    held_on,
    parse_disclosure,
    plain_plan,
    plan_erasure,
)
from tracechain.private import PrivateValue, commit_private
from tracechain.store import Kept
from tracechain.testing import Keys, new_ledger


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path)
    yield shop
    shop.ledger.close()


# ---- all that is held --------------------------------------------------------------------------


def test_all_that_is_held_on_a_person_and_nothing_of_others(shop: Shop) -> None:
    shop.know(ANNA, "Anna")
    shop.know(BEN, "Ben")
    first, kept = shop.sell(ANNA, "Anna", yuan="12.50")
    shop.sell(BEN, "Ben")
    second, more = shop.sell(ANNA, "Anna", owned=False)
    unnamed, hers = shop.sell(None, "Anna")
    loose = PrivateValue(os.urandom(32), "note", "a wish")
    shop.ledger.vault.put_private([loose, *hers], ANNA)
    with shop.ledger.snapshot() as view:
        file = held_on(view, shop.ledger.vault, ANNA)
        size, note = view.size, view.checkpoint
    assert file
    assert (file.size, file.checkpoint, file.token) == (size, note, ANNA)
    assert file.ledger_id == shop.ledger.ledger_id
    assert file.identity.values == {"id-number": "110101-Anna-0011", "name": "Anna of Beijing"}
    assert [(event.index, event.named) for event in file.events] == [(first, True), (second, True), (unnamed, False)]
    assert str(file.events[0].amount) == "12.5"
    assert file.events[0].units == ("01/09521234001072/21/BJ000001",)
    assert [one.value for one in file.fields] == [*kept, *more, *hers, loose]
    assert [one.index for one in file.fields] == [first, first, second, second, unnamed, unnamed, None]
    with shop.ledger.snapshot() as view:
        nobody = held_on(view, shop.ledger.vault, CARL)
    assert not nobody
    assert nobody.identity.standing == Kept.UNKNOWN


def test_what_is_withheld_or_erased_is_listed_as_such(shop: Shop) -> None:
    shop.know(ANNA, "Anna")
    at, kept = shop.sell(ANNA, "Anna")
    vault = shop.ledger.vault
    shop.ledger.restrict([kept[1].commitment], ground="contested", by="clerk")
    with shop.ledger.snapshot() as view:
        plan = plan_erasure(view, vault, as_of=shop.today, commitments=[kept[0].commitment])
    done = shop.ledger.erase(plan, ground="asked", by="clerk")
    assert done.receipt is not None
    with shop.ledger.snapshot() as view:
        address, phone = held_on(view, vault, ANNA).fields
        assert (address.standing, address.value, address.erased_by) == (Kept.ERASED, None, done.receipt.first)
        assert (phone.standing, phone.value) == (Kept.RESTRICTED, None)
        assert phone.restriction is not None
        assert phone.restriction.ground == "contested"
        shown = held_on(view, vault, ANNA, ground="the person asks").fields[1]
        assert shown.value == kept[1]
        assert [one.ground for one in shown.revealed] == ["the person asks"]
        assert (address.name, phone.name, shown.index) == ("address", "phone", at)
    with shop.ledger.snapshot() as view:
        shop.ledger.restrict([ANNA], ground="all of it", by="clerk")
        assert held_on(view, vault, ANNA).identity.values is None
        assert held_on(view, vault, ANNA).identity.names == ("id-number", "name")
        assert held_on(view, vault, ANNA, ground="asks").identity.values is not None


def test_an_export_is_json_and_everything_in_it_can_be_held_against_the_log(shop: Shop) -> None:
    shop.know(ANNA, "Anna")
    at, kept = shop.sell(ANNA, "Anna")
    shop.ledger.vault.put_private([PrivateValue(os.urandom(32), "photo", b"\xff\0")], ANNA)
    with shop.ledger.snapshot() as view:
        said = json.loads(json.dumps(export_file(held_on(view, shop.ledger.vault, ANNA))))
        (event,) = said["events"]
        header = view.header(at)
        assert header is not None
        salt, content = bytes.fromhex(event["content_salt"]), bytes.fromhex(event["content"])
        assert content_commitment(salt, content) == parse_header(header).content_commitment
    for one in event["private"]:
        commitment = commit_private(bytes.fromhex(one["salt"]), one["name"], one["value"])
        assert commitment.hex() == one["commitment"]
        assert commitment in content
    assert said["identity"]["values"]["name"] == "Anna of Beijing"
    assert said["other_values"][0]["value"] == {"base64": "/wA="}
    assert event["amount"] == "300"
    assert event["time"] == "2026-11-21T08:00:00+08:00"
    assert len(kept) == 2


def test_a_token_that_is_in_other_bytes_is_no_person(shop: Shop) -> None:
    """Its bytes as a unit's code, in the record of an erasure, as a commitment: only item 24 of an event names it."""
    shop.know(ANNA, "Anna")
    with shop.ledger.snapshot() as view:
        plan = plan_erasure(view, shop.ledger.vault, as_of=shop.today, tokens=[ANNA])
    shop.ledger.erase(plan, ground="asked", by="clerk")
    shop.sell(BEN, ANNA.decode())
    with shop.ledger.snapshot() as view:
        file = held_on(view, shop.ledger.vault, ANNA)
        assert sum(ANNA in part for _, part in view.contents(0, view.size)) == 1
    assert (file.events, bool(file), file.identity.standing) == ((), False, Kept.ERASED)


def test_reading_tells_how_far_it_is(shop: Shop) -> None:
    shop.sell(ANNA, "Anna")
    told: list[tuple[int, int]] = []
    with shop.ledger.snapshot() as view:
        held_on(view, shop.ledger.vault, ANNA, progress=lambda done, total: told.append((done, total)))
        assert told == [(view.size, view.size)]


# ---- showing one value -------------------------------------------------------------------------


@pytest.fixture
def shown(shop: Shop) -> Disclosure:
    shop.know(ANNA, "Anna")
    at, _ = shop.sell(ANNA, "Anna")
    shop.sell(BEN, "Ben")
    with shop.ledger.snapshot() as view:
        return disclose(view, shop.ledger.vault, at, "phone")


def test_a_value_that_is_shown_is_checked_with_the_key_alone(shop: Shop, shown: Disclosure) -> None:
    text = format_disclosure(shown)
    assert parse_disclosure(text) == shown
    found = check_disclosure(parse_disclosure(text), shop.ledger.verifier)
    assert (found.index, found.name, found.value) == (shown.index, "phone", words("Anna0")["phone"])
    assert found.event.person == ANNA
    assert amount(found.event) == 300
    assert found.received == shop.clock.now
    assert found.size == shown.index + 3  # Ben's statement and event came after it
    # What is not shown is not in it.
    assert words("Anna0")["address"] not in text
    assert "Anna of Beijing" not in text


def test_nothing_of_a_disclosure_can_be_changed(shop: Shop, shown: Disclosure, tmp_path: Path) -> None:
    verifier = shop.ledger.verifier
    with shop.ledger.snapshot() as view:
        other = disclose(view, shop.ledger.vault, shown.index, "address")
        later = disclose(view, shop.ledger.vault, view.size - 1, "phone")
    changes: list[dict[str, Any]] = [
        {"value": "+86-10-Anna0-5550198"},
        {"value": shown.value.encode()},  # type: ignore[union-attr]  # a text
        {"value": 5},
        {"name": "address"},
        {"name": ""},
        {"salt": bytes(32)},
        {"salt": other.salt},
        {"salt": b""},
        {"content_salt": bytes(32)},
        {"content": shown.content[:-1] + b"\0"},
        {"content": later.content},
        {"content": later.content, "content_salt": later.content_salt},
        {"header": later.header},
        {"header": later.header, "content": later.content, "content_salt": later.content_salt},
        {"header": shown.header[:-1]},
        {"header": bytes(128)},
        {"proof": later.proof},
        {"proof": evolve(shown.proof, index=shown.index - 1)},
        {"proof": evolve(shown.proof, hashes=shown.proof.hashes[:-1])},
    ]
    for change in changes:
        with pytest.raises(DataError):
            check_disclosure(evolve(shown, **change), verifier)
    changed = evolve(shown, name="address", value=other.value, salt=other.salt)
    assert check_disclosure(changed, verifier).value == words("Anna0")["address"]
    with new_ledger(tmp_path / "other", origin="ledger.example/other") as stranger, pytest.raises(CheckpointError):
        check_disclosure(shown, stranger.verifier)


def test_only_a_private_field_of_an_event_can_be_disclosed(shop: Shop, shown: Disclosure) -> None:
    with shop.ledger.snapshot() as view:
        for index in (0, 1, 2, view.size, -1):
            with pytest.raises(InputError):
                disclose(view, shop.ledger.vault, index, "phone")
        with pytest.raises(InputError, match="it has address, phone"):
            disclose(view, shop.ledger.vault, shown.index, "fax")


def test_what_was_erased_or_is_withheld_is_not_disclosed(shop: Shop, shown: Disclosure) -> None:
    vault = shop.ledger.vault
    commitment = commit_private(shown.salt, shown.name, shown.value)
    shop.ledger.restrict([commitment], ground="contested", by="clerk")
    with shop.ledger.snapshot() as view:
        with pytest.raises(RestrictedError, match="contested"):
            disclose(view, vault, shown.index, "phone")
        assert disclose(view, vault, shown.index, "phone", ground="court order 7").value == shown.value
        plan = plan_erasure(view, vault, as_of=shop.today, commitments=[commitment])
    shop.ledger.erase(plan, ground="asked", by="clerk")
    with shop.ledger.snapshot() as view, pytest.raises(InputError, match="was erased"):
        disclose(view, vault, shown.index, "phone")
    # Who was shown it before can still prove it: what is known is not forgotten by erasing.
    assert check_disclosure(shown, shop.ledger.verifier).value == words("Anna0")["phone"]


@pytest.mark.parametrize(
    "change",
    [
        {"format": "tracechain disclosure v1"}, {"more": 1}, {"name": 5}, {"value": None}, {"value": {"base64": "/wA"}},
        {"value": {"base64": "/wA=", "x": 1}}, {"value": {"hex": ""}}, {"salt": ""}, {"salt": "AB" * 32},
        {"proof": "\ud800"},
        {"name": "\ud800"},
        {"value": "\ud800"},
        {"salt": "ab " * 32}, {"salt": "ab" * 33}, {"salt": 5}, {"header": "00" * 127}, {"content": ""}, {"proof": 7},
        {"proof": "c2sp.org/tlog-proof@v1"},
    ],
)  # fmt: skip
def test_a_disclosure_is_read_strictly(shop: Shop, shown: Disclosure, change: dict[str, Any]) -> None:
    plain = json.loads(format_disclosure(shown))
    with pytest.raises(DataError):
        check_disclosure(parse_disclosure(json.dumps(plain | change)), shop.ledger.verifier)


def test_a_member_of_a_disclosure_stands_once(shown: Disclosure) -> None:
    text = format_disclosure(shown)
    with pytest.raises(DecodeError, match="twice"):
        parse_disclosure(text.replace("{", '{"value": "another",', 1))


@pytest.mark.parametrize("text", ["", "[]", "{}", "NaN", "[" * 100_000, "\0", " " * (1 << 20)])
def test_what_is_no_disclosure_is_refused(text: str) -> None:
    with pytest.raises(DecodeError):
        parse_disclosure(text)


@settings(max_examples=30)
@given(data=st.data())
def test_a_flipped_bit_never_proves_another_value(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    shop = Shop(tmp_path_factory.mktemp("shop"))
    try:
        at, _ = shop.sell(ANNA, "Anna")
        with shop.ledger.snapshot() as view:
            text = format_disclosure(disclose(view, shop.ledger.vault, at, "phone")).encode()
        verifier = shop.ledger.verifier
    finally:
        shop.ledger.close()
    for _ in range(20):
        bit = data.draw(st.integers(0, 8 * len(text) - 1))
        flipped = bytearray(text)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            found = check_disclosure(parse_disclosure(flipped.decode("utf-8", "replace")), verifier)
        except DataError:
            continue
        assert (found.index, found.name, found.value) == (at, "phone", words("Anna0")["phone"])


def test_proofs_name_the_log(shop: Shop, shown: Disclosure) -> None:
    assert Keys().log.public_key == shop.ledger.verifier.key
    with pytest.raises((ProofError, CheckpointError)):
        check_disclosure(shown, evolve(shop.ledger.verifier, name="ledger.example"))


# ---- a request from end to end -----------------------------------------------------------------


def test_a_request_from_end_to_end(shop: Shop) -> None:
    """Somebody knows a telephone number, and asks what is held, for a copy, and to be forgotten."""
    shop.know(ANNA, "Anna")
    at, _ = shop.sell(ANNA, "Anna")
    vault = shop.ledger.vault
    (token,) = vault.find(words("Anna0")["phone"])
    assert token == ANNA
    with shop.ledger.snapshot() as view:
        copy = json.dumps(export_file(held_on(view, vault, token)), ensure_ascii=False)
        plan = plan_erasure(view, vault, as_of=shop.today, tokens=[token])
    assert words("Anna0")["address"] in copy
    said = plain_plan(plan)
    assert said["counts"] == {"erase": 3, "restrict": 0, "keep": 0}
    assert all(value not in json.dumps(said) for value in words("Anna0").values())
    shop.ledger.erase(plan, ground="the person asked", by="privacy officer")
    assert vault.find(words("Anna0")["phone"]) == []
    with shop.ledger.snapshot() as view:
        file = held_on(view, vault, token)
    assert [event.index for event in file.events] == [at]
    assert {one.standing for one in file.fields} == {Kept.ERASED}
    assert words("Anna0")["address"] not in json.dumps(export_file(file))


# ---- tokens and rules --------------------------------------------------------------------------


def ordered(world: World, pack: str, yuan: str) -> str:
    """A pack that BUYER ordered and paid; its order is named after it."""
    world.bring(pack, Custody.BONDED)
    world.keep(world.order(pack, po=pack[-2:], yuan=yuan), world.pay(pack, po=pack[-2:], yuan=yuan))
    return pack


def test_same_buyer_and_yearly_limit_are_judged_alike_after_an_erasure(tmp_path: Path) -> None:
    world = World(tmp_path)
    vault = world.ledger.vault
    vault.put_person(BUYER, {"name": "Anna"})
    vault.put_person(OTHER_BUYER, {"name": "Ben"})
    packs = [ordered(world, pack, "4400") for pack in world.packs[:5]]
    last = ordered(world, world.packs[5], "4000")
    with world.ledger.snapshot() as view:
        plan = plan_erasure(view, vault, as_of=world.clock.now // 86_400_000, tokens=[BUYER])
    assert world.ledger.erase(plan, ground="asked", by="clerk").erased == 1
    world.keep(*(world.clear(pack, po=pack[-2:]) for pack in packs))
    world.keep(world.clear(last, po=last[-2:]))
    more = ordered(world, world.packs[6], "0.01")  # 26,000 were what one may spend in a year
    world.breaks(world.clear(more, po=more[-2:]), Violation.LIMIT)
    world.agrees()
    sold = packs[0]
    world.keep(world.sell(sold))
    world.breaks(world.deliver(sold, buyer=OTHER_BUYER), Violation.WRONG_BUYER)
    world.keep(world.deliver(sold))
    world.agrees()
    world.close()
