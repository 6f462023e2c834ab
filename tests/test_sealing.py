"""The hot path of sealing against the readable functions of entry."""

from __future__ import annotations

import shutil
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracechain import custody, merkle, record
from tracechain.entry import (
    NO_POLICY,
    OPEN_DAY,
    SALT_SIZE,
    EntryType,
    Header,
    Row,
    content_commitment,
    decode_rows,
    encode_rows,
    format_header,
    parse_header,
    row_hashes,
    row_root,
)
from tracechain.ledger import Ledger
from tracechain.ledger.sealing import Sealing
from tracechain.record import authorise
from tracechain.statement import decode_statement
from tracechain.station import Station
from tracechain.store import Store
from tracechain.testing import Clock, Keys, Random
from tracechain.testing.samples import commission, observe, pack_ids
from tracechain.view import ViewNodes

KEYS = Keys()


def types(ledger: Ledger) -> list[EntryType]:
    with ledger.snapshot() as view:
        return [parse_header(header).type for _, header in view.headers(0, view.size)]


@pytest.fixture
def station(tracechain_ledger: Ledger, tmp_path: Path) -> Station:
    """A station whose key is authorised on `tracechain_ledger`."""
    tracechain_ledger.authorise(authorise(tracechain_ledger.ledger_id, KEYS.station, KEYS.root, "station"))
    return Station.create(
        tmp_path / "station", KEYS.station, tracechain_ledger.ledger_id, clock=Clock(), random=Random(9)
    )


# ---- sealing says what entry says ------------------------------------------------------------------

subject = st.builds(lambda a, b: f"{a}{b}", st.sampled_from(["", "a/", "b/", "a/b/"]), st.integers(0, 9))
acts_of_one = st.lists(
    st.tuples(subject, st.sampled_from(list(custody.Act)[:3])), max_size=6, unique_by=lambda a: a[0]
).map(lambda acts: tuple(sorted(acts, key=lambda a: a[0].encode())))
sealed_commits = st.lists(
    st.lists(st.tuples(acts_of_one, st.binary(min_size=1, max_size=40)), min_size=1, max_size=6), min_size=1, max_size=5
)


@settings(max_examples=80)
@given(commits=sealed_commits, kind=st.sampled_from([3, 4]), record_class=st.integers(0, 65_535), clamp=st.booleans())
def test_sealing_says_what_entry_says(
    commits: list[list[tuple[tuple[tuple[str, int], ...], bytes]]],
    kind: int,
    record_class: int,
    clamp: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """The hot path's straight lines against the readable ones: rows, row roots, headers, leaves, states, the tree."""
    folder = tmp_path_factory.mktemp("sealing")
    store = Store.create(folder / "s")
    states: dict[str, tuple[int, int]] = {}
    leaves: list[bytes] = []
    author, sequence, time = b"authorid", 5, 1000
    for number, commit in enumerate(commits):
        random = Random(number)
        expected_salts = Random(number)
        parts = [bytes([n]) * SALT_SIZE + content for n, (_, content) in enumerate(commit)]
        commitments = [content_commitment(p[:SALT_SIZE], p[SALT_SIZE:]) for p in parts]
        now = time - 1 if clamp and number else time + number
        with store.lock.held(), store.write() as txn:
            sealing = Sealing(txn, now, random)
            first = sealing.size
            violated = sealing.covered(
                kind, record_class, author, sequence, parts, commitments, [acts for acts, _ in commit]
            )
            sealing.flush()
            from tracechain.store import Tip

            txn.put_meta("tip", Tip(sealing.frontier, sealing.time).encode())
        time = max(now, time)
        salts = expected_salts(SALT_SIZE * len(commit))
        broken = []
        with store.snapshot() as view:
            for n, (acts, content) in enumerate(commit):
                index = first + n
                rows, previous_leaves = [], []
                for name, act in acts:
                    state, last = states.get(name, (0, -1))
                    after, said = custody.step(state, act)
                    rows.append(Row(name, int(act), None if last < 0 else last, after, said))
                    previous_leaves.append(None if last < 0 else leaves[last])
                    states[name] = (after, index)
                    if said:
                        broken.append((index, n, name, said))
                salt = salts[n * SALT_SIZE : (n + 1) * SALT_SIZE]
                stored = view.rows(index)
                encoded = encode_rows(custody.PLAIN, rows) if rows else b""
                assert stored == (salt + encoded if rows else None)
                if rows:
                    assert decode_rows(encoded) == (custody.PLAIN, tuple(rows))
                header = Header(
                    EntryType(kind), 1 if clamp and number else 0, time, record_class, OPEN_DAY, author, sequence + n,
                    len(rows), len(content), len(encoded), sum(row.previous is None for row in rows), NO_POLICY,
                    commitments[n], row_root(row_hashes(salt, custody.PLAIN, rows, previous_leaves)),
                )  # fmt: skip
                assert view.header(index) == format_header(header)
                assert view.content(index) == parts[n]
                leaves.append(sha256(b"\0" + format_header(header)).digest())
            assert list(violated) == broken
            assert view.size == len(leaves)
            assert view.tip.frontier.root() == merkle.root(leaves)
            assert merkle.tree_root(ViewNodes(view), view.size) == merkle.root(leaves)
            assert {name: (u.state, u.last) for name, u in view.units()} == states
        sequence += len(commit)
    store.close()
    shutil.rmtree(folder)


def test_statements_cover_exactly(tracechain_ledger: Ledger, station: Station) -> None:
    tracechain_ledger.append([commission(pack_ids(1))] * 3)
    tracechain_ledger.submit(station.make([observe(pack_ids(1))] * 2))
    tracechain_ledger.append([observe(pack_ids(1))])
    covered: list[int] = []
    with tracechain_ledger.snapshot() as view:
        for index, header in view.headers(0, view.size):
            if parse_header(header).type == EntryType.STATEMENT:
                part = view.content(index)
                assert part is not None
                covered += range(index + 1, index + 1 + decode_statement(part[SALT_SIZE:]).count)
    assert covered == [i for i, kind in enumerate(types(tracechain_ledger)) if kind == EntryType.EVENT]
    assert record.key_subject(KEYS.author.public_key.hash)
