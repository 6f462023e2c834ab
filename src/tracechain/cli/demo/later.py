"""Eight years later, on a copy of the ledger: what is due is planned, announced, archived and pruned, and persons are
forgotten. What is held stays."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from attrs import define

from tracechain.cli.demo.folder import Folder
from tracechain.cli.demo.stage import Stage
from tracechain.demo import Buyer, Day, later_cases
from tracechain.demo.rows import Happening, format_csv
from tracechain.demo.world import HOUR, MINUTE, STORAGE, moment
from tracechain.formats.scans import iter_csv

__all__ = [
    "ANNOUNCED",
    "APPLIED",
    "BACK",
    "Later",
    "announce",
    "eight_years_on",
    "forget",
    "open_later",
    "prune",
    "searched",
]

#: The pruning.
NAME = "2034-q4"
#: When the clock is moved on, when what is due is announced, and when it may go.
BACK, ANNOUNCED, APPLIED = moment("2034-11-21 09:00"), moment("2034-12-22 18:00"), moment("2035-01-22 18:00")
HELD, HELD_LATER = "H-2034-001", "H-2034-002"
COURT = "Beijing Internet Court"
#: The case that nobody closed.
OPEN_CASE = "P-2026-001"
_DAY = 24 * HOUR


# ---- eight years on ----------------------------------------------------------------------------


def eight_years_on(stage: Stage, day: Day) -> None:
    """A copy goes on in 2034: cases and the recall are closed, a court places a hold, stock is taken every day."""
    folder, screen = stage.folder, stage.screen
    screen.say("What follows is done to a copy, so that the ledger of the day stays as it is.")
    code = stage.run("backup", folder.ledger, folder.later)
    # A backup has no anchor of its own: this copy goes on as the ledger that it is.
    shutil.copyfile(folder.anchor, folder.later_anchor)
    first = day.buyers[0]
    known = [value for buyer in day.buyers for value in buyer.known]
    found = searched(folder.later, known)
    stage.check(
        "copy", code == 0 and all(found.values()), f"{len(known)} names, numbers and addresses are in its files"
    )
    _grep(stage, first.phone, found[first.phone])
    stage.at(BACK)
    _close(stage, day)
    screen.say(f"One buyer is in court over a parcel of that Friday: {day.buyers[1].order} must not be touched.")
    code = _hold(stage, HELD, day.buyers[1])
    stage.check("hold", code == 0, "placed by a court, and a record like any other")
    code = stage.run("hold", "list", folder.later)
    _, said = stage.value(["hold", "list", str(folder.later)])
    stand = {one["id"] for one in (said or {}).get("holds", ())}
    stage.check("holds", code == 0 and stand == {HELD, OPEN_CASE}, "an open case is a hold by itself")
    screen.say(
        "A policy has to have stood for its waiting time before anything goes by it, and of a gap in the log two days"
        " count: who sets a clock forward gains nothing. So a month goes by, in which stock is taken every day."
    )
    _take_stock(stage, day, BACK + 8 * HOUR, 32)


def _close(stage: Stage, day: Day) -> None:
    """The recall and the cases that are over, but one."""
    folder = stage.folder
    stage.screen.say(
        "The clock goes on by eight years. Somebody tidies up: the recall is closed, and the cases that are over, but"
        " for one."
    )
    told = day.recall
    code = stage.run(
        "recall", "close", folder.later, told.id, "--by", told.by, "--reason", "all of the lot has expired",
        "--open-reason", "thrown away by those who had them", *stage.keys,
    )  # fmt: skip
    folder.later_files.mkdir()
    path = folder.later_files / "cases.json"
    path.write_bytes(later_cases())
    also = stage.run("register", folder.later, "case", path, *stage.keys)
    stage.check("closed", code == also == 0, "what is closed holds nothing any more")


def _hold(stage: Stage, ident: str, buyer: Buyer) -> int:
    return stage.run(
        "hold", "add", stage.folder.later, buyer.pack, "--id", ident, "--authority", COURT, "--reason",
        f"action over order {buyer.order}", "--by", "legal department", *stage.keys,
    )  # fmt: skip


@define
class Later:
    """A ledger that is open for writing, and what time it is (nanoseconds since 1970 UTC)."""

    ledger: Any = None
    now: int = 0


@contextmanager
def open_later(folder: Folder, path: Path) -> Iterator[Later]:
    """Open a copy with the demo's keys, by a clock that is moved on by who uses it."""
    from tracechain.ledger import Ledger
    from tracechain.signing import FileSigner

    secret = folder.passphrase.read_text("utf-8").split("\n")[0]
    log, author = (FileSigner.open(folder.keys / f"{name}.pem", secret) for name in ("log", "author"))
    later = Later()
    with Ledger.open(path, signer=log, author=author, clock=lambda: later.now // 1_000_000) as later.ledger:
        yield later


def _take_stock(stage: Stage, day: Day, start: int, days: int) -> None:
    """A scanner that is connected all the time counts one pack at the same hour of every day."""
    with open_later(stage.folder, stage.folder.later) as later:
        for number in range(days):
            time = start + number * _DAY
            later.now = time + 2 * MINUTE
            rows = format_csv([Happening(time, "stocktake", (day.shelved.matrix,), place=STORAGE)])
            later.ledger.append(iter_csv(BytesIO(rows.encode()), "stocktake"))
    stage.at(later.now)
    stage.screen.note(f"{days} stocktakes of {day.shelved.human}")


# ---- planned and announced -----------------------------------------------------------------------


def announce(stage: Stage) -> None:
    """What would go and why the rest stays; archived, announced, and not yet done."""
    folder, screen = stage.folder, stage.screen
    stage.at(ANNOUNCED)
    screen.say("What may go, and why everything else stays? Nothing is written by `retention`.")
    code = stage.run("retention", folder.later)
    screen.say("It is announced: the log says exactly what will go. Before, it is archived, in one signed file.")
    also, said = stage.ask(
        "prune", folder.later, "--announce", NAME, "--reason", "eight years old", "--archive", folder.pruned,
        *stage.keys,
    )  # fmt: skip
    plan: dict[str, Any] = said or {"reasons": [], "size": -1, "content_count": 0, "entry": 0, "archive": None}
    screen.note(f"entry {plan['entry']:,}; archived in {folder.pruned}, {_length(folder.pruned) / 1e6:.1f} MB")
    screen.gap()
    counted = sum(one["count"] for one in plan["reasons"] if one["part"] == "content")
    stage.check(
        "plan", code == 0 and counted == plan["size"], f"each of {counted:,} contents stays or goes, for one reason"
    )
    held = {one["reason"] for one in plan["reasons"] if one["verdict"] == "keep"}
    stage.check(
        "plan of holds",
        all(any(ident in reason for reason in held) for ident in (HELD, OPEN_CASE)),
        "what the court holds stays, and what the open case is about",
    )
    announced = _pruning(stage)
    stage.check(
        "announced",
        also == 0 and announced.get("contents") == plan["content_count"] and bool(announced.get("archive")),
        f"{plan['content_count']:,} contents will go, not before 30 days are over",
    )
    size = stage.call(["checkpoint", str(folder.later)])[1]
    screen.say("Somebody is in a hurry.")
    code = stage.run("prune", folder.later, "--apply", NAME, *stage.keys)
    same = size == stage.call(["checkpoint", str(folder.later)])[1]
    stage.check("too early", code == 2 and same, "nothing went, nothing was written")


def _length(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _pruning(stage: Stage) -> dict[str, Any]:
    """What the log says of the pruning."""
    _, said = stage.value(["prune", str(stage.folder.later), "--list"])
    found = [one for one in (said or {}).get("prunings", ()) if one["name"] == NAME]
    return found[0] if len(found) == 1 else {}


# ---- pruned --------------------------------------------------------------------------------------


def prune(stage: Stage, day: Day) -> None:
    """A month of stocktakes, a hold that comes meanwhile, and what was announced is done."""
    folder, screen = stage.folder, stage.screen
    screen.say("A month goes by, in which anybody can object. Somebody does: the court holds another order.")
    _take_stock(stage, day, ANNOUNCED + HOUR, 16)
    code = _hold(stage, HELD_LATER, day.buyers[2])
    stage.check("hold after the announcement", code == 0, "announced is not gone")
    _take_stock(stage, day, ANNOUNCED + 17 * _DAY, 14)
    stage.at(APPLIED)
    code = stage.run("prune", folder.later, "--list")
    stage.check("waited", code == 0 and bool(_pruning(stage).get("ready")), "the waiting time is over")
    before = _size(folder.later)
    code = stage.run("prune", folder.later, "--apply", NAME, *stage.keys)
    done = _pruning(stage)
    gone, kept = done.get("done_contents") or 0, done.get("contents", 0) - (done.get("done_contents") or 0)
    stage.check("pruned", code == 0 and gone > 0 and kept > 0, f"{gone:,} contents are gone, {kept:,} stay under hold")
    after = _size(folder.later)
    stage.outcome.figures |= {"pruned_contents": gone, "bytes_before": before, "bytes_after": after}
    stage.check("smaller", after < before, f"the files have {after / 1e6:.1f} MB, and had {before / 1e6:.1f}")


def _size(path: Path) -> int:
    return sum(one.stat().st_size for one in path.rglob("*") if one.is_file())


# ---- persons -------------------------------------------------------------------------------------


def forget(stage: Stage, day: Day) -> None:
    """What is due of persons is erased; no file has it any more."""
    folder, screen = stage.folder, stage.screen
    screen.say("Now the persons. What is due of them goes from the vault; what a hold covers is kept, and withheld.")
    words = ["subject", "erase", str(folder.later), "--due"]
    _, planned = stage.value(words)
    code = stage.run(*words, "--apply", "--ground", "the time of these records is over", "--by", "privacy desk",
                     *stage.keys)  # fmt: skip
    verdicts = {one["key"]: one["verdict"] for one in (planned or {}).get("values", ())}
    erased = [value for key, value in _keys(day.buyers) if verdicts.get(key) == "erase"]
    kept = [value for key, value in _keys(day.buyers) if verdicts.get(key) != "erase"]
    held = [value for buyer in day.buyers[1:3] for value in buyer.known]
    stage.check(
        "erased",
        code == 0 and bool(erased) and set(held) <= set(kept),
        f"{len(erased)} values of persons are erased, {len(kept)} are under hold",
    )
    folder.erased.write_text("".join(f"{value}\n" for value in erased), "utf-8")
    search(stage, day, erased, kept)
    held_buyer = day.buyers[1]
    screen.say("The order that the court holds is there, with its buyer. Who shows the values has to state a ground.")
    code = stage.run("subject", "show", folder.later, held_buyer.token.hex())
    _, said = stage.value(["subject", "show", str(folder.later), held_buyer.token.hex()])
    private = [one for event in (said or {}).get("events", ()) for one in event["private"]]
    stage.check(
        "withheld",
        code == 0 and bool(private) and all(one["value"] is None for one in private),
        "kept for the court, and shown to nobody else",
    )


def search(stage: Stage, day: Day, erased: Sequence[str], kept: Sequence[str]) -> None:
    """What was erased is in no file of the ledger, what was kept still is."""
    folder = stage.folder
    stage.screen.say("Is it really gone? Every byte of every file of the ledger is searched.")
    found = searched(folder.later, (*erased, *kept))
    for buyer in [buyer for buyer in day.buyers if buyer.phone in erased][:1]:
        _grep(stage, buyer.phone, found[buyer.phone])
    stage.check(
        "gone",
        bool(erased) and not any(found[value] for value in erased) and all(found[value] for value in kept),
        f"none of the {len(erased)} values in {folder.erased} is in any file of it",
    )


def _keys(buyers: Iterable[Buyer]) -> Iterable[tuple[str, str]]:
    """(token or commitment, value) of all that is known of the buyers."""
    for buyer in buyers:
        yield buyer.token.hex(), buyer.name
        for value in buyer.values:
            assert isinstance(value.value, str)
            yield value.commitment.hex(), value.value


def _grep(stage: Stage, text: str, found: Sequence[Path]) -> None:
    """Show where a text stands, as grep would."""
    stage.command(f"grep -rlF '{text}' {stage.folder.later}")
    for path in found:
        stage.screen.note(str(path))
    if not found:
        stage.screen.note("(nothing)")


def searched(path: Path, texts: Iterable[str]) -> dict[str, list[Path]]:
    """For each text the files below a folder in whose bytes it stands."""
    found: dict[str, list[Path]] = {text: [] for text in texts}
    for one in sorted(path.rglob("*")):
        if one.is_file():
            data = one.read_bytes()
            for text, places in found.items():
                if text.encode() in data:
                    places.append(one)
    return found
