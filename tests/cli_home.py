"""A folder with a ledger in it, and the installed program to run on it: for the tests of that program."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from attrs import frozen

from tracechain.checkpoint import parse_checkpoint, parse_note
from tracechain.ledger import Ledger

PROGRAM = Path(sys.executable).with_name("tracechain")
PASSPHRASE = "correct horse"
ORIGIN = "ledger.example/cli"
HEADER = "event,time,code,parent,place,lot,expiry\n"
DAY = "2026-11-21"


def environment(**more: str) -> dict[str, str]:
    """What the program sees: nothing of the terminal that runs the tests."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return kept | {"TRACECHAIN_PASSPHRASE": PASSPHRASE, "LC_ALL": "C.UTF-8"} | more


@frozen
class Ran:
    """What a run of the program came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON value on stdout."""
        return json.loads(self.out)


def run(
    *arguments: str | Path,
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
    program: tuple[str | Path, ...] = (PROGRAM,),
) -> Ran:
    """Run the program as a user does; `program` is how it is called."""
    done = subprocess.run(
        [*program, *map(str, arguments)], cwd=cwd, env=env or environment(), stdin=subprocess.DEVNULL,
        capture_output=True, timeout=300, check=False,
    )  # fmt: skip
    ran = Ran(done.returncode, done.stdout.decode("utf-8", "surrogateescape"), done.stderr.decode())
    assert "Traceback" not in ran.err, ran.err
    return ran


@frozen
class Home:
    """A folder with the ledger `ledger`, its keys, its anchor and its verifier key."""

    path: Path

    @property
    def ledger(self) -> Path:
        """The ledger's folder."""
        return self.path / "ledger"

    @property
    def vkey(self) -> Path:
        """The file of its verifier key."""
        return self.path / "ledger.vkey"

    def run(self, *arguments: str | Path, **more: Any) -> Ran:
        """Run the program in this folder."""
        return run(*arguments, cwd=self.path, **more)

    def good(self, *arguments: str | Path) -> Ran:
        """Run the program; it has to find everything fine."""
        ran = self.run(*arguments)
        assert (ran.code, ran.err) == (0, ""), (ran.out, ran.err)
        return ran

    def write(self, name: str, content: str | bytes) -> Path:
        """A file in this folder."""
        path = self.path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def head(self) -> str:
        """The signed note of the ledger; not by the program, which would take most of the time of a test."""
        with Ledger.open(self.ledger) as ledger:
            return ledger.checkpoint()

    def size(self) -> int:
        """Number of entries of the ledger."""
        return parse_checkpoint(parse_note(self.head()).text).size

    def refuses(self, *arguments: str | Path, **more: Any) -> str:
        """Run the program: it has to refuse, with exit code 2, one line on stderr, and the ledger as it was."""
        before = self.head()
        ran = self.run(*arguments, **more)
        assert ran.code == 2, (ran.out, ran.err)
        assert ran.err.startswith("tracechain: ")
        assert ran.err.count("\n") == 1, ran.err
        assert self.head() == before
        return ran.err


def make_home(path: Path) -> Home:
    """A new ledger by `tracechain init`."""
    path.mkdir(parents=True, exist_ok=True)
    home = Home(path)
    home.good("init", "ledger", "--origin", ORIGIN)
    return home


def copy_home(home: Home, path: Path) -> Home:
    """A copy of a home that nobody writes to: quicker than new keys for every test."""
    shutil.copytree(home.path, path)
    return Home(path)


def serial(number: int) -> str:
    """A scan of the pack with this number."""
    return f"010952123400107221BJ{number:05}"


def commissions(count: int, *, start: int = 0) -> str:
    """A CSV file of so many packs that come into being."""
    return HEADER + "".join(
        f"commission,{DAY}T08:{n // 60 % 60:02}:{n % 60:02}+08:00,{serial(n)},,4149521234000013,LOT-A7,2028-06-30\n"
        for n in range(start, start + count)
    )
