"""Erasing: the log says so, the vault forgets, and no byte of a value is left in any file, whatever happens between."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from person_samples import ANNA, BEN, CARL, DAY, START, Shop, erase, logged, plan, words
from tracechain.encoding import decode
from tracechain.errors import InputError, KeyUseError
from tracechain.ledger import Ledger, erasing
from tracechain.persons import Verdict, field_commitment, held_on
from tracechain.private import PrivateValue, private_fields
from tracechain.registers import HoldStep
from tracechain.retention.bounds import After, Anchor, Permanent
from tracechain.retention.dates import Term, day_of
from tracechain.retention.plan import plan as plan_pruning
from tracechain.retention.policy import Policy, Regime, Rule, Selector
from tracechain.retention.records import Erased
from tracechain.retention.tables import pilot_policy
from tracechain.store import Kept
from tracechain.testing import Keys, open_ledger
from tracechain.testing.samples import commission, pack_ids
from tracechain.verification import verify


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path)
    yield shop
    shop.ledger.close()


def secrets(who: str, kept: tuple[PrivateValue, ...] = ()) -> list[str | bytes]:
    return [*words(f"{who}0").values(), *(one.salt for one in kept)]


# ---- on request --------------------------------------------------------------------------------


def test_a_person_is_erased_and_nobody_else(shop: Shop) -> None:
    shop.know(ANNA, "Anna")
    shop.know(BEN, "Ben")
    at, kept = shop.sell(ANNA, "Anna")
    _, others = shop.sell(BEN, "Ben")
    gone = [*secrets("Anna", kept), "Anna of Beijing", "110101-Anna-0011"]
    stays = [*words("Ben1").values(), "Ben of Beijing"]
    assert all(shop.holding(value) for value in [*gone, *stays])
    done = erase(shop, ANNA)
    assert (done.erased, done.restricted) == (3, 0)
    assert [shop.holding(value) for value in gone] == [[]] * len(gone)
    assert all(shop.holding(value) for value in stays)
    vault = shop.ledger.vault
    assert vault.person(ANNA) is None
    assert [vault.standing(one.commitment) for one in kept] == [Kept.ERASED] * 2
    assert vault.person(BEN) is not None
    assert [vault.private(one.commitment) for one in others] == list(others)
    assert done.receipt is not None
    (index, said) = logged(shop.ledger)[0]
    assert index == done.receipt.first
    assert said == Erased(
        on=shop.today, ground="asked for", by="clerk 7", tokens=(ANNA,), commitments=[one.commitment for one in kept]
    )
    with shop.ledger.snapshot() as view:
        assert view.content(at) is not None  # the event itself is what it was
    shop.reopen()
    assert shop.ledger.vault.standing(ANNA) == Kept.ERASED
    assert [shop.holding(value) for value in gone] == [[]] * len(gone)


def test_one_field_is_erased(shop: Shop) -> None:
    shop.know(ANNA, "Anna")
    at, kept = shop.sell(ANNA, "Anna")
    with shop.ledger.snapshot() as view:
        commitment = field_commitment(view, at, "phone")
        for index, name in ((at, "fax"), (0, "phone"), (99, "phone"), (-1, "phone")):
            with pytest.raises(InputError, match="no private field"):
                field_commitment(view, index, name)
    assert erase(shop, commitments=[commitment]).erased == 1
    assert shop.holding(words("Anna0")["phone"]) == []
    assert shop.holding(words("Anna0")["address"]) != []
    assert shop.ledger.vault.person(ANNA) is not None
    with pytest.raises(InputError, match="no value is kept under"):
        plan(shop, commitments=[bytes(32)])
    assert plan(shop, commitments=[commitment]).judged == ()
    assert kept[1].commitment == commitment


def test_an_identity_that_was_replaced_is_gone_as_well(shop: Shop) -> None:
    shop.know(ANNA, "Anna")
    shop.ledger.vault.put_person(ANNA, {"name": "Anna now Bell"})
    erase(shop, ANNA)
    assert shop.holding("Anna") == []


def test_a_person_without_an_identity_and_one_without_an_event(shop: Shop) -> None:
    _, kept = shop.sell(ANNA, "Anna")
    shop.know(BEN, "Ben")
    done = erase(shop, ANNA, BEN)
    assert done.erased == 3
    assert (
        shop.holding("Ben of Beijing") == [value for one in secrets("Anna", kept) for value in shop.holding(one)] == []
    )
    assert erase(shop, ANNA, CARL) == erasing.Erasure(None, 0, 0)
    assert len(logged(shop.ledger)) == 1


def test_values_go_with_their_person_whether_the_vault_or_the_event_says_whose_they_are(shop: Shop) -> None:
    loose = PrivateValue(os.urandom(32), "note", "of no event of Anna")
    shop.ledger.vault.put_private([loose], ANNA)
    shop.sell(ANNA, "Anna", owned=False)
    shop.sell(BEN, "Ben", owned=False)
    assert erase(shop, ANNA).erased == 3
    assert shop.holding("Anna") == []
    assert len(shop.ledger.vault.privates()) == 2


def test_who_says_nothing_or_has_no_key_erases_nothing(shop: Shop) -> None:
    shop.know(ANNA, "Anna")
    made = plan(shop, ANNA)
    for ground, by in (("", "clerk"), ("asked", " "), ("two\nlines", "clerk"), ("x" * 1001, "clerk")):
        with pytest.raises(InputError):
            shop.ledger.erase(made, ground=ground, by=by)
    shop.ledger.close()
    keys = Keys()
    for given_keys in ({}, {"signer": keys.log}):
        with Ledger.open(shop.path, clock=shop.clock, **given_keys) as ledger:  # type: ignore[arg-type]  # keywords
            with pytest.raises(KeyUseError):
                ledger.erase(made, ground="asked", by="clerk")
            assert ledger.vault.person(ANNA) is not None
    shop.ledger = open_ledger(shop.path, clock=shop.clock)
    assert logged(shop.ledger) == []
    assert shop.ledger.vault.pending() == []


def test_a_question_names_somebody_or_asks_for_all(shop: Shop) -> None:
    with pytest.raises(InputError, match="one of the two"):
        plan(shop)
    with pytest.raises(InputError, match="one of the two"):
        plan(shop, ANNA, due=True)


def test_only_the_ledger_itself_says_that_it_erased(shop: Shop) -> None:
    shop.know(ANNA, "Anna")
    said = Erased(on=shop.today, ground="asked", by="clerk", tokens=[ANNA]).one_record()
    with pytest.raises(InputError, match="use announce, prune or erase"):
        shop.ledger.append([said])
    assert logged(shop.ledger) == []


def test_so_many_values_that_one_record_cannot_name_them(shop: Shop) -> None:
    values = [PrivateValue(os.urandom(32), "note", f"value number {k} of many") for k in range(2500)]
    shop.ledger.vault.put_private(values, ANNA)
    done = erase(shop, ANNA)
    assert done.erased == 2500
    said = logged(shop.ledger)
    assert len(said) == 3
    assert sorted(c for _, one in said for c in one.commitments) == sorted(value.commitment for value in values)
    for index, one in said:
        assert shop.ledger.vault.erased_by(one.commitments[0]) == index
    assert shop.holding("of many") == []


# ---- what has to stay --------------------------------------------------------------------------


def keep_law(years: int = 5) -> Policy:
    rule = Rule("trade", "S1 VII", keep_until=After(Anchor.TRANSACTION, Term(years=years), Term(years=years)))
    return Policy("law", (Regime("law", "A law", (rule,)),))


def hold(phase: str, **more: Any) -> HoldStep:
    values: dict[str, Any] = {
        "id": "H-1",
        "phase": phase,
        "on": date(2026, 11, 21),
        "by": "Counsel",
        "reason": "Case 7",
    }
    if phase == "placed":
        values["authority"] = "District court"
    return HoldStep(**values | more)


def test_what_a_rule_demands_is_withheld_and_it_is_said_why(shop: Shop) -> None:
    shop.ledger.append([keep_law().record()])
    shop.know(ANNA, "Anna")
    _, kept = shop.sell(ANNA, "Anna")
    made = plan(shop, ANNA)
    assert {one.verdict for one in made.judged} == {Verdict.RESTRICT}
    one = made.judged[0]
    assert one.field == "identity"
    assert one.rule is not None
    assert (one.rule.clause, one.rule.day) == ("S1 VII", day_of(date(2031, 11, 21)))
    assert one.reason == "has to be kept until 2031-11-21: trade, S1 VII"
    done = shop.ledger.erase(made, ground="asked for", by="clerk")
    assert (done.erased, done.restricted) == (0, 3)
    ((_, said),) = logged(shop.ledger)
    assert said.restricted
    assert said.ground == "asked for; has to be kept until 2031-11-21: trade, S1 VII"
    vault = shop.ledger.vault
    assert vault.standing(ANNA) == Kept.RESTRICTED
    why = vault.restriction(kept[0].commitment)
    assert why is not None
    assert (why.day, why.ground) == (shop.today, said.ground)
    # Asked again, nothing is said twice.
    assert erase(shop, ANNA) == erasing.Erasure(None, 0, 0)
    # The day itself still belongs to the time.
    assert {one.verdict for one in plan(shop, ANNA, as_of=day_of(date(2031, 11, 21))).judged} == {Verdict.RESTRICT}
    shop.clock.set(START + (day_of(date(2031, 11, 22)) - day_of(date(2026, 11, 21))) * DAY)
    assert erase(shop, ANNA).erased == 3
    assert shop.holding("Anna") == []


def test_the_latest_event_of_a_person_counts_for_the_identity_and_its_own_for_a_value(shop: Shop) -> None:
    shop.ledger.append([keep_law().record()])
    shop.know(ANNA, "Anna")
    _, first = shop.sell(ANNA, "Anna")
    shop.clock.advance(366 * DAY)
    _, second = shop.sell(ANNA, "Anna")
    verdicts = {one.key: one.verdict for one in plan(shop, ANNA, as_of=day_of(date(2032, 1, 1))).judged}
    assert verdicts == {
        ANNA: Verdict.RESTRICT,
        **{one.commitment: Verdict.ERASE for one in first},
        **{one.commitment: Verdict.RESTRICT for one in second},
    }


def test_a_value_is_held_against_every_event_that_commits_to_it(shop: Shop) -> None:
    """Also where the vault knows nobody for it, and one of the events names nobody."""
    shop.ledger.append([keep_law().record()])
    at, kept = shop.sell(ANNA, "Anna", owned=False)
    shop.clock.advance(366 * DAY)
    with shop.ledger.snapshot() as view:
        part = view.content(at)
    assert part is not None
    again = evolve(decode(part[32:]), person=None, event_time=shop.clock.now * 1_000_000, private=(kept[1].field,))
    later = shop.ledger.append([again], record_class=1).first
    found = {one.field: one for one in plan(shop, ANNA, as_of=day_of(date(2032, 1, 1))).judged}
    assert (found["address"].verdict, found["address"].index) == (Verdict.ERASE, at)
    assert (found["phone"].verdict, found["phone"].index) == (Verdict.RESTRICT, later)


@pytest.mark.parametrize("about", ["01/09521234001072/21/BJ000001", "01/09521234001072", "person/" + ANNA.hex()])
def test_what_is_under_hold_is_withheld_until_it_is_released(shop: Shop, about: str) -> None:
    shop.know(ANNA, "Anna")
    _, kept = shop.sell(ANNA, "Anna")
    early = plan(shop, ANNA)
    shop.ledger.register(hold("placed", about=(about,)))
    with pytest.raises(InputError, match="make it again"):
        shop.ledger.erase(early, ground="asked", by="clerk")
    made = plan(shop, ANNA)
    assert {(one.verdict, one.reason) for one in made.judged} == {(Verdict.RESTRICT, "under hold H-1")}
    assert made.judged[0].hold is not None
    assert made.judged[0].hold.authority == "District court"
    assert shop.ledger.erase(made, ground="asked", by="clerk").restricted == 3
    assert shop.holding(kept[0].salt) != []
    shop.ledger.register(hold("released"))
    assert erase(shop, ANNA).erased == 3
    assert shop.holding("Anna") == []


def test_a_hold_that_has_ended_keeps_nothing(shop: Shop) -> None:
    shop.know(ANNA, "Anna")
    shop.sell(ANNA, "Anna")
    shop.ledger.register(hold("placed", about=("01/09521234001072",), until=date(2026, 12, 1)))
    (reason,) = {one.reason for one in plan(shop, ANNA).judged}
    assert reason == "under hold H-1, until 2026-12-01"
    assert {one.verdict for one in plan(shop, ANNA, as_of=day_of(date(2026, 12, 2))).judged} == {Verdict.ERASE}


def test_a_plan_of_a_day_to_come_or_of_another_policy_is_refused(shop: Shop) -> None:
    shop.know(ANNA, "Anna")
    shop.sell(ANNA, "Anna")
    with pytest.raises(InputError, match="not due yet"):
        shop.ledger.erase(plan(shop, ANNA, as_of=shop.today + 1), ground="asked", by="clerk")
    made = plan(shop, ANNA)
    shop.ledger.append([keep_law().record()])
    with pytest.raises(InputError, match="make it again"):
        shop.ledger.erase(made, ground="asked", by="clerk")
    shop.sell(BEN, "Ben")  # what others do overtakes no plan
    made = plan(shop, ANNA)
    shop.sell(BEN, "Ben")
    assert shop.ledger.erase(made, ground="asked", by="clerk").restricted == 3


def test_a_hold_on_a_person_keeps_what_no_event_names(shop: Shop) -> None:
    shop.know(ANNA, "Anna")
    shop.ledger.vault.put_private([PrivateValue(os.urandom(32), "note", "of Anna")], ANNA)
    shop.know(BEN, "Ben")
    shop.ledger.register(hold("placed", about=("person/" + ANNA.hex(),)))
    assert {one.token: one.verdict for one in plan(shop, ANNA, BEN).judged} == {
        ANNA: Verdict.RESTRICT,
        BEN: Verdict.ERASE,
    }
    late = shop.today + 31
    assert {one.token: one.verdict for one in plan(shop, due=True, as_of=late).judged} == {
        ANNA: Verdict.RESTRICT,
        BEN: Verdict.ERASE,
    }


def test_withheld_on_request_without_erasing(shop: Shop) -> None:
    shop.know(ANNA, "Anna")
    _, kept = shop.sell(ANNA, "Anna")
    receipt = shop.ledger.restrict([ANNA], ground="accuracy is contested", by="clerk")
    vault = shop.ledger.vault
    assert vault.standing(kept[0].commitment) == Kept.RESTRICTED
    assert logged(shop.ledger) == [
        (
            receipt.first,
            Erased(on=shop.today, ground="accuracy is contested", by="clerk", tokens=[ANNA], restricted=True),
        )
    ]
    _, others = shop.sell(BEN, "Ben")
    shop.ledger.restrict([BEN], ground="of no identity", by="clerk")
    assert vault.standing(others[0].commitment) == Kept.RESTRICTED
    for keys in ([], [ANNA], [BEN], [CARL], [kept[0].commitment]):
        with pytest.raises(InputError, match="withheld"):
            shop.ledger.restrict(keys, ground="again", by="clerk")
    assert erase(shop, ANNA).erased == 3


# ---- all that is due ---------------------------------------------------------------------------


def test_all_that_is_due_goes_by_the_rules_of_its_field(shop: Shop) -> None:
    after = Selector(fields=("address", "id-number", "identity", "phone"))
    term = Term(years=1)
    gone = Rule("gone", "PIPL art. 47", after, delete_by=After(Anchor.TRANSACTION, term, term))
    rest = Rule(
        "rest", "PIPL art. 19", Selector(fields=("phone",)), restrict_after=After(Anchor.EVENT, Term(days=9), None)
    )
    shop.ledger.append([Policy("p", (Regime("pipl", "PIPL", (gone, rest)),)).record()])
    shop.know(ANNA, "Anna")
    _, kept = shop.sell(ANNA, "Anna")

    def verdicts(day: date) -> dict[str, str]:
        return {one.field: str(one.verdict) for one in plan(shop, due=True, as_of=day_of(day)).judged}

    assert verdicts(date(2026, 11, 30)) == {"identity": "keep", "address": "keep", "phone": "keep"}
    assert verdicts(date(2026, 12, 1)) == {"identity": "keep", "address": "keep", "phone": "restrict"}
    assert verdicts(date(2027, 11, 21)) == {"identity": "keep", "address": "keep", "phone": "restrict"}
    assert verdicts(date(2027, 11, 22)) == {"identity": "erase", "address": "erase", "phone": "erase"}
    shop.clock.advance(20 * DAY)
    assert erase(shop, due=True).restricted == 1
    assert shop.ledger.vault.standing(kept[1].commitment) == Kept.RESTRICTED
    shop.clock.advance(400 * DAY)
    done = erase(shop, due=True)
    assert (done.erased, done.restricted) == (3, 0)
    assert shop.holding("Anna") == []
    assert erase(shop, due=True) == erasing.Erasure(None, 0, 0)


def test_where_bounds_cross_it_stays_and_is_withheld(shop: Shop) -> None:
    gone = Rule("gone", "c", Selector(fields=("phone",)), delete_by=After(Anchor.TRANSACTION, Term(years=1), None))
    stay = Rule("stay", "d", keep_until=After(Anchor.TRANSACTION, Term(years=3), None))
    shop.ledger.append([Policy("p", (Regime("r", "R", (gone, stay)),)).record()])
    shop.sell(ANNA, "Anna")
    shop.clock.advance(500 * DAY)
    found = {one.field: one for one in plan(shop, due=True).judged}
    assert found["address"].verdict == Verdict.KEEP
    assert found["phone"].verdict == Verdict.RESTRICT
    assert found["phone"].crossing
    assert found["phone"].reason == "has to be kept until 2029-11-21: stay, d"


def test_what_is_kept_for_ever_is_never_due(shop: Shop) -> None:
    rule = Rule("for ever", "c", keep_until=Permanent())
    shop.ledger.append([Policy("p", (Regime("r", "R", (rule,)),)).record()])
    shop.sell(ANNA, "Anna")
    (reason,) = {one.reason for one in plan(shop, ANNA, as_of=1 << 30).judged}
    assert reason == "has to be kept until for ever: for ever, c"


def test_what_no_entry_names_goes_when_none_came(shop: Shop) -> None:
    shop.know(ANNA, "Anna")
    shop.ledger.vault.put_private([PrivateValue(os.urandom(32), "phone", "of nobody")])
    assert {one.verdict for one in plan(shop, due=True, as_of=shop.today + 30).judged} == {Verdict.KEEP}
    shop.clock.advance(31 * DAY)
    assert erase(shop, due=True).erased == 2
    assert shop.holding("of nobody") == shop.holding("Anna") == []


@pytest.mark.parametrize("pruned_first", [False, True])
def test_eight_years_on_contents_are_pruned_and_persons_erased_in_either_order(shop: Shop, pruned_first: bool) -> None:
    shop.ledger.retain(keep_law())
    shop.know(ANNA, "Anna")
    shop.sell(ANNA, "Anna")
    shop.know(BEN, "Ben")
    shop.clock.advance(8 * 366 * DAY)

    def wait() -> None:
        """A month, in which something comes in every day: a gap counts for two days at most."""
        for _ in range(31):
            shop.clock.advance(DAY)
            shop.ledger.append([commission(pack_ids(1, start=900))])

    def prune() -> None:
        wait()
        with shop.ledger.snapshot() as view:
            made = plan_pruning(view, as_of=shop.today)
        shop.ledger.announce(made, name="all", reason="their time is over")
        wait()
        assert shop.ledger.prune("all").content_count > 0

    if pruned_first:
        prune()
    done = erase(shop, ANNA) if not pruned_first else erase(shop, due=True)
    assert done.erased == (4 if pruned_first else 3)  # what no entry names, Ben, has lost what he was kept for
    if not pruned_first:
        prune()
    assert shop.holding("Anna") == []
    with shop.ledger.snapshot() as view:
        assert verify(view, verifier=shop.ledger.verifier).findings == ()
        assert held_on(view, shop.ledger.vault, ANNA).events == ()


def test_by_the_pilots_table_a_buyer_is_withheld_after_half_a_year_and_gone_with_the_record(shop: Shop) -> None:
    shop.ledger.append([pilot_policy().record()])
    shop.know(ANNA, "Anna")
    shop.sell(ANNA, "Anna")

    def reasons(day: date) -> set[tuple[str, str]]:
        return {(str(one.verdict), one.reason) for one in plan(shop, due=True, as_of=day_of(day)).judged}

    # Without the rules of the pilot no state tells when a pack expires, so ten years from receipt stand for it.
    assert reasons(date(2027, 5, 1)) == {("keep", "in use until 2027-05-20: personal fields, PIPL art. 19, 47")}
    assert reasons(date(2027, 6, 1)) == {("restrict", "has to be kept until 2036-11-21: trading records, S1 VII")}
    assert reasons(date(2036, 11, 22)) == {
        ("erase", "its time was over on 2036-11-21: personal fields, PIPL art. 19, 47")
    }


# ---- any sequence ------------------------------------------------------------------------------

STEPS = st.lists(
    st.tuples(st.sampled_from(["know", "sell", "erase", "due", "restrict", "hold", "release", "wait", "reopen"]),
              st.integers(0, 2)),
    max_size=12,
)  # fmt: skip


@settings(max_examples=20)
@given(STEPS)
def test_whatever_happens_log_vault_and_files_say_the_same(
    tmp_path_factory: pytest.TempPathFactory, steps: Any
) -> None:
    """A model of it: who is known, what was sold, what a hold covers; checked after each step."""
    shop = Shop(tmp_path_factory.mktemp("shop"))
    shop.ledger.append([keep_law(1).record()])
    tokens, names = (ANNA, BEN, CARL), ("Anna", "Ben", "Carl")
    alive: dict[bytes, set[str]] = {token: set() for token in tokens}
    values: dict[bytes, list[tuple[PrivateValue, int]]] = {token: [] for token in tokens}
    gone: set[str] = set()
    dead: set[bytes] = set()
    held = False
    try:
        for step, who in steps:
            token, name = tokens[who], f"{names[who]}{who}"
            if step == "know" and token not in dead:
                shop.know(token, name)
                alive[token].add(f"{name} of Beijing")
            elif step == "sell" and token not in dead:
                _, kept = shop.sell(token, name)
                values[token] += [(one, shop.today) for one in kept]
            elif step == "erase":
                free = not held and all(shop.today > day + 365 for _, day in values[token])
                erase(shop, token)
                if free or not values[token]:
                    dead |= {token} if alive[token] else set()
                    gone |= alive[token]
                    alive[token] = set()
                for one, day in values[token][:]:
                    if not held and shop.today > day + 365:
                        gone.add(str(one.value))
                        values[token].remove((one, day))
            elif step == "due":
                erase(shop, due=True)
            elif step == "restrict" and alive[token] and shop.ledger.vault.standing(token) == Kept.KEPT:
                shop.ledger.restrict([token], ground="contested", by="clerk")
            elif step == "hold" and not held:
                shop.ledger.register(hold("placed", id=f"H-{shop.clock.now}", about=("01/09521234001072",)))
                held = shop.clock.now != 0
                last = shop.clock.now
            elif step == "release" and held:
                shop.ledger.register(hold("released", id=f"H-{last}"))
                held = False
            elif step == "wait":
                shop.clock.advance(200 * DAY)
                # Who is known and named by no event is forgotten by the next run of what is due.
            elif step == "reopen":
                shop.reopen()
            shop.clock.advance(1)
            vault = shop.ledger.vault
            for value in gone:
                assert shop.holding(value) == [], (step, value)
            for one_token in tokens:
                for one, _ in values[one_token]:
                    assert vault.standing(one.commitment) in (Kept.KEPT, Kept.RESTRICTED)
            said = {
                key for _, one in logged(shop.ledger) if not one.restricted for key in (*one.tokens, *one.commitments)
            }
            assert all(vault.standing(key) == Kept.ERASED for key in said)
            if step == "due":
                for one_token in tokens:  # identities that no entry names
                    if alive[one_token] and vault.standing(one_token) == Kept.ERASED:
                        assert not values[one_token]
                        gone |= alive[one_token]
                        alive[one_token] = set()
                        dead.add(one_token)
    finally:
        shop.ledger.close()


def test_a_plan_does_not_outlive_what_is_recorded_of_the_person(shop: Shop) -> None:
    """The new order may have to be kept, with the identity of who placed it."""
    shop.know(ANNA, "Anna")
    _, kept = shop.sell(ANNA, "Anna")
    made = plan(shop, ANNA)
    shop.sell(BEN, "Ben")  # nothing to do with it
    at, _ = shop.sell(ANNA, "Anna")
    with pytest.raises(InputError, match=rf"entry {at} is an event of a person or value that it erases"):
        shop.ledger.erase(made, ground="asked", by="clerk")
    assert shop.ledger.vault.standing(kept[0].commitment) == shop.ledger.vault.standing(ANNA) == Kept.KEPT
    assert erase(shop, ANNA).erased == 5


def test_a_plan_does_not_outlive_the_event_of_a_value_that_was_loose(shop: Shop) -> None:
    fields, kept = private_fields({"note": "on its way into the log"}, os.urandom)
    shop.ledger.vault.put_private(kept, ANNA)
    made = plan(shop, ANNA)
    index = shop.ledger.append([evolve(commission(pack_ids(1, start=90)), private=fields)]).first
    with pytest.raises(InputError, match=rf"entry {index} is an event of a person"):
        shop.ledger.erase(made, ground="asked", by="clerk")
    assert shop.ledger.vault.private(kept[0].commitment) == kept[0]
