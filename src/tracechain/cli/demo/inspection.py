"""The inspection: two authorities witness the ledger, an auditor seals it with the operator, and bundles are checked.

Bundles are made by `tracechain export`; what checks them is `verify_bundle.py`, run as a process of its own by a Python
that is told to import nothing of ours (`python -I`): the way of a regulator who has nothing else.
"""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from attrs import frozen

from tracechain.cli.demo.stage import DemoError, Stage
from tracechain.demo import Day
from tracechain.demo.world import moment

__all__ = ["ABSENT", "AUDITOR", "AUTHORITIES", "Handed", "check_bundles", "examine", "run_script", "seal", "witness"]

#: An inspector calls in the evening before the day, and all of them on the morning after it.
EVENING, MORNING = moment("2026-11-19 21:00"), moment("2026-11-21 09:00")
#: The four authorities of the pilot, as their witness keys are called here.
AUTHORITIES = ("drugs", "commerce", "customs", "bonded-zone")
#: Those who sign in this story; so many are enough.
SIGNING = ("drugs", "customs")
AUDITOR = "auditor.example/2026"
#: A code that somebody found on a pack in a market, and that no maker ever made.
ABSENT = "(01)09521103003015(21)MARKET0STALL"


# ---- witnesses ---------------------------------------------------------------------------------


def witness(stage: Stage) -> None:
    """Each authority makes a key; two sign what they were shown on the evening before the day."""
    folder, screen = stage.folder, stage.screen
    folder.inspection.mkdir()
    stage.back(EVENING)
    screen.say(
        "Back to the evening before the day. The log is signed by whoever runs it: alone, he could show two people two"
        " logs. So each of the four authorities of the pilot has a key of its own, made on its own computer."
    )
    made: list[tuple[int, Any]] = []
    for name in AUTHORITIES:
        secret = ("--passphrase-file", folder.passphrase)
        made.append(
            stage.ask(
                "witness", "init", folder.authority(name), f"{name}.example/witness", *secret, together=bool(made)
            )
        )  # fmt: skip
    keys = [said["vkey"] for _, said in made if said is not None]
    lines = [f"witness {name} {key}" for name, key in zip(AUTHORITIES, keys, strict=False)]
    lines += [f"group authorities {len(SIGNING)} {' '.join(AUTHORITIES)}", "quorum authorities"]
    folder.policy.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    screen.note(f"{folder.policy}: {len(SIGNING)} of {len(AUTHORITIES)} are enough")
    stage.check("witness keys", len(keys) == len(AUTHORITIES), "who holds these keys does not run the ledger")
    screen.say(
        "Somebody carries a file to them and one back: what the log is now. They look whether it extends what they"
        " signed before, remember it, and sign with the time. On this evening it is the ledger of the backup."
    )
    good = _cosigned(stage, folder.eve, "evening")
    shutil.copyfile(folder.inspection / f"evening.{SIGNING[0]}", folder.kept)
    stage.check("first witnesses", good, f"an inspector keeps it: {folder.kept}")


def _cosigned(stage: Stage, ledger: Path, name: str) -> bool:
    """Ask for cosignatures of the last checkpoint of `ledger`, sign, and keep them in the demo's ledger."""
    folder = stage.folder
    request = folder.inspection / f"{name}.request"
    code = stage.run("witness", "request", ledger, "--of", folder.authority(SIGNING[0], "vkey"), "--out", request)
    answers = []
    for number, one in enumerate(SIGNING):
        answers.append(folder.inspection / f"{name}.{one}")
        words = (
            "witness", "sign", request, "--key", folder.authority(one), "--log", folder.vkey, "--out", answers[-1],
            "--passphrase-file", folder.passphrase,
        )  # fmt: skip
        code |= stage.run(*words) if not number else stage.ask(*words)[0]
    known = [word for one in SIGNING for word in ("--witness", folder.authority(one, "vkey"))]
    return not code | stage.run("witness", "add", folder.ledger, *answers, *known, *stage.keys)


# ---- the seal ----------------------------------------------------------------------------------


