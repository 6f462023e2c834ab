"""A closed ledger's database, opened by lmdb itself: for tests that damage it or look behind the store."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lmdb

from tracechain.store.files import current_generation
from tracechain.store.tables import TABLES


@contextlib.contextmanager
def raw(path: Path) -> Iterator[tuple[Any, Callable[[str], Any]]]:
    """(write transaction, table by name) of a closed ledger's database, by lmdb itself."""
    env = lmdb.open(str(current_generation(path / "ledger")), max_dbs=32, map_size=1 << 30)
    try:
        tables = {name: env.open_db(name.encode(), create=False) for name in TABLES}
        with env.begin(write=True) as txn:
            yield txn, tables.__getitem__
    finally:
        env.close()
