"""The parts, one by one: pytest-benchmark over what a commit and a verification are made of.

    python -m pytest benchmarks/bench_parts.py --benchmark-enable --benchmark-columns=median,iqr,ops

Times are for one call; where a call works on a batch of 1,000 the name says so.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledgers import build, open_ledger
from tracechain import custody, identifiers, merkle
from tracechain.checkpoint import Checkpoint, NoteSigner, VerifierKey, open_checkpoint, sign_checkpoint
from tracechain.encoding import decode, decode_raw, encode, pack, unpack_strict
from tracechain.entry import Row, content_commitment, decode_rows, encode_rows, format_header, parse_header, row_hashes
from tracechain.event import Event
from tracechain.ledger.commit import prepare
from tracechain.signing import MemorySigner, verify
from tracechain.statement import sign_statement, statement_leaves
from tracechain.store.tables import key_of
from tracechain.view import unit_history
from workloads import Scans, scan, unit_id

Benchmark = Callable[..., Any]

_EVENT = scan([123_456], 7)
_CARTON = scan(range(100), 7)
_BATCH = Scans(20_000, 1).take(1000)
_SIGNER = MemorySigner.from_seed(bytes(32))
_HASHES = [os.urandom(32) for _ in range(1000)]
_ROWS = [Row(unit_id(n), 0, 1000 + n, 1, ()) for n in range(100)]
_NOTE = sign_checkpoint(Checkpoint("example.com/bench", 1000, _HASHES[0]), [NoteSigner("example.com/bench", _SIGNER)])
_KEY = VerifierKey("example.com/bench", _SIGNER.public_key.algorithm, _SIGNER.public_key)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed ledger of 20,000 units."""
    return build(tmp_path_factory.mktemp("parts") / "ledger", 20_000)


# ---- events ------------------------------------------------------------------------------------


def test_construct_event(benchmark: Benchmark) -> None:
    benchmark(scan, [123_456], 7)


def test_parse_element_string(benchmark: Benchmark) -> None:
    benchmark(identifiers.parse, "(01)09521234001072(21)BJ00000007919")


@pytest.mark.parametrize("event", [_EVENT, _CARTON], ids=["one unit", "100 units"])
def test_encode_event(benchmark: Benchmark, event: Event) -> None:
    benchmark(encode, event)


@pytest.mark.parametrize("event", [_EVENT, _CARTON], ids=["one unit", "100 units"])
def test_decode_event(benchmark: Benchmark, event: Event) -> None:
    benchmark(decode, encode(event))


def test_decode_raw(benchmark: Benchmark) -> None:
    benchmark(decode_raw, encode(_EVENT))


def test_acts(benchmark: Benchmark) -> None:
    benchmark(custody.acts, _EVENT)


def test_pack_row(benchmark: Benchmark) -> None:
    benchmark(pack, (1, ("01/09521234001072/21/", "BJ00000007919", 0, 123_456, 1, None)))


def test_unpack_row_strict(benchmark: Benchmark) -> None:
    benchmark(unpack_strict, pack((1, ("01/09521234001072/21/", "BJ00000007919", 0, 123_456, 1, None))))


# ---- entries -----------------------------------------------------------------------------------


def test_content_commitment(benchmark: Benchmark) -> None:
    benchmark(content_commitment, bytes(32), encode(_EVENT))


def test_encode_100_rows(benchmark: Benchmark) -> None:
    benchmark(encode_rows, 1, _ROWS)


def test_decode_100_rows(benchmark: Benchmark) -> None:
    benchmark(decode_rows, encode_rows(1, _ROWS))


def test_hash_100_rows(benchmark: Benchmark) -> None:
    benchmark(row_hashes, bytes(32), 1, _ROWS, _HASHES[:100])


def test_format_header(benchmark: Benchmark, ledger: Path) -> None:
    benchmark(format_header, parse_header(_a_header(ledger)))


def test_parse_header(benchmark: Benchmark, ledger: Path) -> None:
    benchmark(parse_header, _a_header(ledger))


def _a_header(path: Path) -> bytes:
    with open_ledger(path) as opened, opened.snapshot() as view:
        found = view.header(7)
    assert found is not None
    return found


# ---- tree and signatures -----------------------------------------------------------------------


def test_merkle_root_of_1000(benchmark: Benchmark) -> None:
    benchmark(merkle.root, _HASHES)


def test_frontier_extend_by_1000(benchmark: Benchmark) -> None:
    frontier = merkle.Frontier()
    frontier.extend(_HASHES)
    benchmark(lambda: frontier.copy().extend(_HASHES))


def test_statement_over_1000(benchmark: Benchmark) -> None:
    def sign() -> object:
        leaves = statement_leaves(_HASHES, (0,) * 1000, (3,) * 1000)
        return sign_statement(
            _SIGNER,
            ledger_id=bytes(32),
            first=0,
            previous=bytes(32),
            signed_at=1,
            leaves=leaves,
            count=1000,
        )

    benchmark(sign)


def test_sign(benchmark: Benchmark) -> None:
    benchmark(_SIGNER.sign, b"a message of some forty bytes, as they come")


def test_verify_signature(benchmark: Benchmark) -> None:
    message = b"a message of some forty bytes, as they come"
    benchmark(verify, _SIGNER.public_key, message, _SIGNER.sign(message))


def test_sign_checkpoint(benchmark: Benchmark) -> None:
    benchmark(
        sign_checkpoint, Checkpoint("example.com/bench", 1000, _HASHES[0]), [NoteSigner("example.com/bench", _SIGNER)]
    )


def test_open_checkpoint(benchmark: Benchmark) -> None:
    benchmark(open_checkpoint, _NOTE, _KEY)


# ---- ledger ------------------------------------------------------------------------------------


def test_prepare_1000_events(benchmark: Benchmark) -> None:
    benchmark(prepare, tuple(_BATCH), 0, os.urandom)


def test_append_1000_events(benchmark: Benchmark, ledger: Path) -> None:
    scans = Scans(20_000, 2)
    with open_ledger(ledger) as opened:
        benchmark.pedantic(opened.append, setup=lambda: ((scans.take(1000),), {}), rounds=20)  # type: ignore[attr-defined]  # the fixture carries no types


def test_append_one_event(benchmark: Benchmark, ledger: Path) -> None:
    scans = Scans(20_000, 3)
    with open_ledger(ledger) as opened:
        benchmark.pedantic(opened.append, setup=lambda: ((scans.take(1),), {}), rounds=100)  # type: ignore[attr-defined]  # the same


def test_prove(benchmark: Benchmark, ledger: Path) -> None:
    with open_ledger(ledger) as opened:
        benchmark(opened.prove, 12_345)


def test_unit_history(benchmark: Benchmark, ledger: Path) -> None:
    with open_ledger(ledger) as opened, opened.snapshot() as view:
        assert benchmark(unit_history, view, unit_id(4321))


def test_read_header(benchmark: Benchmark, ledger: Path) -> None:
    with open_ledger(ledger) as opened, opened.snapshot() as view:
        assert benchmark(view.header, 12_345)


def test_key_of(benchmark: Benchmark) -> None:
    benchmark(key_of, 12_345)
