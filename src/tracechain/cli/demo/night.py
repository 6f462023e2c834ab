"""The night: every rule of the pilot is broken once at least, and what the ledger has to say of it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tracechain.cli.demo.intake import register, take
from tracechain.cli.demo.stage import Stage
from tracechain.cli.entries import human
from tracechain.custody import Violation
from tracechain.demo import Breach, Day, Registry
from tracechain.entry import SALT_SIZE, decode_rows

__all__ = ["ask_first", "break_rules", "count_broken", "watch"]

#: The file that is tried with --strict first: each of its breaches has to be said.
STRICT = "94-violations-returns.jsonl"
MINUTE = 60_000_000_000

#: (subject, names of violations) of a row.
Broken = tuple[str, tuple[str, ...]]


def breach(day: Day, code: Violation) -> Breach:
    """The first breach of a rule."""
    return next(one for one in day.breaches if code in one.codes)


def expected(day: Day) -> Counter[Broken]:
    """What the rows have to say, of the whole day."""
    return Counter((one.subject, tuple(sorted(code.name for code in one.codes))) for one in day.breaches)


# ---- breaking them -----------------------------------------------------------------------------


def break_rules(stage: Stage, day: Day, registry: Registry) -> None:
    """A kiosk, the evening's measures, a refusal, and what came in all the same."""
    screen = stage.screen
    screen.say("At night a kiosk in the city sells packs that the returns desk destroyed.")
    take(stage, day, ("80*",))
    screen.say("The evening's measures: suspended, stopped, published anew, shielded. And cases, step by step.")
    files = [file for file in registry.files if file.part != "opening"]
    stage.at(files[0].received)
    written = [register(stage, file, together=file is not files[0]) for file in files]
    stage.check("measures", written == [f.records for f in files], f"{sum(written)} records of {len(files)} kinds")
    _refuse(stage, day)
    screen.say("But all this happened, so it goes in without --strict: each event with the rules that it breaks.")
    take(stage, day, ("9*",))
    screen.table((("", "right"), ("what happened", "left"), ("what it broke", "left")), _stories(day))


def _stories(day: Day) -> list[tuple[str, str, str]]:
    """Each story once, with the rules it broke."""
    codes: dict[str, set[Violation]] = {}
    for one in day.breaches:
        codes.setdefault(one.story, set()).update(one.codes)
    return [
        (str(number), story, ", ".join(code.name for code in sorted(broken)))
        for number, (story, broken) in enumerate(codes.items(), 1)
    ]


def _refuse(stage: Stage, day: Day) -> None:
    folder = stage.folder
    stage.screen.say("A returns desk that wants nothing but lawful scans says --strict. All of its file is refused:")
    stage.at(next(file.received for file in day.files if file.name == STRICT) - 10 * MINUTE)
    words = ["ingest", str(folder.ledger), str(folder.scans / STRICT), "--strict"]
    before = _size(stage)
    code = stage.run(*words, *stage.keys)
    again, said = stage.value([*words, *map(str, stage.keys)], complaints=False)
    refused = [] if said is None else said["files"][0].get("refused", [])
    wanted = Counter((one.subject, code.name) for one in day.breaches if one.file == STRICT for code in one.codes)
    stage.check(
        "strict",
        code == again == 2 and _size(stage) == before and Counter((o["subject"], o["name"]) for o in refused) == wanted,
        f"nothing was written, and all {wanted.total()} broken rules are said",
    )


def _size(stage: Stage) -> str:
    return stage.call(["checkpoint", str(stage.folder.ledger)])[1]


# ---- what stands in the log --------------------------------------------------------------------


def count_broken(stage: Stage, day: Day) -> None:
    """Every rule that was broken, with counts; and one pack that broke two at once."""
    folder, screen = stage.folder, stage.screen
    screen.say("Every rule that was broken. The clauses: S1 is the pilot's Implementation Plan (docs/obligations.md).")
    code = stage.run("violations", folder.ledger)
    _, said = stage.value(["violations", str(folder.ledger)])
    listed = [] if said is None else said["violations"]
    counts = {one["name"]: one["count"] for one in listed}
    stage.outcome.figures["violations"] = sum(counts.values())
    stage.outcome.violations = counts
    missing = [one.name for one in Violation if one.name not in counts]
    words = f"each of the {len(Violation)} rules was broken" if not missing else f"not broken: {', '.join(missing)}"
    stage.check("violations", code == 0 and not missing, words)
    found, others = _rows(stage, {index for one in listed for index in one["entries"]})
    stage.check(
        "breaches",
        found == expected(day),
        f"{found.total()} times a pack broke just what the story says; {day.events:,} events, and nothing else did",
    )
    if others:
        screen.note(f"{others} more stand in the documents of others: codes that were seen after their end")
    barred = breach(day, Violation.PRODUCT_BARRED)
    screen.say(f"One of them: {barred.story}.")
    code = stage.run("trace", folder.ledger, human(barred.subject), "--key", folder.vkey)
    _, said = stage.value(["trace", str(folder.ledger), barred.subject])
    last = said["links"][-1]["violations"] if said is not None and said["links"] else []
    stage.check(
        "trace of a violation",
        code == 0 and sorted(last) == sorted(one.name for one in barred.codes),
        "the order is kept with both rules that it broke, and the pack is where it was",
    )


