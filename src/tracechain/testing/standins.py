"""Stand-ins for what a ledger takes from outside: keys, clock, randomness. Test-only: everyone knows these keys."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from hashlib import sha256, shake_256
from pathlib import Path

from attrs import field, frozen

from tracechain.ledger import Ledger
from tracechain.ledger.ledger import DEFAULT_JUMP_LIMIT
from tracechain.signing import MemorySigner, PublicKey, Signer

__all__ = ["ORIGIN", "START", "Clock", "Keys", "Random", "fixed_key", "new_ledger", "open_ledger"]

#: Origin of ledgers made here.
ORIGIN = "ledger.example/test"
#: Where clocks begin: 2026-11-21T00:00:00Z, in milliseconds.
START = 1_795_219_200_000


def fixed_key(name: str) -> MemorySigner:
    """The test key of this name: always the same, and as good as published. Never use one for real data."""
    return MemorySigner.from_seed(sha256(b"tracechain test key: " + name.encode()).digest())


@frozen
class Keys:
    """One signer a role, always the same: a test that fails, fails again with the same bytes.

    `author` is the ledger process's own key; `station` and `other_station` are keys of scanner stations, not
    authorised yet; `stranger` is a key that nobody trusts. `named` gives as many more as a test needs.
    """

    log: MemorySigner = field(factory=lambda: fixed_key("log"))
    root: MemorySigner = field(factory=lambda: fixed_key("root"))
    author: MemorySigner = field(factory=lambda: fixed_key("author"))
    station: MemorySigner = field(factory=lambda: fixed_key("station"))
    other_station: MemorySigner = field(factory=lambda: fixed_key("other station"))
    stranger: MemorySigner = field(factory=lambda: fixed_key("stranger"))

    def named(self, name: str) -> MemorySigner:
        """Another key, by name."""
        return fixed_key(name)


class Clock:
    """A clock that stands still until it is moved; `now` is milliseconds since 1970 UTC.

    >>> clock = Clock(1000)
    >>> clock.advance(500)
    >>> clock()
    1500
    """

    def __init__(self, now: int = START) -> None:
        self.now = now

    def __call__(self) -> int:
        """Where it stands."""
        return self.now

    def advance(self, milliseconds: int) -> None:
        """Move it forward, or back by a negative number."""
        self.now += milliseconds

    def set(self, now: int) -> None:
        """Set it."""
        self.now = now


class Random:
    """Bytes that look random and are the same in each run; stands in for `os.urandom`.

    >>> Random(7)(4) == Random(7)(4), Random(7)(4) == Random(8)(4)
    (True, False)
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._calls = 0
        self._lock = threading.Lock()

    def __call__(self, count: int) -> bytes:
        """The next `count` bytes."""
        with self._lock:
            call = self._calls
            self._calls += 1
        return shake_256(f"tracechain test bytes {self._seed} {call}".encode()).digest(count)


def new_ledger(
    path: Path,
    *,
    keys: Keys | None = None,
    clock: Clock | None = None,
    random: Random | None = None,
    origin: str = ORIGIN,
    author: Signer | None = None,
    more_roots: Iterable[PublicKey] = (),
    jump_limit: int = DEFAULT_JUMP_LIMIT,
    anchor: Path | None = None,
) -> Ledger:
    """Make a ledger of test keys, a clock that stands still and fixed randomness, open for writing.

    What is not given is new: `Keys()`, `Clock()`, `Random()`; `author` is `keys.author`. Two ledgers made with
    equal arguments and used alike have the same bytes.
    """
    keys = keys or Keys()
    return Ledger.create(
        path,
        origin=origin,
        signer=keys.log,
        root=keys.root,
        author=author or keys.author,
        more_roots=more_roots,
        jump_limit=jump_limit,
        anchor=anchor,
        clock=clock or Clock(),
        random=random or Random(),
    )


def open_ledger(
    path: Path,
    *,
    keys: Keys | None = None,
    clock: Clock | None = None,
    random: Random | None = None,
    anchor: Path | None = None,
) -> Ledger:
    """Open a ledger that `new_ledger` made again, for writing.

    Give the clock that it had: a new one stands at `START`. A new `Random` begins anew, so its salts occur twice.
    """
    keys = keys or Keys()
    return Ledger.open(
        path,
        signer=keys.log,
        author=keys.author,
        anchor=anchor,
        clock=clock or Clock(),
        random=random or Random(1),
    )
