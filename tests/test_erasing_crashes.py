"""Erasing, interrupted and beside others: who opens the ledger next finishes it, and nothing of it comes back."""

from __future__ import annotations

import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from person_samples import ANNA, BEN, DAY, Shop, erase, logged
from tracechain.ledger import Ledger, erasing
from tracechain.ledger.commit import Commit
from tracechain.persons import plan_erasure
from tracechain.private import PrivateValue
from tracechain.store import Kept, Vault
from tracechain.testing import Clock, open_ledger


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path)
    yield shop
    shop.ledger.close()


# ---- crashes -----------------------------------------------------------------------------------


def _die_in(target: Any, name: str, *, after: bool) -> Callable[[], None]:
    def arm() -> None:
        real = getattr(target, name)

        def fatal(*args: Any, **kwargs: Any) -> Any:
            if after:
                real(*args, **kwargs)
            os._exit(9)

        setattr(target, name, fatal)

    return arm


POINTS = {
    "before it is announced": (_die_in(Vault, "announce", after=False), False),
    "announced, and nothing logged": (_die_in(Vault, "announce", after=True), False),
    "logged in a transaction that is not committed": (_die_in(Commit, "seal", after=True), False),
    "logged, and not carried out": (_die_in(erasing, "_carry_out", after=False), True),
    "carried out, and not compacted": (_die_in(erasing, "_carry_out", after=True), True),
    "compacted, and not settled": (_die_in(Vault, "compact", after=True), True),
    "half settled": (_die_in(Vault, "settle", after=True), True),
}


