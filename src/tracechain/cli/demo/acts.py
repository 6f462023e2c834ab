"""The acts of the demo, in order. Each says what it shows, runs the commands, and checks what came out."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from tracechain.cli.demo.attacks import attack
from tracechain.cli.demo.couriers import deliver
from tracechain.cli.demo.folder import Folder, real_documents
from tracechain.cli.demo.screen import Screen
from tracechain.cli.demo.stage import Outcome, Stage
from tracechain.demo import MAKERS, PRODUCTS, Day, make_day
from tracechain.encoding import decode
from tracechain.entry import SALT_SIZE
from tracechain.errors import TracechainError
from tracechain.view import View, unit_history

__all__ = ["ORIGIN", "PHASES", "play"]

ORIGIN = "tianzhu-warehouse.example/demo"

#: The table of the day: what is told together.
PHASES = (
    ("made and packed", ("commission", "pack"), "makers"),
    ("sent and arrived", ("ship", "sensor", "arrive", "unpack", "receive"), "makers, dock"),
    ("booked in under bond", ("bond_in",), "storage hall"),
    ("stock taken", ("stocktake",), "storage hall"),
    ("ordered", ("order",), "platform"),
    ("cleared", ("clear",), "customs"),
    ("sold", ("sell",), "shops"),
    ("delivered", ("deliver",), "couriers"),
    ("returned, inspected", ("return_in", "verify", "verify_failed"), "returns desk"),
    ("destroyed", ("destroy",), "returns desk"),
)


def play(path: Path, screen: Screen, *, scale: float = 1.0, processes: int = 2) -> Outcome:
    """The whole demo in the folder `path`. `scale` 1 is the full day; InputError for a folder that is not ours."""
    started = time.perf_counter()
    folder = Folder(path)
    folder.prepare()
    stage = Stage(folder, screen)
    screen.title("tracechain demo", "A day at a bonded warehouse. Everybody in it is invented.")
    try:
        _acts(stage, scale, processes)
    except (TracechainError, OSError) as error:
        stage.check("stopped", False, f"the demo stopped: {error}")
    stage.outcome.seconds = screen.seconds | {"all": time.perf_counter() - started}
    _end(stage)
    return stage.outcome


def _acts(stage: Stage, scale: float, processes: int) -> None:
    screen = stage.screen
    with screen.act("day", "The day, as scan files"):
        day = _write_day(stage, scale)
    with screen.act("ledger", "A ledger of its own"):
        _make_ledger(stage)
    with screen.act("ingest", "Scans and documents go in"):
        _ingest(stage, day)
    with screen.act("couriers", "Two couriers out of reach of any network"):
        deliver(stage, day)
    with screen.act("returns", "Returns, and a fraud"):
        _returns(stage, day)
    with screen.act("trace", "One pack's life"):
        _trace(stage, day)
    with screen.act("prove", "What a regulator can hold in hand"):
        sale = _prove(stage, day)
    with screen.act("verify", "Everything checked"):
        _verify(stage, processes)
    with screen.act("tamper", "Now somebody cheats, on copies"):
        attack(stage, sale, day.story.traced_expiry, processes)


# ---- the acts ----------------------------------------------------------------------------------


def _write_day(stage: Stage, scale: float) -> Day:
    with stage.screen.waiting("making up the day"):
        day = make_day(scale)
    for file in day.files:
        (stage.folder.scans / file.name).write_bytes(file.data)
    for station in day.stations:
        for file in station.files:
            (stage.folder.scans / file.name).write_bytes(file.data)
    stage.screen.say(
        f"{len(MAKERS)} makers sell {len(PRODUCTS)} products through the platform: {day.lots} lots,"
        f" {day.packs:,} packs, each with a code of its own. 20 November 2026:"
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
    files = sum(1 for _ in stage.folder.scans.iterdir())
    size = sum(one.stat().st_size for one in stage.folder.scans.iterdir())
    stage.screen.say(f"{files} files, {size / 1e6:.0f} MB, in {stage.folder.scans}: EPCIS 2.0 JSON, CSV, JSON Lines.")
    stage.outcome.figures |= {
        "packs": day.packs,
        "day_events": day.events,
        "unit_events": day.scans,
        "single_unit_events": day.single,
    }
    return day


def _make_ledger(stage: Stage) -> None:
    folder = stage.folder
    folder.keys.mkdir(mode=0o700)
    folder.passphrase.write_text(
        f"{secrets.token_urlsafe(18)}\nDemo only: a real passphrase never lies here.\n", "utf-8"
    )
    stage.screen.say(
        "Three keys: the log's, the organisation's root, and the author key of this process. Later commands are given"
        " --keys and --passphrase-file as well; they are left out here."
    )
    code = stage.run("init", folder.ledger, "--origin", ORIGIN, *stage.keys)
    stage.check(
        "init", code == 0 and folder.vkey.is_file(), f"the ledger is made; its verifier key is in {folder.vkey}"
    )


def _ingest(stage: Stage, day: Day) -> None:
    folder = stage.folder
    stage.screen.say("The morning: makers' documents, the dock, the storage hall, orders until noon.")
    total = _take(stage, day, ("[123]*", "40-outbound-09*", "40-outbound-1[01]*"))
    stage.screen.say("Noon: a backup is taken while the ledger is in use.")
    code = stage.run("backup", folder.ledger, folder.noon)
    stage.check("backup", code == 0, f"backup in {folder.copies / 'noon'}")
    stage.screen.say("The afternoon: orders, clearance, sales, deliveries.")
    total += _take(stage, day, ("40-outbound-1[2-9]*", "40-outbound-2*"))
    expected = sum(file.events for file in day.files if file.name < "5")
    stage.check("ingest", total == expected, f"{total:,} of {expected:,} events are in the ledger, durable and signed")
    _ingest_real(stage)


def _returns(stage: Stage, day: Day) -> None:
    folder = stage.folder
    stage.screen.say("What buyers send back is inspected; what fails is destroyed.")
    total = _take(stage, day, ("7*",))
    stage.check(
        "returns", total == sum(f.events for f in day.files if f.name.startswith("7")), f"{total:,} scans at the desk"
    )
    stage.screen.say("At night a kiosk in the city sells packs that the returns desk destroyed.")
    code, said = stage.ask("ingest", folder.ledger, folder.scans / "80-city-kiosk.csv", *stage.keys)
    broken = [one for file in (said or {}).get("files", ()) for one in file["violations"]]
    stage.check(
        "violations",
        code == 0 and sorted(one["subject"] for one in broken) == sorted(day.story.risen),
        f"stands with each of the {len(broken)} scans of destroyed packs, which are kept as evidence",
        _names(broken),
    )


def _take(stage: Stage, day: Day, patterns: Sequence[str]) -> int:
    """Ingest the files that shell patterns stand for; how many events went in."""
    folder = stage.folder
    files = [path for pattern in patterns for path in sorted(folder.scans.glob(pattern))]
    shown = " ".join(f"{folder.scans}/{pattern}" for pattern in patterns)
    code, said = stage.ask("ingest", folder.ledger, *stage.keys, more=files, shown=shown)
    if code or said is None:
        stage.check("ingest", False, f"{len(files)} files were not all taken (exit {code})")
        return 0 if said is None else int(said["events"])
    packs = sum(file.scans for file in day.files if (folder.scans / file.name) in files)
    stage.screen.note(
        f"{len(files)} file{'s' if len(files) != 1 else ''}, {said['events']:,} events naming {packs:,} packs, in"
        f" {said['seconds']:.1f} s; the ledger has {said['size']:,} entries"
    )
    return int(said["events"])


def _ingest_real(stage: Stage) -> None:
    """Documents that others wrote: copied to scans/real, so that scans/ holds all that was ingested."""
    documents = list(real_documents())
    if not documents:
        stage.screen.say("No real EPCIS documents here (../shared/epcis is absent): left out.")
        return
    stage.screen.say("Real documents: the examples of GS1 and OpenEPCIS, all five kinds of events, sensor data.")
    target = stage.folder.scans / "real"
    target.mkdir()
    files, events = [], 0
    for number, document in enumerate(documents):
        if document.fault:
            stage.screen.note(f"left out: {document.fault}")
            continue
        path = target / f"{number:02}-{Path(document.name).name}"
        shutil.copyfile(document.path, path)
        files.append(path)
        events += document.events
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


def _trace(stage: Stage, day: Day) -> None:
    folder, story = stage.folder, day.story
    stage.screen.say(f"{story.traced_product}, lot {story.traced_lot}; each link is checked.")
    code = stage.run("trace", folder.ledger, story.traced_code, "--key", folder.vkey)
    stage.check("trace", code == 0, "every link of this pack's chain stands")
    _, said = stage.value(["trace", str(folder.ledger), story.risen[0]])
    stage.check(
        "trace of a destroyed pack",
        said is not None and "DEAD_PACK" in str(said),
        "a destroyed pack's last link says DEAD_PACK",
    )


def _prove(stage: Stage, day: Day) -> int:
    """Returns the entry of the sale that was proven."""
    from tracechain.checkpoint import check_proof, parse_proof, parse_vkey
    from tracechain.errors import DataError
    from tracechain.ledger import Ledger
    from tracechain.merkle import leaf_hash

    folder = stage.folder
    stage.screen.say(
        "The checkpoint: one signature over the tree of all entries (a C2SP signed note, as Go's checksum"
        " database has)."
    )
    code = stage.run("checkpoint", folder.ledger)
    _, note = stage.call(["checkpoint", str(folder.ledger)])
    folder.checkpoint.write_text(note, "utf-8")
    stage.check("checkpoint", code == 0 and note.startswith(ORIGIN), f"kept in {folder.checkpoint}")
    with Ledger.open(folder.ledger) as ledger, ledger.snapshot() as view:
        index = find(view, day.story.traced, "retail_selling")
        header = view.header(index)
    stage.screen.say(f"The sale of that pack is entry {index:,}. A proof that it is in the log:")
    stage.screen.command(f"tracechain prove {folder.ledger} {index} > {folder.proof}")
    code, text = stage.call(["prove", str(folder.ledger), str(index)])
    folder.proof.write_text(text, "utf-8")
    proof = parse_proof(folder.proof.read_bytes())
    verifier = parse_vkey(folder.vkey.read_text("utf-8").strip())
    assert header is not None
    try:
        checkpoint = check_proof(proof, leaf_hash(header), verifier)
        good = code == 0 and checkpoint.size > index
    except DataError as error:
        good = False
        stage.screen.note(str(error))
    stage.check(
        "proof",
        good,
        f"{len(proof.hashes)} hashes lead from the entry to the signed root; needed is only {folder.vkey.name}",
    )
    changed = header[:-1] + bytes((header[-1] ^ 1,))
    try:
        check_proof(proof, leaf_hash(changed), verifier)
        refused = False
    except DataError:
        refused = True
    stage.check("proof of another entry", refused, "with one bit of the entry changed, the proof is refused")
    return index


def _verify(stage: Stage, processes: int) -> None:
    folder = stage.folder
    stage.screen.say(
        "Every header, content, row, link, statement and signature, and the tree; by the verifier key alone."
    )
    code = stage.run("verify", folder.ledger, "--key", folder.vkey, "--processes", str(processes))
    stage.check("verify", code == 0, "the whole ledger stands")


def _end(stage: Stage) -> None:
    outcome, folder, screen = stage.outcome, stage.folder, stage.screen
    wrong = [check.name for check in outcome.checks if not check.good]
    screen.rule("In the end")
    seconds = outcome.seconds["all"]
    screen.verdict(
        outcome.good,
        f"{len(outcome.checks)} of {len(outcome.checks)} checks came out as they should, in {seconds:.0f} seconds"
        if outcome.good
        else f"not as it should be: {', '.join(wrong)}",
    )
    parts = [f"{name} {spent:.1f}" for name, spent in outcome.seconds.items() if name != "all"]
    screen.note(f"seconds: {', '.join(parts)}")
    screen.pairs(
        (
            (str(folder.ledger), "the ledger"),
            (str(folder.vkey), "its verifier key, one line"),
            (str(folder.scans), "what was ingested"),
            (str(folder.proof), "the proof of one sale, under the checkpoint in it"),
            (str(folder.keys), "keys and passphrase, for the demo only"),
        ),
    )


# ---- small things ------------------------------------------------------------------------------


def find(view: View, subject: str, step: str) -> int:
    """The index of a unit's first entry with a business step."""
    for index in unit_history(view, subject):
        part = view.content(index)
        if part is not None and decode(part[SALT_SIZE:]).biz_step == step:
            return index
    raise LookupError(f"{subject} has no entry with {step}")


def _names(broken: Sequence[dict[str, object]]) -> str:
    return ", ".join(sorted({str(one["name"]) for one in broken})) or "nothing"
