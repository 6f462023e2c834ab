"""Five people tamper with copies of the ledger, each with more power than the one before.

What they do is made of `tracechain.testing.tamper`; what finds them is `tracechain verify`, as for everybody. All but
the first work on the ledger as it stood on the evening before: it is small, and shows the same.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from tracechain.cli.demo.folder import Folder
from tracechain.cli.demo.history import find
from tracechain.cli.demo.stage import Stage
from tracechain.demo import Day
from tracechain.ledger import anchor_path

__all__ = ["ATTACKS", "Attack", "Scene", "attack"]


@frozen
class Scene:
    """What an attacker finds: a copy of the ledger at `copy`, and in it, at `sale`, the entry of a sale. `pack` is
    what was sold, and `last` its latest entry, which broke a rule where the copy is that of the evening before."""

    folder: Folder
    copy: Path
    pack: str
    sale: int
    last: int

    def later(self, part: bytes) -> bytes:
        """The content of the sale with an expiry a year later."""
        changed, count = EXPIRY.subn(lambda found: b"%d" % (int(found[1]) + 1) + found[2], part)
        assert count == 1, "the record of the sale names no expiry"
        return changed


@frozen
class Attack:
    """One tampering: a name, who does what in words, the finding that has to come out, and the deed.

    `whole`: on a copy of the whole ledger. `quiet`: plain `verify` finds nothing, and only `verify --rules` does.
    """

    name: str
    who: str
    what: str
    code: str
    deed: Callable[[Scene], None]
    whole: bool = False
    quiet: bool = False


EXPIRY = re.compile(rb"(20[0-9]{2})(-[0-9]{2}-[0-9]{2})")
#: Where the breach stands that the operator would like to forget.
ARCHIVE = "05-earlier.csv"


def attack(stage: Stage, day: Day, processes: int, attacks: Sequence[Attack] | None = None) -> None:
    """Copy, tamper, verify; once for each attack."""
    attacks = ATTACKS if attacks is None else attacks
    found = 0
    for one in attacks:
        stage.screen.say(f"{one.who} {one.what}.")
        found += judge(stage, one.name, one.code, _tamper_and_verify(stage, one, day, processes))
        if one.whole:
            stage.screen.say("The others have a copy of the evening before: it is small, and shows the same.")
    stage.screen.gap()
    stage.check("tampering", found == len(attacks), f"{found} of {len(attacks)} were found and named")


def judge(stage: Stage, name: str, code: str, findings: Sequence[dict[str, Any]]) -> bool:
    """Whether a tampering was found by its code; says so, and notes it."""
    hit = next((f for f in findings if f["code"] == code), None)
    if hit is None:
        stage.screen.verdict(False, f"{code} was not found")
    else:
        where = "" if hit["index"] is None else f" at entry {hit['index']:,}"
        stage.screen.verdict(True, str(hit["detail"]), f"{code}{where}:")
    codes = list(dict.fromkeys(f["code"] for f in findings))
    stage.outcome.tamperings.append({"name": name, "expected": code, "found": hit is not None, "codes": codes})
    return hit is not None


def _tamper_and_verify(stage: Stage, one: Attack, day: Day, processes: int) -> list[dict[str, Any]]:
    """The findings of `tracechain verify` on a copy that was tampered with; none where it did not say 1."""
    from tracechain.testing.tamper import duplicate

    folder = stage.folder
    copy = folder.copies / one.name
    pack = day.story.traced if one.whole else next(b.subject for b in day.breaches if b.file == ARCHIVE)
    try:
        with stage.screen.waiting("a copy is made and tampered with"):
            duplicate(folder.ledger if one.whole else folder.eve, copy)
            one.deed(_scene(folder, copy, pack))
        words: list[str | Path] = ["verify", copy, "--key", folder.vkey]
        code, said = stage.ask(*words, *(("--processes", str(processes)) if one.whole else ()))
        if one.quiet:
            if code:
                stage.screen.verdict(False, "plain verify objects: it should have no reason to")
                return []
            stage.screen.verdict(True, "every hash, link and signature stands: verify finds nothing. Judged again:")
            code, said = stage.ask(*words, "--rules")
    finally:
        folder.remove(copy)
        folder.remove(copy.with_name(f"{copy.name}.anchor"))
    return said["findings"] if code == 1 and said is not None else []


def _scene(folder: Folder, copy: Path, pack: str) -> Scene:
    from tracechain.ledger import Ledger

    with Ledger.open(copy) as ledger, ledger.snapshot() as view:
        unit = view.unit(pack)
        assert unit is not None, "the pack that was sold is not known"
        return Scene(folder, copy, pack, find(view, pack, "retail_selling"), unit.last)


# ---- the deeds ---------------------------------------------------------------------------------


def _log_key(scene: Scene) -> Any:
    from tracechain.signing import FileSigner

    passphrase = scene.folder.passphrase.read_text("utf-8").split("\n")[0]
    return FileSigner.open(scene.folder.keys / "log.pem", passphrase)


def _later_expiry(scene: Scene) -> None:
    from tracechain.store.tables import CONTENTS, key_of
    from tracechain.testing.tamper import database

    with database(scene.copy) as (env, txn):
        part = bytes(txn.get(key_of(scene.sale), db=env.tables[CONTENTS]))
        txn.put(key_of(scene.sale), scene.later(part), db=env.tables[CONTENTS])


def _deleted(scene: Scene) -> None:
    from tracechain.store.tables import CONTENTS, HEADERS, ROWS, key_of
    from tracechain.testing.tamper import database

    with database(scene.copy) as (env, txn):
        for table in (HEADERS, CONTENTS, ROWS):
            txn.delete(key_of(scene.sale), db=env.tables[table])


def _put_back(scene: Scene) -> None:
    # The copy is the backup already; the anchor beside it is now that of the ledger, of the night.
    shutil.copyfile(scene.folder.anchor, anchor_path(scene.copy))


def _resealed(scene: Scene) -> None:
    from tracechain.testing.tamper import edit, reseal, resign

    with edit(scene.copy) as log:
        part = log.contents[scene.sale]
        assert part is not None
        log.contents[scene.sale] = scene.later(part)
    reseal(scene.copy)
    resign(scene.copy, _log_key(scene))


def _pardoned(scene: Scene) -> None:
    from tracechain.testing.tamper import pardon

    pardon(scene.copy, scene.last, _log_key(scene))


ATTACKS = (
    Attack(
        "later-expiry",
        "A clerk with the disk",
        "makes a sold pack's expiry a year later",
        "CONTENT_COMMITMENT",
        _later_expiry,
        whole=True,
    ),
    Attack("deleted", "A thief with the disk", "deletes a sale of last month", "ENTRY_MISSING", _deleted),
    Attack(
        "backup-again",
        "A careless admin",
        "puts that copy in the ledger's place, so the day is gone",
        "ROLLBACK",
        _put_back,
    ),
    Attack(
        "insider",
        "An insider with the log key",
        "alters that sale, makes every hash fit and signs it all anew",
        "STATEMENT_ROOT",
        _resealed,
    ),
    Attack(
        "pardon",
        "The operator, with every key,",
        "lets a broken rule of last month vanish and signs it all anew",
        "ROW_VIOLATIONS",
        _pardoned,
        quiet=True,
    ),
)
