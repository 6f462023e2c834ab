"""`tracechain export`: a bundle for somebody who has nothing else: a regulator, an auditor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import frozen

from tracechain.cli.clock import clock
from tracechain.cli.criteria import product_of
from tracechain.cli.entries import human
from tracechain.cli.keyfiles import key_options, open_to_write
from tracechain.cli.moments import claimed_nanos
from tracechain.cli.opening import looks_like_bundle, open_to_read
from tracechain.cli.output import bar, counted, json_option, plain, print_json, say, styled, waiting
from tracechain.cli.subjects import canonical, named, tell_unresolved, unresolved_json
from tracechain.errors import InputError

if TYPE_CHECKING:
    from tracechain.bundle.excerpt import Exported, Private, SealProofs
    from tracechain.bundle.select import Selection
    from tracechain.bundle.whole import Whole
    from tracechain.checkpoint import Checkpoint
    from tracechain.persons import Disclosure
    from tracechain.store import Vault
    from tracechain.view import View

__all__ = ["export"]

_MS = 1_000_000
_NOTE_MOST = 1 << 16
_LISTED = 20
_KINDS = "--whole, --unit, --lot, --recall, --merchant, --from and --to, --absent"


@frozen
class _Asked:
    """What is to be exported, as the options say it."""

    whole: bool
    units: tuple[str, ...]
    lot: tuple[str, str] | None
    recall: str | None
    merchant: str | None
    start: str | None
    stop: str | None
    absent: tuple[str, ...]

    def check(self) -> None:
        """One kind, and no more."""
        period = self.start is not None or self.stop is not None
        given = (self.whole, self.units, self.lot, self.recall is not None, self.merchant is not None, period)
        if sum(map(bool, (*given, self.absent))) != 1:
            raise click.UsageError(f"say what, by one of: {_KINDS}.")

    def select(self, view: View, now: int) -> Selection:
        """The selection of an excerpt."""
        from tracechain.bundle import select

        if self.units:
            return select.select_units(view, map(canonical, self.units))
        if self.lot is not None:
            return select.select_lot(view, product_of(self.lot[0], "--lot"), self.lot[1])
        if self.recall is not None:
            return select.select_recall(view, self.recall)
        if self.merchant is not None:
            return select.select_merchant(view, named(self.merchant))
        start = claimed_nanos(self.start, "--from", begin=True)
        stop = claimed_nanos(self.stop, "--to")
        return select.select_period(view, 0 if start is None else start // _MS, now if stop is None else stop // _MS)


@click.command(short_help="Write a bundle that a regulator can check without this program.")
@click.argument("ledger", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--whole", is_flag=True, help="The whole log.")
@click.option(
    "--unit", "units", metavar="CODE", multiple=True, help="The history of a code; may be given several times."
)
@click.option(
    "--lot", nargs=2, metavar="GTIN LOT", help="The histories of the packs of a lot, and of what was made of them."
)
@click.option("--recall", metavar="ID", help="A recall, and the histories of the packs that it is about.")
@click.option("--merchant", metavar="ID", help="The histories of the packs of events that name a merchant.")
@click.option(
    "--from", "start", metavar="DATE", help="All that was received since the beginning of a day in Beijing, or a time."
)
@click.option("--to", "stop", metavar="DATE", help="And up to the end of a day, or a time.")
@click.option(
    "--absent", metavar="CODE", multiple=True,
    help="Proof that a code was never in the ledger; may be given several times. It names codes that are: for"
    " regulators only.",
)  # fmt: skip
@click.option(
    "--since", type=click.Path(path_type=Path), multiple=True, metavar="FILE",
    help="A checkpoint that the receiver kept: with proof that the log extends it. A whole bundle shows it by itself.",
)  # fmt: skip
@click.option(
    "--private", metavar="NAME", multiple=True,
    help="Show the values of the private field NAME, too, with proof. Needs --ground and the keys; it is written down.",
)  # fmt: skip
@click.option("--ground", metavar="TEXT", help="With --private: why, for the vault.")
@key_options
@json_option
def export(
    ledger: Path, out: Path, units: tuple[str, ...], since: tuple[Path, ...], private: tuple[str, ...],
    ground: str | None, keys: Path | None, passphrase_file: Path | None, as_json: bool, **asked: Any,
) -> None:  # fmt: skip
    """Write a bundle of LEDGER to OUT, a new folder, or a zip file where the name ends in .zip: all of it, or an
    excerpt that shows histories and proves by the latest seal that they are complete, or the proof that a code is not
    in it.

    With the histories of packs come those of their containers and of the codes that they were made of or into. The
    ledger may be written to meanwhile. LEDGER may be a whole bundle. To be checked with `tracechain verify OUT --key
    VKEY`, or with verify_bundle.py and nothing else.
    """
    wanted = _Asked(units=units, **asked)
    wanted.check()
    if private and ground is None:
        raise click.UsageError("--private needs --ground TEXT: why it is shown is written down.")
    if ground is not None and not private:
        raise click.UsageError("--ground is why private values are shown: say which with --private NAME.")
    if private and wanted.absent:
        raise click.UsageError("a proof of absence has no private values.")
    olds = list(map(_read_checkpoint, since))
    if out.exists() or out.is_symlink():
        raise InputError(f"{out} exists: a bundle is never written over, choose another name")
    with _opened(ledger, keys, passphrase_file, write=bool(private)) as (view, vault):
        if wanted.whole:
            if olds:
                raise click.UsageError("--since is for excerpts: a whole bundle shows by itself what it extends.")
            with bar("exporting") as shown:
                from tracechain.bundle.whole import export_whole

                values = () if vault is None else _disclosures(view, vault, private, ground or "")
                made = export_whole(view, out, exported_ms=clock()(), disclosures=values, progress=shown.update)
            _tell_whole(made, as_json=as_json)
            return
        _tell(_export(view, vault, out, wanted, olds, private, ground or ""), as_json=as_json)


@contextmanager
def _opened(
    path: Path, keys: Path | None, passphrase_file: Path | None, *, write: bool
) -> Iterator[tuple[View, Vault | None]]:
    """The log, and its vault where it can be written down what was shown of that."""
    if not write:
        with open_to_read(path) as found:
            yield found.view, None
    elif looks_like_bundle(path):
        raise InputError(f"{path} is a bundle, and private values are in the vault of its ledger")
    else:
        with open_to_write(path, keys, passphrase_file) as ledger, ledger.snapshot() as snapshot:
            yield snapshot, ledger.vault


def _read_checkpoint(path: Path) -> Checkpoint:
    from tracechain.checkpoint import parse_checkpoint, parse_note
    from tracechain.errors import CheckpointError

    with path.open("rb") as file:
        data = file.read(_NOTE_MOST + 1)
    try:
        return parse_checkpoint(parse_note(data).text)
    except CheckpointError as error:
        raise InputError(f"{path} is no checkpoint: {error}") from None


def _export(
    view: View, vault: Vault | None, out: Path, asked: _Asked, olds: list[Checkpoint], names: tuple[str, ...],
    ground: str,
) -> Exported:  # fmt: skip
    from tracechain.bundle.excerpt import export_absence, export_excerpt

    with waiting("looking for what belongs to it"):
        seal = _seal(view)
        if not asked.absent:
            selection = asked.select(view, clock()())
    with bar("exporting") as shown:
        more: dict[str, Any] = {"exported_ms": clock()(), "seal": seal, "since": olds, "progress": shown.update}
        if asked.absent:
            return export_absence(view, out, [canonical(code) for code in asked.absent], **more)
        return export_excerpt(view, out, selection, private=_private(vault, names, ground), **more)


def _private(vault: Vault | None, names: tuple[str, ...], ground: str) -> Private | None:
    from tracechain.bundle.excerpt import Private

    return None if vault is None else Private(vault, frozenset(names), ground)


def _seal(view: View) -> SealProofs | None:
    """The latest seal, and who proves by it: quickly in a live ledger, worked out from the rows of a bundle."""
    from tracechain.bundle.excerpt import SealProofs
    from tracechain.ledger.seals import prover
    from tracechain.seals import latest_seal, prover_of
    from tracechain.store import Snapshot

    latest = latest_seal(view)
    if latest is None:
        return None
    if isinstance(view, Snapshot):
        return SealProofs(*prover(view))
    return SealProofs(latest, prover_of(view, latest.body))


def _disclosures(view: View, vault: Vault, names: tuple[str, ...], ground: str) -> Iterator[Disclosure]:
    """The values of some private fields, of all events that are kept."""
    from tracechain.bundle.excerpt import Private, disclosed
    from tracechain.entry import EntryType

    private = Private(vault, frozenset(names), ground)
    for index, content in view.contents(0, view.size):
        header = view.header(index)
        if header is not None and header[4] == EntryType.EVENT:
            yield from disclosed(view, private, index, content)[0]


# ---- what is said --------------------------------------------------------------------------------


def _tell_whole(made: Whole, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "bundle": str(made.path), "kind": "whole", "entries": made.size, "contents": made.contents,
                "rows": made.rows, "private_values": made.disclosures,
            }
        )  # fmt: skip
        return
    say(f"{styled('✓', 'good')} {_entries(made.size)} in {plain(made.path)}: the whole log")
    if made.disclosures:
        say(f"  with {counted(made.disclosures, 'private value')}", "warn")
    _tell_check(made.path)


def _tell(made: Exported, *, as_json: bool) -> None:
    if as_json:
        seal = made.seal
        print_json(
            {
                "bundle": str(made.path), "kind": made.kind, "entries": made.entries, "histories": len(made.histories),
                "absent": list(made.absent),
                "seal": None if seal is None else {"entry": made.seal_entry, "size": seal.size, "ids": seal.ids},
                "complete_up_to_seal": made.sealed, "came_after_seal": list(made.unsealed),
                "witnessed_notes": made.witnessed, "private_values": made.disclosures,
                "private_values_not_kept": made.withheld, "unresolved": unresolved_json(made.unresolved),
            }
        )  # fmt: skip
        return
    where = f"{_entries(made.entries)} in {plain(made.path)}"
    if made.absent:
        size = 0 if made.seal is None else made.seal.size
        codes = counted(len(made.absent), "code")
        say(f"{styled('✓', 'good')} proof that {codes} came in none of {_entries(size)}: {where}")
    elif made.histories:
        histories = "history" if len(made.histories) == 1 else "histories"
        say(f"{styled('✓', 'good')} {len(made.histories):,} {histories}: {where}")
    else:
        say(f"{styled('✓', 'good')} all that was received then, and a neighbour on each side: {where}")
    if made.absent or made.histories:
        _tell_seal(made)
    if made.disclosures or made.withheld:
        words = f"  with {counted(made.disclosures, 'private value')}"
        say(f"{words}; {made.withheld:,} more not kept any more" if made.withheld else words, "warn")
    tell_unresolved(made.unresolved)
    if made.absent:
        say("  it names codes that are in the ledger, next to those that are not: for regulators only", "warn")
    _tell_check(made.path)


def _entries(count: int) -> str:
    return f"{count:,} {'entry' if count == 1 else 'entries'}"


def _tell_seal(made: Exported) -> None:
    seal = made.seal
    if seal is None:
        say(
            "  ! there is no seal: nothing in it shows that a history is complete (`tracechain seal make` first)",
            "warn",
        )
        return
    said = "" if made.absent else f": complete to {seal.size:,} entries"
    say(f"  by the seal in entry {made.seal_entry:,}{said}, as asserted by the ledger")
    for code in made.unsealed[:_LISTED]:
        say(f"  ! {human(code)} came after the seal: nothing shows that its history is complete", "warn")
    if len(made.unsealed) > _LISTED:
        say(f"  ! and {len(made.unsealed) - _LISTED:,} more came after the seal (--json)", "warn")


def _tell_check(path: Path) -> None:
    say(f"  check it: tracechain verify {plain(path)} --key VKEY", "dim")
