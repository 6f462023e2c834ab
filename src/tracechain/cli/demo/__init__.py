"""`tracechain demo`: a day at a bonded warehouse, ingested, traced, verified, tampered with, found out.

Everything goes through the commands that a user has, called as a user calls them (`Stage.run`). The demo adds only
the day's files (`tracechain.demo`), the attackers (`tracechain.testing.tamper`), and words.
"""

from __future__ import annotations

from pathlib import Path

import click

from tracechain.cli.output import json_option, print_json

__all__ = ["demo"]


@click.command()
@click.option(
    "--dir", "folder", type=click.Path(path_type=Path), default=Path("demo"), show_default=True,
    help="Folder to leave everything in; what the demo made there before is replaced.",
)  # fmt: skip
@json_option
@click.pass_context
def demo(ctx: click.Context, folder: Path, as_json: bool) -> None:
    """Show what it does, on a day at a bonded warehouse: over 200,000 unit events in about a minute and a half.

    Registers, scan files and EPCIS documents are made up, ingested and traced; every rule of the pilot is broken once,
    and the ledger says so; all is verified; then copies are tampered with, and that is found and named. Eight years
    later, on a copy, what is due is announced and pruned, persons are forgotten, and what is left is verified. At last
    authorities witness the ledger, an auditor judges all of it again, and an inspector checks bundles with nothing but
    Python, forged ones too. Leaves the ledger in DIR/ledger, its verifier key in DIR/ledger.vkey, what went in in
    DIR/scans and DIR/registers, the pruned copy in DIR/ledger-later, the personal values that it lost in
    DIR/erased.txt, and the bundles with a page of each in DIR/inspection. Exits with 1 when something did not go as it
    should.
    """
    from tracechain.cli.demo.acts import play
    from tracechain.cli.demo.screen import Screen

    outcome = play(folder, Screen(silent=as_json))
    if as_json:
        print_json(outcome.summary())
    ctx.exit(0 if outcome.good else 1)
