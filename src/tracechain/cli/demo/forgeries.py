"""The last act: bundles are tampered with on their way, and the operator forges a log with every key he has.

The stand-alone script finds each, as a regulator runs it. Bundles are taken apart here as any files are.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from tracechain.cli.demo.attacks import ARCHIVE, judge
from tracechain.cli.demo.folder import Folder
from tracechain.cli.demo.history import find
from tracechain.cli.demo.inspection import run_script
from tracechain.cli.demo.stage import Stage
from tracechain.demo import Day

if TYPE_CHECKING:
    from tracechain.signing import Signer

__all__ = ["FORGERIES", "Forgery", "forge"]

_MINUTE_MS = 60_000


@frozen
class Scene:
    """What a forger finds: a copy of a bundle as a folder at `copy`; the pack that the demo traces, and the entries in
    which it was sold (`sale`) and the recall was opened (`opened`). `old` is a sale of the month before."""

    folder: Folder
    copy: Path
    pack: str
    sale: int
    opened: int
    old: int


@frozen
class Forgery:
    """One of them: a name, the bundle, who does what, the finding that has to come first, and the deed."""

    name: str
    bundle: str
    who: str
    what: str
    code: str
    deed: Callable[[Scene], None]


def forge(stage: Stage, day: Day, forgeries: Sequence[Forgery] | None = None) -> None:
    """Copy a bundle, tamper with it, run the script; once for each, and then the operator's own log."""
    forgeries = FORGERIES if forgeries is None else forgeries
    folder = stage.folder
    found = 0
    stage.screen.say(
        "What somebody did to copies is checked likewise, with everything that she brought. Of whole logs that of the"
        " evening before is taken: it is small, and shows the same."
    )
    code = stage.run("export", folder.eve, folder.bundle("evening"), "--whole")
    clean = run_script(stage, folder.bundle("evening"), brought=False)
    stage.check("evening", code == clean.code == 0, "as it was exported it is clean")
    for one in forgeries:
        stage.screen.say(f"{one.who} {one.what}.")
        copy = folder.copies / one.name
        try:
            with stage.screen.waiting("a copy is made and tampered with"):
                _unpack(folder.bundle(one.bundle), copy)
                one.deed(_scene(folder, copy, day))
            handed = run_script(stage, copy)
        finally:
            folder.remove(copy)
        # What is said first counts: a regulator reads that.
        found += judge(stage, one.name, one.code, handed.findings[:1] if handed.code == 1 else ())
    found += _forked(stage, day)
    stage.screen.gap()
    stage.check("forging", found == len(forgeries) + 1, f"{found} of {len(forgeries) + 1} were refused")


def _unpack(bundle: Path, copy: Path) -> None:
    """A copy as a folder: also a zip that is a bundle may be handed on as one."""
    if bundle.is_dir():
        shutil.copytree(bundle, copy)
        return
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(copy)


def _scene(folder: Folder, copy: Path, day: Day) -> Scene:
    from tracechain.ledger import Ledger
    from tracechain.recall import recalls

    with Ledger.open(folder.ledger) as ledger, ledger.snapshot() as view:
        sale = find(view, day.story.traced, "retail_selling")
        opened = next(one for one in recalls(view) if one.id == day.recall.id).steps[0].index
        old = find(view, _breach(day), "retail_selling")
        return Scene(folder, copy, day.story.traced, sale, opened, old)


def _breach(day: Day) -> str:
    """The pack of last month's breach."""
    return next(one.subject for one in day.breaches if one.file == ARCHIVE)


# ---- on the way --------------------------------------------------------------------------------


def _content(scene: Scene) -> None:
    """The content of the sale is in a file of 256 contents, each behind its length."""
    from tracechain.bundle.names import TILE_WIDTH, Tile, contents_name

    size = int((scene.copy / "checkpoint").read_text("utf-8").split("\n")[1])
    number, place = divmod(scene.old, TILE_WIDTH)
    tile = Tile(0, number, min(TILE_WIDTH, size - number * TILE_WIDTH))
    path = scene.copy / contents_name(tile)
    data = bytearray(path.read_bytes())
    at = 0
    for _ in range(place):
        at += 4 + int.from_bytes(data[at : at + 4], "big")
    data[at + 3 + int.from_bytes(data[at : at + 4], "big")] ^= 1
    path.write_bytes(data)


