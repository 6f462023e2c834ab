"""An attacker who has every key, and every way through verification.

`forge` makes headers, statements and the checkpoint of a MemoryView fit whatever was done to its parts. What is left
to find is what the rules forbid. `agree` verifies a view in every way and insists that all say the same.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from tracechain import encoding, merkle
from tracechain.checkpoint import Checkpoint, NoteSigner, parse_checkpoint, parse_note, sign_checkpoint
from tracechain.entry import (
    ROW_TAG,
    SALT_SIZE,
    EntryType,
    content_commitment,
    decode_rows,
    row_hashes,
    row_root,
)
from tracechain.errors import DataError
from tracechain.ledger import Ledger
from tracechain.replay import MemoryView
from tracechain.signing import MemorySigner
from tracechain.statement import decode_statement, encode_statement, sign_statement, statement_leaves
from tracechain.testing import Keys, new_ledger
from tracechain.verification import Report, verify, verify_in_processes
from tracechain.verification.range import RangeCheck

# Its name is hidden by that of the function.
verify_module = sys.modules[verify.__module__]
processes_module = sys.modules[verify_in_processes.__module__]
KEYS = Keys()
PARTS = ("raw_contents", "raw_rows", "raw_headers")
SIGNERS = {s.public_key.hash: s for s in (KEYS.author, KEYS.station, KEYS.other_station, KEYS.stranger)}


# ---- logs, and an attacker who has every key -------------------------------------------------------


def memory(path: Path) -> MemoryView:
    """The log of a closed ledger, in memory."""
    with Ledger.open(path) as ledger, ledger.snapshot() as snapshot:
        return MemoryView.of(snapshot)


def copy(view: MemoryView) -> MemoryView:
    return MemoryView(
        dict(view.raw_headers), dict(view.raw_contents), dict(view.raw_rows), view.checkpoint, view.size, None
    )


def patch(data: bytes, at: int, value: bytes) -> bytes:
    return data[:at] + value + data[at + len(value) :]


def forge(view: MemoryView, signers: dict[bytes, MemorySigner] = SIGNERS) -> MemoryView:
    """Make everything that is derived fit the parts again, as an operator with all keys can. Changes `view`."""
    for index, part in view.raw_contents.items():
        header = patch(view.raw_headers[index], 64, content_commitment(part[:SALT_SIZE], part[SALT_SIZE:]))
        view.raw_headers[index] = patch(header, 44, max(0, len(part) - SALT_SIZE).to_bytes(4, "big"))
    previous: dict[bytes, bytes] = {}
    for index in sorted(view.raw_contents):
        if view.raw_headers[index][4] == EntryType.STATEMENT:
            with contextlib.suppress(DataError):
                _forge_statement(view, index, signers, previous)
    leaves: list[bytes] = []
    for index in range(view.size):
        view.raw_headers[index] = _forged_rows(view, index, leaves)
        leaves.append(merkle.leaf_hash(view.raw_headers[index]))
    origin = parse_checkpoint(parse_note(view.checkpoint).text).origin
    note = Checkpoint(origin, view.size, merkle.root(leaves))
    view.checkpoint = sign_checkpoint(note, [NoteSigner(origin.partition("/epoch/")[0], KEYS.log)])
    return view


def _forge_statement(
    view: MemoryView, index: int, signers: dict[bytes, MemorySigner], previous: dict[bytes, bytes]
) -> None:
    part = view.raw_contents[index]
    old = decode_statement(part[SALT_SIZE:])
    headers = [view.raw_headers[i] for i in range(index + 1, min(index + 1 + old.count, view.size))]
    signer = signers.get(old.author)
    if len(headers) < old.count or signer is None:
        return
    leaves = statement_leaves(
        [h[64:96] for h in headers], [int.from_bytes(h[16:18], "big") for h in headers], [h[4] for h in headers]
    )
    new = sign_statement(
        signer,
        ledger_id=old.ledger_id,
        first=old.first,
        count=old.count,
        previous=previous.get(old.author, old.previous) if old.first else old.previous,
        signed_at=old.signed_at,
        leaves=leaves,
    )
    previous[old.author] = new.hash
    view.raw_contents[index] = part = part[:SALT_SIZE] + encode_statement(new)
    header = patch(view.raw_headers[index], 64, content_commitment(part[:SALT_SIZE], part[SALT_SIZE:]))
    view.raw_headers[index] = patch(header, 44, (len(part) - SALT_SIZE).to_bytes(4, "big"))


def _forged_rows(view: MemoryView, index: int, leaves: Sequence[bytes]) -> bytes:
    header, part = view.raw_headers[index], view.raw_rows.get(index)
    if part is None or len(header) != 128:
        return header
    salt, stored = part[:SALT_SIZE], part[SALT_SIZE:]
    try:
        rule_set, rows = decode_rows(stored)
        named = [leaves[r.previous] if r.previous is not None and r.previous < index else None for r in rows]
        root = row_root(row_hashes(salt, rule_set, rows, named))
        header = patch(header, 40, len(rows).to_bytes(4, "big"))
        header = patch(header, 52, sum(r.previous is None for r in rows).to_bytes(4, "big"))
    except DataError:
        # Rows that cannot be read: hash their bytes as if they were the one row of the entry.
        before = _previous_of(stored)
        leaf = leaves[before - 1] if 0 < before <= index else bytes(32)
        root = sha256(ROW_TAG + salt + leaf + stored).digest()
        header = patch(header, 52, (not before).to_bytes(4, "big"))
    return patch(patch(header, 48, len(stored).to_bytes(4, "big")), 96, root)


def _previous_of(stored: bytes) -> int:
    with contextlib.suppress(DataError):
        value: Any = encoding.unpack_raw(stored)
        if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], tuple) and len(value[1]) == 6:
            return int(value[1][3]) if isinstance(value[1][3], int) else 0
    return 0


# ---- the ways through verification -----------------------------------------------------------------


def found(report: Report) -> set[tuple[str, int | None, str | None, str]]:
    return {(str(f.code), f.index, f.subject, f.detail) for f in report.findings}


class InThisProcess:
    """Stands in for the process pool: the ranges are the same, and a test can have a thousand of them."""

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(function(*arguments))
        return done


@contextlib.contextmanager
def changed(target: Any, **values: Any) -> Iterator[None]:
    """Like monkeypatch, but within one example of a property."""
    old = {name: getattr(target, name) for name in values}
    try:
        for name, value in values.items():
            setattr(target, name, value)
        yield
    finally:
        for name, value in old.items():
            setattr(target, name, value)


def carefully(view: MemoryView) -> Report:
    """Verify with every entry decoded: no shape is ever remembered, so nothing takes the quick way."""
    with changed(RangeCheck, _remember_shape=lambda *_: None):
        return verify(view)


def in_tasks(view: MemoryView, size: int) -> Report:
    """Verify in ranges of about `size` entries, one after the other."""
    with changed(verify_module, _TASK=size):
        return verify(view)


def in_ranges(view: MemoryView, count: int) -> Report:
    """Verify in `count` independent ranges that are joined afterwards, as in several processes."""
    with changed(processes_module, ProcessPoolExecutor=InThisProcess):
        return verify_in_processes(lambda: contextlib.nullcontext(view), count)


def agree(view: MemoryView, ranges: Sequence[int] = (2, 7)) -> Report:
    """Verify in every way; all have to say the same."""
    quick = verify(view)
    assert found(quick) == found(carefully(view)), "quick and careful"
    for size in ranges:
        assert found(quick) == found(in_tasks(view, size)), f"tasks of {size}"
        for report in (in_ranges(view, size), in_ranges(view, max(1, view.size // size))):
            assert found(quick) == found(report), f"about {size} ranges or entries a range"
            assert (quick.rows, quick.statements, quick.entries, quick.units) == (
                report.rows,
                report.statements,
                report.entries,
                report.units,
            )
    return quick


def events_of(view: MemoryView) -> list[int]:
    return [i for i, h in sorted(view.raw_headers.items()) if h[4] == EntryType.EVENT]


def index_of(view: MemoryView, kind: EntryType, number: int = 0) -> int:
    """The index of the `number`-th entry of a type; negative numbers count from the end."""
    return [i for i, h in sorted(view.raw_headers.items()) if h[4] == kind][number]


def replaced(view: MemoryView, index: int, content: bytes, rows: bytes | None = None) -> MemoryView:
    """A forged copy in which an entry says something else."""
    view = copy(view)
    view.raw_contents[index] = view.raw_contents[index][:SALT_SIZE] + content
    if rows is not None:
        view.raw_rows[index] = view.raw_rows[index][:SALT_SIZE] + rows
    return forge(view)


def logged(path: Path, *batches: Sequence[Any]) -> MemoryView:
    """The log of a new ledger to which these batches were appended."""
    with new_ledger(path / "ledger", keys=KEYS) as ledger:
        for batch in batches:
            ledger.append(batch)
    return memory(path / "ledger")