def seal(stage: Stage, processes: int) -> None:
    """The morning after: a seal, witnessed; the whole log for an auditor, who replays it and signs the seal."""
    folder, screen = stage.folder, stage.screen
    stage.at(MORNING)
    screen.say(
        "The morning after the day. A seal states where every code stands: by it is proved that a history is complete,"
        " or that a code was never there. Then the witnesses see the log again."
    )
    code = stage.run("seal", "make", folder.ledger, *stage.keys)
    stage.check("seal", code == 0, "one root over all codes, and a record in the log like any other")
    stage.check("witnesses", _cosigned(stage, folder.ledger, "morning"), "the day lies between two times of others")
    screen.say("Everything that the ledger has, as a bundle: headers, contents, rows, tiles, keys, what others signed.")
    code = stage.run("export", folder.ledger, folder.bundle("whole"), "--whole")
    stage.check("whole", code == 0, "also a C2SP tiled log, for any client of these")
    screen.say(
        "An auditor has just that. He verifies it, replays it from nothing, judges every event again, works the seal"
        " out of what comes to pass, and only then signs it."
    )
    secret = ("--passphrase-file", folder.passphrase)
    code, said = stage.ask("seal", "key", folder.auditor, AUDITOR, *secret)
    if code or said is None:
        raise DemoError("the auditor's key was not made")
    folder.auditor_vkey.write_text(f"{said['vkey']}\n", "utf-8")
    note = folder.inspection / "seal.note"
    code = stage.run(
        "replay", folder.bundle("whole"), "--key", folder.vkey, "--cosign", folder.auditor, "--name", AUDITOR, "--out",
        note, "--processes", str(processes), *secret,
    )  # fmt: skip
    stage.check("replayed", code == 0, "every state, rule and the seal: the auditor comes to the same, and signs")
    code = stage.run("seal", "note", folder.ledger, note, "--auditor", folder.auditor_vkey, *stage.keys)
    stage.check("seal note", code == 0, "his signature goes with every excerpt from now on")


# ---- bundles -----------------------------------------------------------------------------------


@frozen
class Handed:
    """What came of running the script: its exit code, and its JSON, None where it was run to be read."""

    code: int
    said: dict[str, Any] | None

    @property
    def findings(self) -> list[dict[str, Any]]:
        """What was found, in the members that `tracechain verify --json` has."""
        listed = [] if self.said is None else self.said["findings"]
        return [{"code": one["code"], "index": one["index"], "detail": one["en"]} for one in listed]


def examine(stage: Stage, day: Day) -> None:
    """A regulator asks for excerpts, and for the proof that a code was never there."""
    folder, screen = stage.folder, stage.screen
    screen.say(
        "An inspector does not need everything. She asks for the recall, and for one pack; and a code that was seen on"
        " a market stall: was it ever in this ledger? Each comes with the proof that the log extends what she kept."
    )
    wanted: list[tuple[str, tuple[str, ...]]] = [
        ("recall", ("--recall", day.recall.id)),
        ("pack", ("--unit", day.story.traced_code)),
        ("absent", ("--absent", ABSENT)),
    ]
    codes = [
        stage.run("export", folder.ledger, folder.bundle(name), *words, "--since", folder.kept)
        for name, words in wanted
    ]
    stage.check("excerpts", not any(codes), "three files that prove themselves")


