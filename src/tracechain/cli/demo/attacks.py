"""The last act: four people tamper with copies of the ledger, each with more power than the one before.

What they do is made of `tracechain.testing.tamper`; what finds them is `tracechain verify`, as for everybody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from tracechain.cli.demo.folder import Folder
from tracechain.cli.demo.stage import Stage

__all__ = ["ATTACKS", "Attack", "Scene", "attack"]


@frozen
class Scene:
    """What an attacker finds: a copy of the ledger at `copy`, and in it, at `sale`, the entry of a sale."""

    folder: Folder
    copy: Path
    sale: int
    expiry: str

    def later(self, part: bytes) -> bytes:
        """The content of the sale with an expiry a year later."""
        assert self.expiry.encode() in part, "the record of the sale names no expiry"
        return part.replace(self.expiry.encode(), f"{int(self.expiry[:4]) + 1}{self.expiry[4:]}".encode())


@frozen
class Attack:
    """One tampering: a name, who does what in words, the finding that has to come out, and the deed."""

    name: str
    who: str
    what: str
    code: str
    deed: Callable[[Scene], None]


def attack(stage: Stage, sale: int, expiry: str, processes: int, attacks: Sequence[Attack] | None = None) -> None:
    """Copy, tamper, verify; once for each attack. `sale` is the entry of a sale, `expiry` the day that stands in it."""
    attacks = ATTACKS if attacks is None else attacks
    found = 0
    for one in attacks:
        stage.screen.say(f"{one.who} {one.what}.")
        findings = _tamper_and_verify(stage, one, sale, expiry, processes)
        hit = next((f for f in findings if f["code"] == one.code), None)
        found += hit is not None
        if hit is None:
            stage.screen.verdict(False, f"{one.code} was not found")
        else:
            where = "" if hit["index"] is None else f" at entry {hit['index']:,}"
            stage.screen.verdict(True, str(hit["detail"]), f"{one.code}{where}:")
        stage.outcome.tamperings.append(
            {
                "name": one.name,
                "expected": one.code,
                "found": hit is not None,
                "codes": list(dict.fromkeys(f["code"] for f in findings)),
            }
        )
    stage.screen.gap()
    stage.check("tampering", found == len(attacks), f"{found} of {len(attacks)} were found and named")


def _tamper_and_verify(stage: Stage, one: Attack, sale: int, expiry: str, processes: int) -> list[dict[str, Any]]:
    """The findings of `tracechain verify` on a copy that was tampered with; none where it did not say 1."""
    from tracechain.testing.tamper import duplicate

    folder = stage.folder
    copy = folder.copies / one.name
    try:
        with stage.screen.waiting("a copy is made and tampered with"):
            duplicate(folder.ledger, copy)
            one.deed(Scene(folder, copy, sale, expiry))
        code, said = stage.ask("verify", copy, "--key", folder.vkey, "--processes", str(processes))
    finally:
        folder.remove(copy)
        folder.remove(copy.with_name(f"{copy.name}.anchor"))
    return said["findings"] if code == 1 and said is not None else []


# ---- the deeds ---------------------------------------------------------------------------------


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


def _noon(scene: Scene) -> None:
    from tracechain.testing.tamper import put_back

    put_back(scene.copy, scene.folder.noon)


def _resealed(scene: Scene) -> None:
    from tracechain.signing import FileSigner
    from tracechain.testing.tamper import edit, put_back, reseal, resign

    # On what is there at noon: a third of the day shows it as well, and does not take half a minute.
    put_back(scene.copy, scene.folder.noon)
    with edit(scene.copy) as log:
        part = log.contents[scene.sale]
        assert part is not None
        log.contents[scene.sale] = scene.later(part)
    reseal(scene.copy)
    passphrase = scene.folder.passphrase.read_text("utf-8").split("\n")[0]
    resign(scene.copy, FileSigner.open(scene.folder.keys / "log.pem", passphrase))


ATTACKS = (
    Attack(
        "later-expiry",
        "A clerk with the disk",
        "makes a sold pack's expiry a year later",
        "CONTENT_COMMITMENT",
        _later_expiry,
    ),
    Attack("deleted", "A thief with the disk", "deletes the sale", "ENTRY_MISSING", _deleted),
    Attack("noon-again", "A careless admin", "puts the noon backup back, so the afternoon is gone", "ROLLBACK", _noon),
    Attack(
        "insider",
        "An insider with the log key",
        "alters the sale at noon, makes every hash fit and signs it all anew",
        "STATEMENT_ROOT",
        _resealed,
    ),
)
