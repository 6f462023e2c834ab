"""The pruned ledger is verified, by the demands of the verifier, too; then it is cheated with, and that is found.

The cheats are done to a small ledger that was pruned in the same way, the backup of the evening before the day; what
finds them is `tracechain verify`, as for everybody. Each cheat but the first two is signed with every key there is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from tracechain.cli.demo.attacks import judge
from tracechain.cli.demo.folder import Folder
from tracechain.cli.demo.later import ANNOUNCED, BACK, open_later
from tracechain.cli.demo.stage import Stage
from tracechain.demo import Day
from tracechain.demo.world import HOUR
from tracechain.record import Record

if TYPE_CHECKING:
    from tracechain.signing import Signer
    from tracechain.testing.tamper import Log
    from tracechain.testing.tamper.by_hand import ByHand

__all__ = ["CHEATS", "Cheat", "cheat", "verify_pruned"]

_DAY = 24 * HOUR
_WAIT = 30


# ---- verified ----------------------------------------------------------------------------------


def verify_pruned(stage: Stage, processes: int) -> None:
    """What is left stands, what is gone went lawfully; a verifier may demand more than the ledger's own policy."""
    folder, screen = stage.folder, stage.screen
    screen.say(
        "What an auditor has: headers, what is left, and the records of the pruning. Every hash is there, so every"
        " link can be followed; what is gone has to have gone lawfully."
    )
    screen.say("Who does not trust the ledger's own policy brings one of his own: here the pilot's table, as it came.")
    own = folder.later_files / "pilot.toml"
    own.write_text(_pilot(stage), "utf-8")
    words = ("verify", folder.later, "--key", folder.vkey, "--processes", str(processes))
    code = stage.run(*words, "--retention", own)
    stage.check("verify pruned", code == 0, "the pruned ledger is intact, and all that is gone went lawfully")
    screen.say("What was archived proves itself against the same headers, today and in twenty years.")
    code = stage.run("archive", "check", folder.pruned, "--key", folder.vkey, "--ledger", folder.later)
    stage.check("archive", code == 0, "every byte of the archive is what the log committed to")


def _pilot(stage: Stage) -> str:
    """The file of the pilot's table."""
    return stage.call(["retention", "template", "pilot"])[1]


# ---- cheated -----------------------------------------------------------------------------------


@frozen
class Scene:
    """What a cheat finds: the log as it stands, a writer with all keys, the content of an entry that went (`gone`, and
    `kept_aside`), an entry that a hold keeps (`held`), and one of the last weeks (`young`)."""

    log: Log
    hand: ByHand
    gone: int
    kept_aside: bytes
    held: int
    young: int


@frozen
class Cheat:
    """One of them: a name, who does what, the finding that has to come out, and the deed. `signed`: with all keys."""

    name: str
    who: str
    what: str
    code: str
    deed: Callable[[Scene], None]
    signed: bool = True


def cheat(stage: Stage, day: Day, cheats: Sequence[Cheat] | None = None) -> None:
    """Copy the small pruned ledger, cheat, verify; once for each."""
    from tracechain.testing.tamper import duplicate, resign

    cheats = CHEATS if cheats is None else cheats
    folder, screen = stage.folder, stage.screen
    screen.say("The evening before the day is pruned in the same way: it is small, and shows the same.")
    with screen.waiting("the copy of the evening before goes through the same eight years"):
        held = _prune_small(folder, day)
    code, said = stage.ask("verify", folder.small, "--key", folder.vkey, "--rules")
    stage.check(
        "small",
        code == 0 and bool((said or {}).get("pruned", {}).get("contents")),
        "lawfully pruned, too, and a replay comes to the same states",
    )
    screen.say("An auditor who demands ten years finds what went after eight; that is no cheat, but it is said.")
    strict = folder.later_files / "ten-years.toml"
    strict.write_text(_pilot(stage).replace('"5 years"', '"10 years"'), "utf-8")
    code, said = stage.ask("verify", folder.small, "--key", folder.vkey, "--retention", strict)
    codes = {one["code"] for one in (said or {}).get("findings", ())}
    stage.check("stricter retention", code == 1 and codes == {"PRUNE_EARLY"}, "PRUNE_EARLY, and nothing else")
    author, log_key = (_key(folder, name) for name in ("author", "log"))
    found = 0
    for one in cheats:
        screen.say(f"{one.who} {one.what}.")
        copy = folder.copies / one.name
        try:
            duplicate(folder.small, copy)
            _do(folder, copy, one, author, held)
            if one.signed:
                resign(copy, log_key)
            code, said = stage.ask("verify", copy, "--key", folder.vkey)
        finally:
            folder.remove(copy)
            folder.remove(copy.with_name(f"{copy.name}.anchor"))
        found += judge(stage, one.name, one.code, said["findings"] if code == 1 and said is not None else ())
    screen.gap()
    stage.check("cheating", found == len(cheats), f"{found} of {len(cheats)} were found and named")