def _rows(stage: Stage, entries: set[int]) -> tuple[Counter[Broken], int]:
    """What the rows of these entries say, and how many broke a rule before the pilot's were in force."""
    from tracechain.custody import PLAIN, describe
    from tracechain.ledger import Ledger

    found: Counter[Broken] = Counter()
    others = 0
    with Ledger.open(stage.folder.ledger) as ledger, ledger.snapshot() as view:
        for index in entries:
            part = view.rows(index)
            rule_set, rows = (PLAIN, ()) if part is None else decode_rows(part[SALT_SIZE:])
            broken = [row for row in rows if row.violations]
            if rule_set == PLAIN:
                others += len(broken)
                continue
            for row in broken:
                found[row.subject, tuple(sorted(map(describe, row.violations)))] += 1
    return found, others


# ---- before it happens -------------------------------------------------------------------------


def ask_first(stage: Stage, day: Day) -> None:
    """A till that asks before it sells: an expired pack, a held one, and one that may be ordered."""
    stage.screen.say("Nothing is written by `check`. It says what the ledger would record, before anybody does it.")
    _ask(stage, breach(day, Violation.EXPIRED_LOCK).subject, "sell", "EXPIRED_LOCK", "an expired pack is locked")
    held = breach(day, Violation.HELD).subject
    _ask(stage, held, "sell", "HELD SOLD_BEFORE_CLEARANCE", "a held pack cannot be sold, nor one that is not cleared")
    order = ("--doc", "po:A-1", "--buyer", "0123456789abcdef0123456789abcdef")
    _ask(stage, day.story.traced, "order", "", "the pack that was returned and inspected may be ordered again", *order)


def _ask(stage: Stage, subject: str, event: str, names: str, words: str, *more: str) -> None:
    """Ask, and hold the answer to the names of the rules that would be broken."""
    arguments = ["check", str(stage.folder.ledger), human(subject), "--event", event, *more]
    code = stage.run(*arguments)
    _, said = stage.value(arguments)
    found = {one["name"] for about in (said or {}).get("subjects", ()) for one in about["violations"]}
    stage.check(f"check {event} {names}".strip(), code == bool(names) and found == set(names.split()), words)


# ---- what somebody has to look after -----------------------------------------------------------


def watch(stage: Stage, registry: Registry) -> None:
    """Alerts, registers and cases, as of now."""
    folder, screen = stage.folder, stage.screen
    screen.say("What follows from all of it: two packs of one code, a warm shelf, near expiry, a parcel overdue.")
    code, said = stage.ask("alerts", folder.ledger)
    alerts: list[dict[str, Any]] = [] if said is None else said["alerts"]
    kinds = Counter(one["kind"] for one in alerts)
    firsts = {one["kind"]: one for one in reversed(alerts)}
    rows = [(kind, f"{count:,}", firsts[kind]["severity"], firsts[kind]["words"]) for kind, count in kinds.items()]
    screen.table((("alert", "left"), ("", "right"), ("", "left"), ("the first of them", "left")), rows)
    stage.outcome.figures["alerts"] = len(alerts)
    stage.outcome.alerts = dict(kinds)
    stage.check("alerts", code == 0 and bool(alerts), f"{len(alerts):,} alerts of {len(kinds)} kinds")
    screen.say("The registers say what has run out, and what they said on any day.")
    code = stage.run("register", folder.ledger, "all", "--overdue")
    stage.check("overdue", code == 0, "what has run out is listed with its day")
    suspended = next(one for one in registry.measures if type(one).KIND == "merchant-suspended")
    name = suspended.subject.rpartition(":")[2]
    code = stage.run("register", folder.ledger, "merchant", "--show", name, "--history")
    _, said = stage.value(["register", str(folder.ledger), "merchant", "--show", name])
    stage.check(
        "register", code == 0 and said is not None and said["suspended_in"] is not None, "the merchant is suspended"
    )
    code = stage.run("cases", folder.ledger)
    _, said = stage.value(["cases", str(folder.ledger)])
    wanted = {one.subject.rpartition(":")[2] for one in registry.cases}
    found = {one["id"] for one in (said or {}).get("cases", ())}
    stage.check("cases", code == 0 and found == wanted, f"{len(found)} cases, and the orders that are in force")
