"""The acts of the demo, in order. Each says what it shows, runs the commands, and checks what came out."""

from __future__ import annotations

import time
from pathlib import Path

from tracechain.cli.demo.attacks import attack
from tracechain.cli.demo.cheats import cheat, verify_pruned
from tracechain.cli.demo.couriers import deliver
from tracechain.cli.demo.folder import Folder
from tracechain.cli.demo.forgeries import forge
from tracechain.cli.demo.history import find
from tracechain.cli.demo.inspection import check_bundles, examine, seal
from tracechain.cli.demo.inspection import witness as cosign
from tracechain.cli.demo.intake import (
    ORIGIN,
    PHASES,
    ingest_morning,
    make_files,
    make_ledger,
    open_registers,
    take_returns,
)
from tracechain.cli.demo.later import announce, eight_years_on, forget, prune
from tracechain.cli.demo.night import ask_first, break_rules, count_broken, watch
from tracechain.cli.demo.recall import follow_recall, hints, open_recall, until_night, witness
from tracechain.cli.demo.screen import Screen
from tracechain.cli.demo.stage import Outcome, Stage
from tracechain.demo import Day
from tracechain.errors import TracechainError

__all__ = ["ORIGIN", "PHASES", "play"]


def play(path: Path, screen: Screen, *, scale: float = 1.0, processes: int = 2) -> Outcome:
    """The whole demo in the folder `path`. `scale` 1 is the full day; InputError for a folder that is not ours."""
    started = time.perf_counter()
    folder = Folder(path)
    folder.prepare()
    stage = Stage(folder, screen)
    screen.title("tracechain demo", "A day at a bonded warehouse. Everybody in it is invented.")
    day = None
    try:
        day = _acts(stage, scale, processes)
    except (TracechainError, OSError) as error:
        stage.check("stopped", False, f"the demo stopped: {error}")
    stage.outcome.seconds = screen.seconds | {"all": time.perf_counter() - started}
    _end(stage, day)
    return stage.outcome


def _acts(stage: Stage, scale: float, processes: int) -> Day:
    screen = stage.screen
    with screen.act("day", "The day, as files"):
        day, registry = make_files(stage, scale)
    with screen.act("ledger", "A ledger of its own"):
        make_ledger(stage, registry)
    with screen.act("registers", "The rules, and what they go by"):
        open_registers(stage, registry)
    with screen.act("ingest", "Scans and documents go in"):
        ingest_morning(stage, day)
    with screen.act("recall", "Noon: a lot is recalled"):
        open_recall(stage, day, registry)
    with screen.act("afternoon", "Until night"):
        until_night(stage, day)
    with screen.act("couriers", "Two couriers out of reach of any network"):
        deliver(stage, day)
    with screen.act("returns", "Work under bond, and returns"):
        take_returns(stage, day)
        witness(stage, day)
    with screen.act("progress", "What the recall has come to"):
        follow_recall(stage, day)
    with screen.act("trace", "One pack's life"):
        _trace(stage, day)
    with screen.act("rules", "The night, in which every rule is broken"):
        break_rules(stage, day, registry)
    with screen.act("violations", "What stands in the log"):
        count_broken(stage, day)
    with screen.act("check", "Asked before it happens"):
        ask_first(stage, day)
    with screen.act("watch", "What somebody has to look after"):
        watch(stage, registry)
    with screen.act("prove", "What a regulator can hold in hand"):
        _prove(stage, day)
    with screen.act("verify", "Everything checked"):
        _verify(stage, processes)
    with screen.act("tamper", "Now somebody cheats, on copies"):
        attack(stage, day, processes)
    with screen.act("later", "Eight years later"):
        eight_years_on(stage, day)
    with screen.act("announce", "What is due is announced"):
        announce(stage)
    with screen.act("prune", "After the waiting time"):
        prune(stage, day)
    with screen.act("forget", "Persons are forgotten"):
        forget(stage, day)
    with screen.act("pruned", "Verified, as if nothing were gone"):
        verify_pruned(stage, processes)
    with screen.act("cheat", "And cheated with"):
        cheat(stage, day)
    with screen.act("witness", "Somebody else saw it"):
        cosign(stage)
    with screen.act("seal", "Sealed, and worked out by an auditor"):
        seal(stage, processes)
    with screen.act("export", "An inspector asks"):
        examine(stage, day)
    with screen.act("script", "With nothing but Python"):
        check_bundles(stage, processes)
    with screen.act("forge", "And cheated with, once more"):
        forge(stage, day)
    return day


# ---- the acts ----------------------------------------------------------------------------------


def _trace(stage: Stage, day: Day) -> None:
    folder, story = stage.folder, day.story
    stage.screen.say(f"{story.traced_product}, lot {story.traced_lot}; each link is checked.")
    code = stage.run("trace", folder.ledger, story.traced_code, "--key", folder.vkey)
    stage.check("trace", code == 0, "every link of this pack's chain stands")


def _prove(stage: Stage, day: Day) -> None:
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
    stage.command(f"tracechain prove {folder.ledger} {index} > {folder.proof}")
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


def _verify(stage: Stage, processes: int) -> None:
    folder = stage.folder
    stage.screen.say(
        "What an auditor does offline, with a copy and the verifier key: check every header, content, row, link,"
        " statement, signature and the tree. (A replay that judges each event again comes with the bundles, below.)"
    )
    words = ("verify", folder.ledger, "--key", folder.vkey, "--processes", str(processes))
    code = stage.run(*words)
    stage.check("verify", code == 0, "the ledger stands, from its first entry to its last")


def _end(stage: Stage, day: Day | None) -> None:
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
            (str(folder.registers), "what was registered"),
            (str(folder.recall), "the recall, as a page to open in a browser"),
            (str(folder.proof), "the proof of one sale, under the checkpoint in it"),
            (str(folder.later), "the ledger eight years later, pruned"),
            (str(folder.erased), "the personal values that are not in it any more"),
            (str(folder.pruned), "what was archived before it was pruned"),
            (str(folder.bundle("whole")), "the bundle of the whole log; beside it the excerpts, as zip files"),
            (
                str(folder.page("whole")),
                "what the stand-alone script found in it, to print; each bundle has such a page",
            ),
            (str(folder.kept), "what the inspector kept"),
            (str(folder.keys), "keys and passphrase, for the demo only"),
        ),
    )
    if folder.script.is_file():
        screen.say("To check a bundle yourself, with any Python from 3.9 on:")
        screen.command(
            f"python -I {folder.script} {folder.bundle('pack')} --key {folder.vkey} --since {folder.kept}"
            f" --policy {folder.policy}",
            together=True,
        )
    if day is not None:
        screen.say("To go on with:")
        for line, what in hints(day, str(folder.ledger)):
            screen.command(line, together=True)
            screen.note(what)
