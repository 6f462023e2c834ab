"""Excerpts made by an operator who has every key: all signatures and roots fit, and what is said does not."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from excerpt_samples import (
    CASE,
    KEYS,
    NOW,
    PACKS,
    VERIFIER,
    make_ledger,
    proofs_in,
    put_proofs,
)
from forging import forge, patch
from tracechain import merkle, record
from tracechain.bundle.excerpt import SealProofs, export_excerpt
from tracechain.bundle.judging import check_excerpt
from tracechain.bundle.names import SEAL_ABSENT, SEAL_ITEMS, entry_name
from tracechain.bundle.select import Selection, select_units
from tracechain.entry import SALT_SIZE, decode_rows, encode_rows
from tracechain.errors import DataError
from tracechain.record import Record, encode_record, key_subject
from tracechain.replay import MemoryView
from tracechain.seals import (
    SEAL,
    SEAL_SUBJECT,
    Presence,
    SealBody,
    Sealed,
    SealMap,
    item_hash,
    seals_of,
    words_at,
)
from tracechain.seals.items import Item
from tracechain.statement import decode_statement, encode_statement
from tracechain.verification import Code
from tracechain.view import View, ViewNodes, unit_history

STATE_SHIFT = 40


def first(path: Path, **more: Any) -> tuple[Code, int | None]:
    finding = check_excerpt(path, **({"verifier": VERIFIER} | more)).findings[0]
    return finding.code, finding.index


def codes(path: Path, **more: Any) -> tuple[Code, ...]:
    return check_excerpt(path, **({"verifier": VERIFIER} | more)).codes


def flip(data: bytes, at: int = -1) -> bytes:
    at %= len(data)
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.fixture
def log(tmp_path: Path) -> MemoryView:
    ledger, _ = make_ledger(tmp_path / "ledger")
    with ledger, ledger.snapshot() as view:
        return MemoryView.of(view)


def reseal(view: MemoryView, lies: dict[str, tuple[int, int] | None], **changes: Any) -> SealProofs:
    """Make the last seal say of these subjects that they stand elsewhere (entry, state), or are not there; and make all
    else fit it."""
    latest = next(seals_of(view))
    record_at = latest.index
    part = view.raw_contents[record_at]

    def put(body: SealBody) -> None:
        content = encode_record(body.record())
        view.raw_contents[record_at] = part[:SALT_SIZE] + content
        forge(view)

    # The leaves of items change with what is altered before them, so it is made to fit twice.
    forge(view)
    words = words_at(view, latest.body.size)
    items = {
        one: Item(one, (word & (1 << STATE_SHIFT) - 1) - 1, b"", word >> STATE_SHIFT) for one, word in words.items()
    }
    for subject, lie in lies.items():
        if lie is None:
            items.pop(subject, None)
        else:
            items[subject] = Item(subject, lie[0], b"", lie[1])
    items = {one: item._replace(leaf=view.leaf(item.last)) for one, item in items.items()}
    made = SealMap()
    made.update({one: item_hash(item) for one, item in items.items()})
    prover = made.prover(items.__getitem__)
    tree_root = changes.get("tree_root", _root(view, latest.body.size))
    body = SealBody(changes.get("size", latest.body.size), tree_root, prover.root.ids, prover.root.root)
    put(body)
    return SealProofs(Sealed(record_at, latest.time, body), prover)


def _root(view: View, size: int) -> bytes:
    return merkle.tree_root(ViewNodes(view), size)


def shown(view: MemoryView, tmp_path: Path, proofs: SealProofs | None, *more: int) -> Path:
    """An excerpt of a pack, with further entries."""
    selection = select_units(view, [PACKS[0]])
    for index in more:
        selection |= Selection(entries=((index, index + 1),))
    path = tmp_path / "out"
    shutil.rmtree(path, ignore_errors=True)
    return export_excerpt(view, path, selection, exported_ms=NOW, seal=proofs).path


def test_an_honest_seal_that_was_made_again_is_clean(log: MemoryView, tmp_path: Path) -> None:
    assert codes(shown(log, tmp_path, reseal(log, {}))) == ()


def test_a_seal_that_hides_an_entry_is_found_when_that_is_shown(log: MemoryView, tmp_path: Path) -> None:
    history = unit_history(log, PACKS[0])
    proofs = reseal(log, {PACKS[0]: (history[-2], 1)})
    assert first(shown(log, tmp_path, proofs)) == (Code.SEAL_ROOT, history[-1])


def test_a_seal_that_says_another_state_or_entry_is_found(log: MemoryView, tmp_path: Path) -> None:
    history = unit_history(log, PACKS[0])
    proofs = reseal(log, {PACKS[0]: (history[-1], 2)})
    assert first(shown(log, tmp_path, proofs)) == (Code.SEAL_ROOT, history[-1])
    proofs = reseal(log, {PACKS[0]: (0, 1)})
    assert (Code.SEAL_ROOT, 0) in {
        (one.code, one.index) for one in check_excerpt(shown(log, tmp_path, proofs)).findings
    }


def test_a_row_behind_the_seal_tells_where_its_subject_stood(log: MemoryView, tmp_path: Path) -> None:
    history = unit_history(log, PACKS[1])
    below = [index for index in history if index < next(seals_of(log)).body.size]
    behind = [index for index in history if index not in below]
    assert behind
    proofs = reseal(log, {PACKS[1]: (below[-2], 1)})
    selection = Selection(entries=tuple((index, index + 1) for index in (*below[:-1], *behind)))
    made = export_excerpt(log, tmp_path / "out", selection, exported_ms=NOW, seal=proofs)
    items = [*proofs_in(made.path, SEAL_ITEMS), proofs.prover.presence(PACKS[1]).encode()]
    put_proofs(made.path, SEAL_ITEMS, sorted(items, key=lambda data: Presence.decode(data).id))
    found = {(one.code, one.index) for one in check_excerpt(made.path, verifier=VERIFIER).findings}
    assert (Code.SEAL_ROOT, behind[0]) in found


def test_a_seal_of_another_tree_or_size_is_found(log: MemoryView, tmp_path: Path) -> None:
    proofs = reseal(log, {}, tree_root=bytes(32))
    with pytest.raises(DataError):
        shown(log, tmp_path, proofs)
    honest = reseal(log, {})
    path = shown(log, tmp_path, honest).rename(tmp_path / "honest")
    lying = reseal(log, {}, tree_root=bytes(32))
    other = shown(log, tmp_path, None, lying.sealed.index)
    shutil.copytree(path / "seal", other / "seal")
    shutil.copytree(path / "consistency", other / "consistency")
    assert (Code.SEAL_RECORD, lying.sealed.index) in {
        (one.code, one.index) for one in check_excerpt(other, verifier=VERIFIER).findings
    }


def restate(view: MemoryView, index: int, content: bytes) -> None:
    """Let an entry say something else, and make all else fit it."""
    view.raw_contents[index] = view.raw_contents[index][:SALT_SIZE] + content
    forge(view)


def test_records_of_a_seal_have_one_form(log: MemoryView, tmp_path: Path) -> None:
    index = next(seals_of(log)).index
    for wrong in (
        Record(SEAL, (0, bytes(32), 1, bytes(32)), SEAL_SUBJECT),
        Record(SEAL, (1, bytes(31), 1, bytes(32)), SEAL_SUBJECT),
        Record(SEAL, (index, bytes(32), 1, bytes(32)), SEAL_SUBJECT),
        Record(SEAL, (1, bytes(32), 1, bytes(32)), SEAL_SUBJECT, 1),
    ):
        restate(log, index, encode_record(wrong))
        assert first(shown(log, tmp_path, None, index)) == (Code.SEAL_RECORD, index)


def ledger_of(view: MemoryView) -> bytes:
    return view.leaf(0)


def key_entry(view: MemoryView) -> int:
    return unit_history(view, key_subject(KEYS.station.public_key.hash))[0]


def test_a_key_that_may_not_state_events_is_found_at_its_statement(log: MemoryView, tmp_path: Path) -> None:
    authorised = record.authorise(ledger_of(log), KEYS.station, KEYS.root, "station", ["note"])
    restate(log, key_entry(log), authorised.encode())
    statement = unit_history(log, PACKS[0])[0] - 1
    assert first(shown(log, tmp_path, None)) == (Code.AUTHOR_SCOPE, statement)


def test_a_key_that_no_root_authorised_is_unknown(log: MemoryView, tmp_path: Path) -> None:
    authorised = record.authorise(ledger_of(log), KEYS.station, KEYS.stranger, "station", ["event"])
    restate(log, key_entry(log), authorised.encode())
    found = check_excerpt(shown(log, tmp_path, None), verifier=VERIFIER)
    assert (found.findings[0].code, found.findings[0].index) == (Code.KEY_RECORD, key_entry(log))
    assert Code.AUTHOR_UNKNOWN in found.codes


def test_a_statement_for_another_ledger_or_with_a_wrong_signature_is_found(log: MemoryView, tmp_path: Path) -> None:
    at = unit_history(log, PACKS[0])[0] - 1
    statement = decode_statement(log.raw_contents[at][SALT_SIZE:])
    restate(log, at, encode_statement(evolve(statement, ledger_id=bytes(32))))
    assert first(shown(log, tmp_path, None)) == (Code.STATEMENT_LEDGER, at)
    wrong = evolve(statement, signature=flip(statement.signature, 0))
    log.raw_contents[at] = log.raw_contents[at][:SALT_SIZE] + encode_statement(wrong)
    forge(log, {})
    assert first(shown(log, tmp_path, None)) == (Code.STATEMENT_SIGNATURE, at)


def rerow(view: MemoryView, index: int, subject: str, **changes: Any) -> None:
    """Let the row of a subject say something else, and make all else fit it."""
    part = view.raw_rows[index]
    rule_set, rows = decode_rows(part[SALT_SIZE:])
    changed = [evolve(row, **changes) if row.subject == subject else row for row in rows]
    view.raw_rows[index] = part[:SALT_SIZE] + encode_rows(rule_set, changed)
    forge(view)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"state": 2}, Code.ROW_STATE),
        ({"act": 1}, Code.ROW_ACT),
        ({"violations": (1,)}, Code.ROW_VIOLATIONS),
        ({"previous": None}, Code.ROW_FIRST),
    ],
)
def test_a_row_that_its_author_never_meant_is_found(
    log: MemoryView, tmp_path: Path, changes: dict[str, Any], code: Code
) -> None:
    index = unit_history(log, PACKS[0])[1]
    path = shown(log, tmp_path, None)
    history = unit_history(log, PACKS[0])
    rerow(log, index, PACKS[0], **changes)
    selection = Selection(entries=tuple((one, one + 1) for one in history))
    shutil.rmtree(path)
    made = export_excerpt(log, path, selection, exported_ms=NOW)
    assert (code, index, PACKS[0] if code != Code.ROW_ACT else None) in {
        (one.code, one.index, one.subject) for one in check_excerpt(made.path, verifier=VERIFIER).findings
    }


def test_a_row_that_passes_over_an_entry_that_is_here_is_found(log: MemoryView, tmp_path: Path) -> None:
    history = unit_history(log, PACKS[0])
    rerow(log, history[2], PACKS[0], previous=history[0])
    path = export_excerpt(log, tmp_path / "out", select_units(log, [PACKS[0], CASE]), exported_ms=NOW).path
    assert (path / entry_name(history[1])).exists(), "it is of the case as well, whose chain leads to it"
    assert [(one.code, one.index, one.subject) for one in check_excerpt(path, verifier=VERIFIER).findings] == [
        (Code.ROW_LINK, history[2], PACKS[0])
    ]


def test_a_row_that_names_an_entry_that_has_none_of_it_is_found(log: MemoryView, tmp_path: Path) -> None:
    history = unit_history(log, PACKS[0])
    for named in (0, history[0] - 1):
        rerow(log, history[0], PACKS[0], previous=named)
        assert (Code.ROW_LINK, history[0], PACKS[0]) in {
            (one.code, one.index, one.subject)
            for one in check_excerpt(shown_of(log, tmp_path, history, named), verifier=VERIFIER).findings
        }


def shown_of(view: MemoryView, tmp_path: Path, history: list[int], *more: int) -> Path:
    """An excerpt of some entries."""
    path = tmp_path / "entries"
    shutil.rmtree(path, ignore_errors=True)
    entries = tuple((one, one + 1) for one in sorted({*history, *more}))
    return export_excerpt(view, path, Selection(entries=entries), exported_ms=NOW).path


def test_times_of_the_entries_here_are_held_against_each_other(log: MemoryView, tmp_path: Path) -> None:
    history = unit_history(log, PACKS[0])
    at, own = history[-1], log.raw_headers[history[-1]]

    def put(index: int, time: int, flags: int = 0) -> None:
        raw = log.raw_headers[index]
        log.raw_headers[index] = patch(patch(raw, 6, flags.to_bytes(2, "big")), 8, time.to_bytes(8, "big"))
        forge(log)

    def found() -> set[tuple[Code, int | None]]:
        report = check_excerpt(shown_of(log, tmp_path, history, at - 1), verifier=VERIFIER, now=NOW)
        return {(one.code, one.index) for one in report.findings}

    assert found() == set()
    now = int.from_bytes(own[8:16], "big")
    put(at, now - 1_000_000)
    assert {(Code.TIME_DECREASED, at), (Code.TIME_FLAG, at)} <= found()
    put(at, now + 10**12)
    assert {(Code.TIME_JUMP, at), (Code.TIME_FLAG, at), (Code.TIME_AHEAD, at)} <= found()
    put(at, now + 1, flags=1)
    assert (Code.TIME_FLAG, at) in found()
    log.raw_headers[at] = own
    forge(log)
    assert found() == set()


def test_an_entry_that_is_another_ones_place_or_author_is_found(log: MemoryView, tmp_path: Path) -> None:
    history = unit_history(log, PACKS[0])
    at, own = history[0], log.raw_headers[history[0]]
    for offset, code in ((31, Code.STATEMENT_AUTHOR), (39, Code.ENTRY_ORDER)):
        log.raw_headers[at] = patch(own, offset, bytes([own[offset] ^ 1]))
        forge(log)
        path = shown_of(log, tmp_path, history)
        assert first(path) == (code, at)


def test_a_code_that_an_entry_here_names_is_not_absent_whatever_the_seal_says(tmp_path: Path) -> None:
    ledger, _ = make_ledger(tmp_path / "ledger")
    with ledger.snapshot() as view:
        copy = MemoryView.of(view)
    ledger.close()
    proofs = reseal(copy, {PACKS[0]: None})
    made = export_excerpt(copy, tmp_path / "out", select_units(copy, [PACKS[1]]), exported_ms=NOW, seal=proofs)
    absence = proofs.prover.absence(PACKS[0])
    put_proofs(made.path, SEAL_ABSENT, [absence.encode()])
    report = check_excerpt(made.path, verifier=VERIFIER)
    assert (Code.ABSENCE, PACKS[0]) in {(one.code, one.subject) for one in report.findings}
    assert report.shown is not None
    assert report.shown.absent == ()
