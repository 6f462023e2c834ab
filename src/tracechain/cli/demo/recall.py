"""A lot is recalled at noon: what it affects, what the open recall catches, and what it has come to at night."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from tracechain.cli.demo.couriers import hand_in
from tracechain.cli.demo.intake import ingest, take
from tracechain.cli.demo.stage import Stage
from tracechain.demo import Day, Recall, Registry
from tracechain.event import format_time
from tracechain.registers import Carrier, Place

__all__ = ["follow_recall", "hints", "open_recall", "until_night", "witness"]

MINUTE = 60_000_000_000


# ---- at noon -----------------------------------------------------------------------------------


def open_recall(stage: Stage, day: Day, registry: Registry) -> None:
    """The maker reports a failure: what is affected, the recall, who is told, and the next sale that comes in."""
    folder, screen, told = stage.folder, stage.screen, day.recall
    stage.at(told.opened - 2 * MINUTE)
    screen.say(
        f"{told.name}: the maker reports that lot {told.lot} failed, class {told.recall_class} ({told.reason}). Which"
        " packs are that, and where? Nothing is written by `preview`."
    )
    which = ("--gtin", told.product[3:], "--lot", told.lot)
    code = stage.run("recall", "preview", folder.ledger, *which)
    _, found = stage.value(["recall", "preview", str(folder.ledger), *which, "--units"])
    kinds = Counter(one["kind"] for one in (found or {}).get("unresolved", ()))
    stage.check(
        "fan-out",
        code == 0 and found is not None and found["groups"] == told.groups and set(kinds) == {"left"},
        f"{sum(told.groups.values()):,} packs in {sum(map(bool, told.groups.values()))} groups, as the day has it;"
        " and it is said where the data ends",
    )
    screen.say("The same by place:")
    _places(stage, [] if found is None else found["units"], registry)
    screen.say("Those in the air are in a box in a box in a box, and were seen with the outermost:")
    code = stage.run("where", folder.ledger, told.flying)
    _, said = stage.value(["where", str(folder.ledger), told.flying])
    deep = len((said or {}).get("containers", ()))
    stage.check("whereabouts", code == 0 and deep == 3, "a pack in a case, on a pallet, in an aircraft's unit")
    _open(stage, told)
    _next_sale(stage, day)


def _open(stage: Stage, told: Recall) -> None:
    """The record, and whom the enterprise tells."""
    folder, screen = stage.folder, stage.screen
    stage.at(told.opened)
    screen.say("The recall is a record in the log; what it affects is flagged in the same statement.")
    code, said = stage.ask(
        "recall", "open", folder.ledger, "--id", told.id, "--class", told.recall_class, "--gtin", told.product[3:],
        "--lot", told.lot, "--by", told.by, "--authority", told.authority, "--reason", told.reason, *stage.keys,
    )  # fmt: skip
    alive = sum(told.groups.values()) - told.groups["destroyed"]
    flagged = 0 if said is None else said["flagged"]
    entry = "" if said is None else f", entry {said['entry']:,}"
    stage.check("recall", code == 0 and flagged == alive, f"the recall is open{entry}: {flagged:,} packs are flagged")
    stage.at(told.notified)
    parties = [word for party in (*told.parties, *told.buyers) for word in ("--party", party)]
    code, said = stage.ask(
        "recall", "notify", folder.ledger, told.id, "--by", told.by, "--reason", "stop, send back", *stage.keys,
        more=parties, shown=f"--party {told.parties[0]} --party ...",
    )  # fmt: skip
    count = 0 if said is None else len(said["parties"])
    stage.check(
        "notified",
        code == 0 and count == len(told.parties) + len(told.buyers),
        f"{len(told.parties)} companies and {len(told.buyers):,} buyers are told, the buyers by tokens that can be"
        " erased",
    )


def _next_sale(stage: Stage, day: Day) -> None:
    """A sale that the shop has in hand: refused by who asks, kept as a violation by who does not."""
    told = day.recall
    stage.screen.say(
        "A shop has one of them on the counter, cleared at three minutes to noon. Who asks first, is told:"
    )
    _refused(stage, told.next_sale, "sell", "the sale would be refused")
    stage.screen.say("Its till did not ask. The scan of the sale comes in at one o'clock:")
    events, broken = ingest(stage, day, ("40-outbound-12*",))
    wanted = [(one.subject, code.name) for one in day.breaches if "outbound-12h" in one.file for code in one.codes]
    stage.check(
        "next sale", bool(events) and broken == wanted, "the sale is kept with its violation, the pack is not sold"
    )


def _refused(stage: Stage, text: str, event: str, words: str, *more: str) -> None:
    arguments = ["check", str(stage.folder.ledger), text, "--event", event, *more]
    code = stage.run(*arguments)
    _, said = stage.value(arguments)
    found = {one["name"] for about in (said or {}).get("subjects", ()) for one in about["violations"]}
    stage.check(f"check {event} RECALLED", code == 1 and found == {"RECALLED"}, words)


def _places(stage: Stage, units: list[dict[str, Any]], registry: Registry) -> None:
    """Packs by the place at which they were seen last, and what has to be done there."""
    names = {one.id: one.name for one in registry.opening if isinstance(one, Place | Carrier)}
    groups: dict[str, Counter[str]] = defaultdict(Counter)
    for unit in units:
        groups[unit["place"] or ""][unit["group"]] += 1
    to_do = {unit["group"]: unit["to_do"] for unit in units}
    rows = []
    for place, counts in sorted(groups.items(), key=lambda item: -item[1].total()):
        whole, _, part = place.partition("/254/")
        name = names.get(whole, whole or "nobody knows") + (f", {part}" if part else "")
        doing = ", ".join(f"{to_do[group]} {count:,}" for group, count in counts.most_common())
        rows.append((name, f"{counts.total():,}", doing))
    rows.append(("all", f"{len(units):,}", ""))
    stage.screen.table((("seen last at", "left"), ("packs", "right"), ("to do", "left")), rows, total=1)


# ---- until night -------------------------------------------------------------------------------


def until_night(stage: Stage, day: Day) -> None:
    """What shops and couriers report in the afternoon, and what comes in of the recalled lot."""
    stage.screen.say("Orders, payments, clearance, sales, deliveries, as on any day.")
    total = take(stage, day, ("40-outbound-1[3-9]*", "40-outbound-2*"))
    total += _late_case(stage, day)
    stage.screen.say("Vans turn round, and a store sends back what lay there for its buyers.")
    total += take(stage, day, ("46*",))
    expected = sum(file.events for file in day.files if "40-outbound-13" < file.name < "50")
    stage.check("afternoon", total == expected, f"{total:,} of {expected:,} events are in the ledger")


def _late_case(stage: Stage, day: Day) -> int:
    """A case of the lot of which nobody knew is caught by the open recall; how many events that took."""
    told = day.recall
    stage.screen.say(f"In the evening the maker sends the data of a case of lot {told.lot} that its papers forgot.")
    events = take(stage, day, ("44*",))
    stage.screen.say(
        "The dock has it on a shelf already, and a page of the shop was still up: a pack of it is ordered."
    )
    more, broken = ingest(stage, day, ("45*",))
    wanted = [(one.subject, code.name) for one in day.breaches if one.file.startswith("45") for code in one.codes]
    stage.check("late case", bool(more) and broken == wanted, "the order is kept with its violation")
    stage.screen.say(
        "Nobody flagged these packs: the log did not know of them. The open recall covers them all the same."
    )
    _refused(stage, told.late, "order", "nor can another be ordered", "--doc", "po:A-2", "--buyer", "00" * 16)
    return events + more


def witness(stage: Stage, day: Day) -> None:
    """Part of the recalled stock is destroyed: a key of the administration signs that."""
    station = next(one for one in day.stations if one.name.startswith("witness"))
    stage.screen.say(
        "Part of the recalled stock is burnt. An officer of the administration sees it, and signs it with a key of his"
        " own."
    )
    stage.at(station.files[-1].received)
    taken = hand_in(stage, station, "witnessed", shown=True)
    packs = sum(file.scans for file in station.files)
    expected = sum(file.events for file in station.files)
    stage.check(
        "witness", taken == expected, f"{packs:,} packs are destroyed, and it is not the warehouse that says so"
    )


def follow_recall(stage: Stage, day: Day) -> None:
    """How far it has come; its page; and that nobody closes it in silence."""
    folder, screen, told = stage.folder, stage.screen, day.recall
    screen.say("Ten hours later. What came back, what is locked, what is burnt, and what nobody has yet:")
    words = ("recall", "progress", folder.ledger, told.id, "--html", folder.recall)
    code = stage.run(*words)
    _, said = stage.value(["recall", "progress", str(folder.ledger), told.id])
    progress = {} if said is None else {name: said[name] for name in told.end}
    stage.check("progress", code == 0 and progress == told.end, "each number is that of the story")
    share = None if said is None else said["effectiveness"]
    kinds = Counter(one["kind"] for one in (said or {}).get("unresolved", ()))
    stage.check(
        "unresolved",
        kinds == {"left": 1, "contradiction": 3},
        "three packs whose last scan broke the recall are named, and what went abroad: it does not look complete",
    )
    if share is not None:
        stage.outcome.recall = progress | {"effectiveness": share}
    page = folder.recall.is_file() and told.id in folder.recall.read_text("utf-8")
    stage.check("page", page, f"the spread of the lot as one page without network: {folder.recall}")
    screen.say("It stays open: buyers have until Monday to answer. Who closes it now has to say why.")
    size = stage.call(["checkpoint", str(folder.ledger)])[1]
    code = stage.run(
        "recall", "close", folder.ledger, told.id, "--by", told.by, "--reason", "weekend", *stage.keys
    )  # fmt: skip
    same = size == stage.call(["checkpoint", str(folder.ledger)])[1]
    left = told.end["outstanding"]
    stage.check("not closed", code == 2 and same, f"{left:,} packs are outstanding, so nothing was written")


def hints(day: Day, ledger: str) -> list[tuple[str, str]]:
    """Commands to go on with, and what they show."""
    told = day.recall
    noon = format_time(told.opened, 480)[:16]
    return [
        (f"tracechain recall show {ledger} {told.id}", "the recall, step by step"),
        (f"tracechain recall progress {ledger} {told.id}", "how far it has come"),
        (f"tracechain recall preview {ledger} --maker '{told.name.split(', ')[-1]}'", "all that its maker made"),
        (f"tracechain stock {ledger} --by lot --by place", "what lies where"),
        (f"tracechain trace {ledger} '{told.handed_over}'", "a pack handed over in spite of the recall"),
        (f"tracechain where {ledger} '{told.handed_over}' --as-of {noon}:00+08:00", "and where it was at noon"),
    ]