def _key(folder: Folder, name: str) -> Signer:
    from tracechain.signing import FileSigner

    return FileSigner.open(folder.keys / f"{name}.pem", folder.passphrase.read_text("utf-8").split("\n")[0])


def _prune_small(folder: Folder, day: Day) -> str:
    """Take the evening before through the same eight years; the pack that is held."""
    from tracechain.registers import HoldStep
    from tracechain.retention.dates import shanghai_day
    from tracechain.retention.plan import plan
    from tracechain.rules import shanghai_day as date_of
    from tracechain.testing.tamper import duplicate

    duplicate(folder.eve, folder.small)
    held = next(one.subject for one in day.breaches if one.file == "05-earlier.csv")
    with open_later(folder, folder.small) as later:
        ledger = later.ledger

        def weeks(start: int) -> None:
            for number in range(32):
                later.now = start + number * _DAY
                ledger.append([Record("note", ("a day goes by",))])

        later.now = BACK
        step = HoldStep(
            id="H-2034-001", phase="placed", on=date_of(BACK), by="legal department", authority="a court",
            reason="a lawsuit", about=(held,),
        )  # fmt: skip
        ledger.register(step)
        weeks(BACK + HOUR)
        with ledger.snapshot() as snapshot:
            made = plan(snapshot, as_of=shanghai_day(later.now // 1_000_000))
        ledger.announce(made, name="all-due", reason="eight years old")
        weeks(ANNOUNCED + 2 * _DAY)
        ledger.prune("all-due")
    return held


def _do(folder: Folder, copy: Path, one: Cheat, author: Signer, held: str) -> None:
    """Alter a copy."""
    from tracechain.entry import EntryType
    from tracechain.testing.tamper import edit, read
    from tracechain.testing.tamper.by_hand import ByHand

    before = read(folder.eve)
    with edit(copy) as log:
        events = [index for index in range(len(log)) if log.header(index).type == EntryType.EVENT]
        gone = next(index for index in events if log.contents[index] is None)
        under = next(index for index in events if any(row.subject == held for row in log.row_list(index)[1]))
        aside = before.contents[gone]
        assert aside is not None, "the backup has it"
        one.deed(Scene(log, ByHand(log, author), gone, aside, under, events[-1]))


# ---- the deeds ---------------------------------------------------------------------------------


def _missing(scene: Scene) -> None:
    scene.log.contents[scene.held] = None


def _put_back(scene: Scene) -> None:
    scene.log.contents[scene.gone] = scene.kept_aside


def _pruned(scene: Scene, index: int, days: int = _WAIT + 1) -> None:
    """Announced, waited, done, and all of it signed."""
    intent = scene.hand.announce("more", (index,), wait_days=_WAIT)
    scene.hand.days(days)
    scene.hand.done(intent, "more", (index,))


def _held(scene: Scene) -> None:
    _pruned(scene, scene.held)


def _soon(scene: Scene) -> None:
    _pruned(scene, scene.held, days=1)


def _loosened(scene: Scene) -> None:
    from tracechain.retention.tables import pilot_policy

    scene.hand.batch([pilot_policy(wait_days=1).record()])
    intent = scene.hand.announce("more", (scene.held,), wait_days=1)
    scene.hand.days(2)
    scene.hand.done(intent, "more", (scene.held,))


CHEATS = (
    Cheat(
        "vanished",
        "A clerk with the disk",
        "deletes the content of the parcel that the court asks about",
        "CONTENT_MISSING",
        _missing,
        signed=False,
    ),
    Cheat(
        "kept-aside",
        "An operator who said that it was gone",
        "has kept a content aside, and puts it back",
        "PRUNE_KEPT",
        _put_back,
        signed=False,
    ),
    Cheat(
        "under-hold",
        "The operator, with every key,",
        "prunes what the court holds, announced and waited for",
        "PRUNE_HELD",
        _held,
    ),
    Cheat(
        "too-soon",
        "The same",
        "is in a hurry, and does it the day after it was announced",
        "PRUNE_WAIT",
        _soon,
    ),
    Cheat(
        "other-policy",
        "The same",
        "puts a policy in force that has hardly any waiting time, and goes by it at once",
        "PRUNE_POLICY",
        _loosened,
    ),
)