def _without_sale(scene: Scene) -> None:
    from tracechain.bundle.names import entry_name, proof_name

    for name in (entry_name(scene.sale), proof_name(scene.sale)):
        (scene.copy / name).unlink()


def _earlier(scene: Scene) -> None:
    from tracechain.bundle.entryfile import EntryFile
    from tracechain.bundle.names import entry_name
    from tracechain.entry import format_header, parse_header

    path = scene.copy / entry_name(scene.opened)
    entry = EntryFile.decode(path.read_bytes())
    header = parse_header(entry.header)
    sooner = evolve(header, time=header.time - 30 * _MINUTE_MS)
    path.write_bytes(evolve(entry, header=format_header(sooner)).encode())


def _never_there(scene: Scene) -> None:
    """Of the codes before and behind it there are genuine proofs; between them is the pack."""
    from tracechain.ledger import Ledger
    from tracechain.ledger.seals import prover
    from tracechain.seals import Absence

    with Ledger.open(scene.folder.ledger) as ledger, ledger.snapshot() as view:
        _, by = prover(view)
        before = by.absence(scene.pack[:-1] + chr(ord(scene.pack[-1]) - 1)).before
        after = by.absence(scene.pack + "0").after
    proof = Absence(scene.pack, before, after).encode()
    (scene.copy / "seal" / "absent").write_bytes(len(proof).to_bytes(4, "big") + proof)


FORGERIES = (
    Forgery(
        "altered", "evening", "A clerk on the way", "alters one bit of a sale in the bundle of a whole log",
        "CONTENT_COMMITMENT", _content,
    ),
    Forgery(
        "left-out", "pack", "The warehouse", "takes the sale out of that pack's history, with its proof",
        "CHAIN_INCOMPLETE", _without_sale,
    ),
    Forgery(
        "earlier", "recall", "The enterprise", "wants to have opened the recall half an hour earlier", "PROOF", _earlier
    ),
    Forgery(
        "never-there", "absent", "The shop",
        "would rather never have had the pack, and shows genuine proofs of the codes on both sides of it", "ABSENCE",
        _never_there,
    ),
)  # fmt: skip


# ---- at the source -----------------------------------------------------------------------------


def _forked(stage: Stage, day: Day) -> bool:
    """The operator forges a log with all keys: nothing in it shows that, and what others kept does."""
    from tracechain.testing.tamper import duplicate, pardon

    folder, screen = stage.folder, stage.screen
    screen.say(
        "The operator, with every key, makes another log, in which last month's breach never was. All of it is signed"
        " anew, and he hands out a bundle of that. Who brings nothing but the ledger's key sees nothing wrong:"
    )
    copy, bundle = folder.copies / "other-log", folder.copies / "other-bundle"
    note = folder.inspection / "other.checkpoint"
    try:
        with screen.waiting("another log is made"):
            duplicate(folder.eve, copy)
            pardon(copy, _last(copy, _breach(day)), _log_key(folder))
        exported = stage.ask("export", copy, bundle, "--whole")[0]
        trusting = run_script(stage, bundle, brought=False)
        said = {} if trusting.said is None else trusting.said
        screen.verdict(
            trusting.code == 0, "every signature is right; only it says UNWITNESSED, for nobody else has seen this log"
        )
        screen.say("The inspector brings what she kept on Thursday:")
        handed = run_script(stage, bundle)
        note.write_text(stage.call(["checkpoint", str(copy)])[1], "utf-8")
        found = judge(stage, "forked", "FORK", handed.findings if handed.code == 1 else ())
        screen.say("And who has but two checkpoints, of two people, lays them side by side:")
        code = stage.run("compare", folder.kept, note, "--key", folder.vkey)
    finally:
        for one in (copy, bundle, copy.with_name(f"{copy.name}.anchor")):
            folder.remove(one)
    stage.check("compared", code == 1, "two logs under one name: both notes are evidence, for the operator signed both")
    return found and not exported and trusting.code == 0 and said.get("verdict") == "clean"


def _last(copy: Path, pack: str) -> int:
    from tracechain.ledger import Ledger

    with Ledger.open(copy) as ledger, ledger.snapshot() as view:
        unit = view.unit(pack)
        assert unit is not None, "the pack of the breach is not known"
        return unit.last


def _log_key(folder: Folder) -> Signer:
    from tracechain.signing import FileSigner

    return FileSigner.open(folder.keys / "log.pem", folder.passphrase.read_text("utf-8").split("\n")[0])