def check_bundles(stage: Stage, processes: int) -> None:
    """The script, on each of them, with nothing but Python."""
    folder, screen = stage.folder, stage.screen
    folder.script.write_bytes((files("tracechain") / "verify_bundle.py").read_bytes())
    screen.say(
        "Now her own laptop: Python, no network, nothing of ours but one file that she can read, and what she has from"
        " elsewhere: the ledger's key, the witnesses that she believes, the auditor's key, the checkpoint that she"
        " kept. First all of it, and then the rest."
    )
    several = ("--processes", str(processes)) if processes > 1 else ()
    whole = run_script(stage, "whole", "--lang", "en", *several, shown=True)
    stage.check("bundle whole", whole.code == 0, "clean, and witnessed: every header, content, row, link and signature")
    screen.say("One pack, in Chinese:")
    pack = run_script(stage, "pack", "--lang", "zh", shown=True)
    stage.check("bundle pack", pack.code == 0, "its whole history up to the seal, for which an auditor has signed")
    screen.say("The recall, and the code from the market stall:")
    recall, absent = run_script(stage, "recall"), run_script(stage, "absent")
    _tell(stage, recall, absent)
    stage.check("bundle recall", _stands(recall), "clean, and every history in it is complete")
    stage.check(
        "bundle absent",
        _stands(absent),
        f"{ABSENT} was never in this ledger, up to the seal: it did not come from here",
    )
    pages = [folder.page(name) for name in ("whole", "pack", "recall", "absent")]
    stage.check(
        "pages", all(one.is_file() for one in pages), f"each has a page to print and sign, such as {pages[0]}"
    )  # fmt: skip


def _tell(stage: Stage, *handed: Handed) -> None:
    """A table of what the script says in JSON."""
    rows = []
    for one in handed:
        if one.said is None:
            continue
        counts, bundle = one.said["counts"], one.said["bundle"]
        figures = (counts.get(name, 0) for name in ("entries", "histories", "absences", "proofs", "cosignatures"))
        size = f"{(bundle['bytes'] or 0) / 1e6:.1f} MB"
        rows.append((Path(bundle["path"]).name, size, *(f"{figure:,}" for figure in figures), str(one.code)))
    columns = ("bundle", "size", "entries", "histories", "absent", "proofs", "cosigned", "exit")
    stage.screen.table([(one, "left" if one == "bundle" else "right") for one in columns], rows)


def _stands(handed: Handed) -> bool:
    """Clean, of this log's key, extending what was kept, witnessed and with its seal checked."""
    said = handed.said
    return (
        handed.code == 0
        and said is not None
        and said["verdict"] == "clean"
        and not said["findings"]
        and bool(said["counts"].get("cosignatures") and said["counts"].get("seals"))
    )


def run_script(
    stage: Stage, bundle: str | Path, *more: str | Path, shown: bool = False, brought: bool = True
) -> Handed:
    """Run the script as a regulator does, in a process that imports nothing of this library.

    `bundle` is one of the demo's by name, for which a page is written, or a path. `shown`: let its output be seen.
    `brought`: with what was kept, and the keys of witnesses and auditor, which the screen shows for the demo's bundles
    only; without that, with the ledger's key alone.
    """
    folder = stage.folder
    path = folder.bundle(bundle) if isinstance(bundle, str) else bundle
    words: list[str | Path] = [path, "--key", folder.vkey]
    known = len(words)
    if brought:
        words += ["--auditor", folder.auditor_vkey, "--since", folder.kept, "--policy", folder.policy]
    if isinstance(bundle, str):
        words += ["--report", folder.page(bundle)]
    words += more
    short = brought and not isinstance(bundle, str)
    line = shlex.join(map(str, ("python", "-I", folder.script, *(words[:known] if short else words))))
    stage.command(f"{line} ..." if short else line)
    if shown and not stage.screen.silent:
        code, _ = _python(stage, words, captured=False)
        stage.screen.printed()
        return Handed(code, None)
    with stage.screen.waiting("checking"):
        code, text = _python(stage, [*words, "--quiet", "--json"], captured=True)
    try:
        return Handed(code, json.loads(text))
    except ValueError:
        return Handed(code, None)


def _python(stage: Stage, words: Sequence[str | Path], *, captured: bool) -> tuple[int, str]:
    """Run the script in a process of its own; exit code and what it printed, where that is captured."""
    terminal = not captured and sys.stdout.isatty()
    done = subprocess.run(  # noqa: S603  # this Python, and the script that was just copied
        [sys.executable, "-I", str(stage.folder.script), *map(str, words)],
        stdout=None if terminal else subprocess.PIPE, stderr=None if terminal else subprocess.PIPE, check=False,
        encoding="utf-8",
    )  # fmt: skip
    if not captured and not terminal:
        sys.stdout.write(done.stdout)
    sys.stdout.flush()
    return done.returncode, done.stdout or ""
