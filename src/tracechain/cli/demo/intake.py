"""The first acts: the day as files, a ledger, the registers, and a lawful day that goes in as it happens."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path

from tracechain.cli.demo.folder import real_documents
from tracechain.cli.demo.stage import Stage
from tracechain.demo import MAKERS, PRODUCTS, Day, DayFile, RegisterFile, Registry, make_day, make_registry, vault_file
from tracechain.ledger import anchor_path

__all__ = [
    "ORIGIN",
    "PHASES",
    "ingest",
    "ingest_morning",
    "make_files",
    "make_ledger",
    "open_registers",
    "register",
    "take",
    "take_returns",
]

ORIGIN = "tianzhu-warehouse.example/demo"
#: Whoever goes on with the demo's ledger may do so years later.
JUMP_DAYS = 36_500

#: The table of the day: what is told together.
PHASES = (
    ("made, packed", ("commission", "pack"), "makers"),
    ("sent, arrived", ("ship", "sensor", "arrive", "receive"), "makers, dock"),
    ("unpacked", ("unpack",), "dock, storage hall"),
    ("booked in under bond", ("bond_in",), "storage hall"),
    ("stock taken, held", ("stocktake", "hold"), "storage hall"),
    ("ordered, paid", ("order", "payment", "cancel"), "platform"),
    ("cleared", ("clear",), "customs"),
    ("sold", ("sell",), "shops"),
    ("delivered, picked up", ("deliver", "transfer_store", "pickup"), "couriers, stores"),
    ("returned, inspected", ("apply_return", "return_in", "verify", "verify_failed", "release"), "returns desk"),
    ("work under bond", ("export", "export_return", "repair", "relabel"), "workshop"),
    ("out of the books", ("destroy", "decommission", "steal", "recall"), "storage hall"),
)

MINUTE = 60_000_000_000


# ---- the files ---------------------------------------------------------------------------------


def make_files(stage: Stage, scale: float) -> tuple[Day, Registry]:
    """Make up the day and its registers, as files."""
    folder = stage.folder
    with stage.screen.waiting("making up the day"):
        day = make_day(scale)
        registry = make_registry(day)
    for file in day.files:
        (folder.scans / file.name).write_bytes(file.data)
    for station in day.stations:
        for file in station.files:
            (folder.scans / file.name).write_bytes(file.data)
    for record in registry.files:
        (folder.registers / record.name).write_bytes(record.data)
    stage.screen.say(
        f"{len(MAKERS)} makers sell {len(PRODUCTS)} products through the platform: {day.lots} lots,"
        f" {day.packs:,} packs, each with a code of its own. 20 November 2026, and some days before:"
    )
    rows = []
    for name, steps, who in PHASES:
        counts = [day.steps[step] for step in steps if step in day.steps]
        figures = (sum(c.events for c in counts), sum(c.scans for c in counts), sum(c.single for c in counts))
        rows.append((name, *(f"{n:,}" if n else "" for n in figures), who))
    rows.append(("all", f"{day.events:,}", f"{day.scans:,}", f"{day.single:,}", ""))
    stage.screen.table(
        (("", "left"), ("events", "right"), ("packs named", "right"), ("of one pack", "right"), ("by", "left")),
        rows,
        total=1,
    )
    files = list(folder.scans.iterdir())
    size = sum(one.stat().st_size for one in files)
    stage.screen.say(
        f"{len(files)} files, {size / 1e6:.0f} MB, in {folder.scans}: EPCIS 2.0 JSON, CSV, JSON Lines."
        f" Registers in {folder.registers}: JSON."
    )
    stage.outcome.figures |= {
        "packs": day.packs,
        "day_events": day.events,
        "unit_events": day.scans,
        "single_unit_events": day.single,
    }
    return day, registry


# ---- the ledger --------------------------------------------------------------------------------


def make_ledger(stage: Stage, registry: Registry) -> None:
    """A ledger with its keys; documents of others go in before any rules are in force."""
    folder = stage.folder
    folder.keys.mkdir(mode=0o700)
    folder.passphrase.write_text(
        f"{secrets.token_urlsafe(18)}\nDemo only: a real passphrase never lies here.\n", "utf-8"
    )
    opened = registry.files[0].received
    stage.at(opened - 30 * MINUTE)
    stage.screen.say(
        "Three keys: the log's, the organisation's root, and the author key of this process. Later commands are given"
        " --keys and --passphrase-file as well; they are left out here. The clock is that of the story, in Beijing;"
        " the jump limit lets you go on by your own clock, years later."
    )
    code = stage.run("init", folder.ledger, "--origin", ORIGIN, "--jump-limit", str(JUMP_DAYS), *stage.keys)
    stage.check(
        "init", code == 0 and folder.vkey.is_file(), f"the ledger is made; its verifier key is in {folder.vkey}"
    )
    stage.screen.say(
        "How long everything is kept: the table of the pilot (S1 VII), and that of personal data. From now on the"
        " header of each event says until when it stays."
    )
    stage.at(opened - 25 * MINUTE)
    code = stage.run("retention", "set", folder.ledger, "pilot", *stage.keys)
    stage.check("retention", code == 0, "a policy is in force, and whoever checks the ledger works the days out again")
    stage.at(opened - 20 * MINUTE)
    _take_real(stage)


def _take_real(stage: Stage) -> None:
    """Documents that others wrote: copied to scans/real, so that scans/ holds all that was ingested."""
    documents = list(real_documents())
    if not documents:
        stage.screen.say("No real EPCIS documents here (../shared/epcis is absent): left out.")
        return
    stage.screen.say(
        "Real documents: the examples of GS1 and OpenEPCIS, all five kinds of events, sensor data. They have nothing to"
        " do with Beijing, so they go in before its rules are in force."
    )
    target = stage.folder.scans / "real"
    target.mkdir()
    files = []
    for number, document in enumerate(documents):
        if document.fault:
            stage.screen.note(f"left out: {document.fault}")
            continue
        path = target / f"{number:02}-{Path(document.name).name}"
        shutil.copyfile(document.path, path)
        files.append(path)
    code, said = stage.ask("ingest", stage.folder.ledger, *stage.keys, more=files, shown=f"{target}/*")
    taken = 0 if said is None else said["events"]
    # Two of the documents may be the same file under two names: that one is taken once.
    twice = [] if said is None else [one for one in said["files"] if one["status"] == "already_ingested"]
    stage.outcome.figures["real_events"] = taken
    stage.check(
        "real documents",
        code == 0
        and bool(taken)
        and len(files) == len(twice) + sum(one["status"] == "ingested" for one in said["files"]),
        f"{len(files)} real documents, {taken} events" + (f" ({len(twice)} the same as another)" if twice else ""),
    )


# ---- the registers -----------------------------------------------------------------------------


def open_registers(stage: Stage, registry: Registry) -> None:
    """The rules of the pilot, and what they are judged by: parties, places, scope list, products."""
    first, *others = [file for file in registry.files if file.part == "opening"]
    stage.at(first.received)
    stage.screen.say(
        "The profile holds limits, days and lists of the Beijing pilot. From this record on, whatever breaks one of"
        " its rules is kept with the name of that rule."
    )
    code = stage.run("register", stage.folder.ledger, first.kind, stage.folder.registers / first.name, *stage.keys)
    stage.screen.say(
        "And what the rules go by. Each is a record in the log, with an author and versions; nothing is overwritten."
    )
    written = [register(stage, file, together=file is not others[0]) for file in others]
    expected = [file.records for file in others]
    stage.check(
        "registers",
        code == 0 and written == expected,
        f"the rules are in force, with {sum(written)} records beside them",
    )


def register(stage: Stage, file: RegisterFile, *, together: bool) -> int:
    """Register a file; how many records that made. `together`: as one more command of several."""
    arguments = ("register", stage.folder.ledger, file.kind, stage.folder.registers / file.name, *stage.keys)
    code, said = stage.ask(*arguments, together=together)
    return len(said["records"]) if code == 0 and said is not None else 0


# ---- the day -----------------------------------------------------------------------------------


def ingest_morning(stage: Stage, day: Day) -> None:
    """An archive, a backup, and what the makers, the dock, the halls and the shops report until noon."""
    folder, screen = stage.folder, stage.screen
    screen.say("What happened before: an archive of the past year, and the day before.")
    total = take(stage, day, ("05*",)) + take(stage, day, ("06*",))
    screen.say("In the evening a backup is taken.")
    code = stage.run("backup", folder.ledger, folder.eve)
    # Whoever has the disk has the anchor too: later acts need both as they were then.
    shutil.copyfile(folder.anchor, anchor_path(folder.eve))
    stage.check("backup", code == 0, f"backup in {folder.eve}")
    _keep_buyers(stage, day)
    screen.say("Friday morning: makers' documents, the dock, the storage hall. Then orders until noon.")
    total += take(stage, day, ("[123]*",)) + take(stage, day, ("40-outbound-09*", "40-outbound-1[01]*"))
    expected = sum(file.events for file in day.files if file.name < "40-outbound-12")
    stage.check("ingest", total == expected, f"{total:,} of {expected:,} events are in the ledger, durable and signed")


def _keep_buyers(stage: Stage, day: Day) -> None:
    """Names, telephone numbers and addresses go into the vault before the orders that commit to them."""
    folder = stage.folder
    stage.screen.say(
        f"{len(day.buyers)} of the morning's orders have private fields: what the log gets of a telephone number is a"
        " salted commitment. Values and names go into the vault, apart from the log; the file is deleted then."
    )
    folder.buyers.write_bytes(vault_file(day.buyers))
    code, said = stage.ask("subject", "add", folder.ledger, folder.buyers, *stage.keys)
    folder.buyers.unlink()
    values = sum(len(buyer.values) for buyer in day.buyers)
    stage.check(
        "buyers",
        code == 0 and said is not None and (said["persons"], said["values"]) == (len(day.buyers), values),
        f"{len(day.buyers)} names and {values} private values are in the vault",
    )


def take_returns(stage: Stage, day: Day) -> None:
    """What sensors, the workshop and the returns desk report."""
    stage.screen.say("The climate of the chilled shelves; exports, a repair, a new label: work under bond.")
    total = take(stage, day, ("6*",))
    stage.screen.say("What buyers send back is inspected; what fails is destroyed.")
    total += take(stage, day, ("70*",))
    expected = sum(file.events for file in day.files if file.name[0] in "67")
    stage.check("returns", total == expected, f"{total:,} scans of workshop and returns desk")


def take(stage: Stage, day: Day, patterns: Sequence[str]) -> int:
    """Ingest the files that shell patterns stand for, when the last of them is there; how many events went in."""
    return ingest(stage, day, patterns)[0]


def ingest(stage: Stage, day: Day, patterns: Sequence[str]) -> tuple[int, list[tuple[str, str]]]:
    """The same, with (subject, rule) of everything that it broke."""
    folder = stage.folder
    files = [path for pattern in patterns for path in sorted(folder.scans.glob(pattern))]
    told: dict[str, DayFile] = {file.name: file for file in day.files}
    stage.at(max(told[path.name].received for path in files))
    shown = " ".join(f"{folder.scans}/{pattern}" for pattern in patterns)
    code, said = stage.ask("ingest", folder.ledger, *stage.keys, more=files, shown=shown)
    if code or said is None:
        stage.check("ingest", False, f"{len(files)} files were not all taken (exit {code})")
        return (0 if said is None else int(said["events"])), []
    packs = sum(told[path.name].scans for path in files)
    stage.screen.note(
        f"{len(files)} file{'s' if len(files) != 1 else ''}, {said['events']:,} events naming {packs:,} packs, in"
        f" {said['seconds']:.1f} s; the ledger has {said['size']:,} entries"
    )
    broken = [(one["subject"], one["name"]) for file in said["files"] for one in file["violations"]]
    if broken:
        names = sorted({name for _, name in broken})
        what = f"{len(broken)} violations of {len(names)} rules" if len(names) > 1 else f"{len(broken)} x {names[0]}"
        stage.screen.note(f"kept as evidence: {what}")
    return int(said["events"]), broken
