"""A ledger under the pilot's rules with a small history, for the tests of the commands that ask about it.

Commands run in this process, as hundreds of processes would take minutes; test_cli.py runs the installed program.
"""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path
from typing import Any

from cli_home import DAY, HEADER, ORIGIN, Home, Ran, environment, serial
from tracechain.cli.program import run as run_here
from tracechain.cli.register import template

__all__ = ["BROKEN", "MARKET", "SALE", "TOKEN", "ZONE", "Here", "make_pilot_home", "names_of"]

ONE, TWO = "01/09521234001072/21/BJ00001", "01/09521234001072/21/BJ00002"
#: The warehouse of the template, and a place that nobody has registered.
ZONE, OUTSIDE = "4149521234000013", "4149521234000020"
TOKEN = "5f1c0b7a9e2d4c3885a6f0e1d2c3b4a5"

#: Three packs under bond, one of them ordered, paid, cleared and sold.
SALE = (
    "event,time,code,place,lot,expiry,doc,buyer,amount\n"
    + "".join(
        f"commission,2026-11-02T08:30:0{n}+08:00,{serial(n)},,LOT-A7,2028-06-30,,,\n"
        f"bond_in,2026-11-20T09:00:0{n}+08:00,{serial(n)},{ZONE},,,,,\n"
        for n in (1, 2, 3)
    )
    + f"order,{DAY}T10:00:00+08:00,{serial(1)},,,,po:BJ-17,{TOKEN},258.00\n"
    + f"payment,{DAY}T10:00:40+08:00,{serial(1)},,,,po:BJ-17 payment:WX-903,{TOKEN},258.00\n"
    + f"clear,{DAY}T10:07:00+08:00,{serial(1)},{ZONE},,,po:BJ-17 bol:SF-4471,,\n"
    + f"sell,{DAY}T10:08:00+08:00,{serial(1)},{ZONE},,,,,\n"
)
#: A second sale, a sale without clearance at a place that nobody knows, and a code that nobody knows.
MARKET = (
    f"{HEADER}sell,{DAY}T18:00:00+08:00,{serial(1)},,{ZONE},,\n"
    f"sell,{DAY}T18:00:01+08:00,{serial(2)},,{OUTSIDE},,\n"
    f"recall,{DAY}T18:00:09+08:00,010952123400107221BJO0002,,,,\n"
)
#: What it breaks, and of which packs.
BROKEN = {
    "SECONDARY_SALE": [ONE],
    "SOLD_BEFORE_CLEARANCE": [TWO],
    "PLACE_UNREGISTERED": [TWO],
    "UNKNOWN_CODE": ["01/09521234001072/21/BJO0002"],
}


class Here(Home):
    """A home whose commands run in this process, with the environment of a process of their own."""

    def run(self, *arguments: str | Path, env: dict[str, str] | None = None, **_: Any) -> Ran:
        """Run the program in this folder."""
        out, err = io.StringIO(), io.StringIO()
        before = dict(os.environ)
        try:
            os.environ.clear()
            os.environ.update(env or environment())
            with contextlib.chdir(self.path), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = run_here([str(argument) for argument in arguments])
        finally:
            os.environ.clear()
            os.environ.update(before)
        return Ran(code, out.getvalue(), err.getvalue())


def make_pilot_home(path: Path, *, market: bool = True) -> Here:
    """A ledger with the pilot's rules, its registers, a lawful sale, a case, and the market day."""
    path.mkdir(parents=True)
    home = Here(path)
    home.good("init", "ledger", "--origin", ORIGIN, "--profile", "beijing")
    for kind in ("merchant", "scope", "product", "place", "carrier", "case"):
        home.write(f"{kind}.toml", template(kind))
        home.good("register", "ledger", kind, f"{kind}.toml")
    home.write("sale.csv", SALE)
    home.good("ingest", "ledger", "sale.csv", "--strict")
    if market:
        home.write("market.csv", MARKET)
        home.good("ingest", "ledger", "market.csv")
    return home


def names_of(ran: Ran) -> list[str]:
    """The violations that a check found; its exit code fits them."""
    assert ran.code == (0 if ran.json["good"] else 1)
    return [one["name"] for subject in ran.json["subjects"] for one in subject["violations"]]