def _erase_and_die(path: Path, now: int, arm: Callable[[], None], tokens: list[bytes]) -> None:
    ledger = open_ledger(path, clock=Clock(now))
    with ledger.snapshot() as view:
        made = plan_erasure(view, ledger.vault, as_of=now // DAY, tokens=tokens)
    arm()
    ledger.erase(made, ground="asked", by="clerk")
    os._exit(0)


@pytest.mark.parametrize("point", POINTS)
def test_a_crash_leaves_what_is_finished_by_who_opens_next(shop: Shop, point: str) -> None:
    arm, said = POINTS[point]
    shop.know(ANNA, "Anna")
    shop.know(BEN, "Ben")
    _, kept = shop.sell(ANNA, "Anna")
    shop.ledger.vault.put_private([PrivateValue(os.urandom(32), "n", f"Anna {k}") for k in range(1100)], ANNA)
    shop.ledger.close()
    child = multiprocessing.get_context("fork").Process(
        target=_erase_and_die, args=(shop.path, shop.clock.now, arm, [ANNA])
    )
    child.start()
    child.join(60)
    assert child.exitcode == 9, "it died where it should"
    shop.ledger = open_ledger(shop.path, clock=shop.clock)
    records = logged(shop.ledger)
    vault = shop.ledger.vault
    assert bool(records) == said
    assert vault.pending() == []
    assert not vault.uncompacted()
    expected = Kept.ERASED if said else Kept.KEPT
    assert {vault.standing(key) for key in (ANNA, kept[0].commitment)} == {expected}
    if not said:
        assert vault.person(ANNA) is not None
        assert erase(shop, ANNA).erased == 1103
    assert shop.holding("Anna") == []
    assert shop.holding(kept[0].salt) == []
    assert vault.person(BEN) is not None
    for index, one in logged(shop.ledger):
        assert {vault.erased_by(key) for key in (*one.tokens, *one.commitments)} == {index}


def test_an_announcement_of_what_was_never_logged_is_dropped(shop: Shop) -> None:
    shop.know(ANNA, "Anna")
    shop.ledger.vault.announce([b"\x94\xa6erased\x00\xc0\x90"], shop.ledger.checkpoint().count("\n"))
    shop.reopen()
    assert shop.ledger.vault.pending() == []
    assert shop.ledger.vault.person(ANNA) is not None


def _erase_all(path: Path, now: int, tokens: list[bytes]) -> None:
    with open_ledger(path, clock=Clock(now)) as ledger:
        for token in tokens:
            with ledger.snapshot() as view:
                made = plan_erasure(view, ledger.vault, as_of=now // DAY, tokens=[token])
            assert ledger.erase(made, ground="asked", by="clerk").erased == 1


def _open_again_and_again(path: Path, now: int, times: int) -> None:
    for turn in range(times):
        with open_ledger(path, clock=Clock(now)) as ledger:
            ledger.vault.put_person(bytes([turn]) * 16, {"name": f"guest {turn}"})


def test_others_who_open_meanwhile_finish_nothing_too_early_and_lose_nothing(shop: Shop) -> None:
    tokens = [bytes([100 + k]) * 16 for k in range(12)]
    for token in tokens:
        shop.know(token, f"Anna {token[0]}")
    shop.ledger.close()
    context = multiprocessing.get_context("fork")
    children = [
        context.Process(target=_erase_all, args=(shop.path, shop.clock.now, tokens[:6])),
        context.Process(target=_erase_all, args=(shop.path, shop.clock.now, tokens[6:])),
        context.Process(target=_open_again_and_again, args=(shop.path, shop.clock.now, 12)),
    ]
    for child in children:
        child.start()
    for child in children:
        child.join(120)
    assert [child.exitcode for child in children] == [0, 0, 0]
    shop.ledger = open_ledger(shop.path, clock=shop.clock)
    vault = shop.ledger.vault
    assert {token for _, one in logged(shop.ledger) for token in one.tokens} == set(tokens)
    assert [vault.standing(token) for token in tokens] == [Kept.ERASED] * 12
    assert vault.persons() == [bytes([turn]) * 16 for turn in range(12)]
    assert vault.pending() == []
    assert shop.holding("Anna") == []


# ---- backups -----------------------------------------------------------------------------------


def test_who_reads_in_another_process_goes_on_and_sees_what_is_left(shop: Shop) -> None:
    shop.know(ANNA, "Anna")
    shop.know(BEN, "Ben")
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    child = context.Process(target=_read_when_told, args=(shop.path, theirs))
    shop.ledger.close()
    child.start()
    shop.ledger = open_ledger(shop.path, clock=shop.clock)
    assert ours.recv() == ("kept", "kept")
    erase(shop, ANNA)
    assert shop.holding("Anna") == []
    ours.send("again")
    assert ours.recv() == ("erased", "kept")
    ours.send("enough")
    child.join(60)
    assert child.exitcode == 0


def _read_when_told(path: Path, pipe: Any) -> None:
    with Ledger.open(path) as ledger:
        said = "again"
        while said == "again":
            pipe.send((str(ledger.vault.standing(ANNA)), str(ledger.vault.standing(BEN))))
            said = pipe.recv()


def test_a_vault_from_a_backup_forgets_again_what_the_log_says(shop: Shop, tmp_path: Path) -> None:
    shop.know(ANNA, "Anna")
    shop.know(BEN, "Ben")
    shop.sell(ANNA, "Anna")
    shop.ledger.backup(tmp_path / "copy")
    erase(shop, ANNA)
    shop.ledger.restrict([BEN], ground="contested", by="clerk")
    shop.ledger.close()
    shutil.rmtree(shop.path / "vault")
    shutil.copytree(tmp_path / "copy" / "vault", shop.path / "vault")
    with Ledger.open(shop.path) as reader:
        assert reader.vault.person(ANNA) is not None
    shop.ledger = open_ledger(shop.path, clock=shop.clock)
    assert shop.ledger.vault.standing(ANNA) == Kept.ERASED
    assert shop.ledger.vault.standing(BEN) == Kept.RESTRICTED
    assert shop.holding("Anna") == []
    assert shop.ledger.reapply_erasures() == 2  # once more changes nothing
    assert shop.holding("Anna") == []


def test_a_backup_does_not_bring_back_what_was_erased_before_it(shop: Shop, tmp_path: Path) -> None:
    shop.know(ANNA, "Anna")
    erase(shop, ANNA)
    shop.ledger.backup(tmp_path / "copy")
    for file in (tmp_path / "copy").rglob("*"):
        assert not file.is_file() or b"Anna" not in file.read_bytes()
