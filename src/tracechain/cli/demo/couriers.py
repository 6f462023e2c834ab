"""Two couriers deliver where there is no network: their handhelds sign what they scan, and hand it in later."""

from __future__ import annotations

import shutil
from pathlib import Path

from tracechain.cli.demo.stage import Stage
from tracechain.demo import Day, Station

__all__ = ["deliver", "hand_in"]


def deliver(stage: Stage, day: Day) -> None:
    """Each courier gets a key, signs two rounds offline and sends them in; then one round is sent once more."""
    folder, screen = stage.folder, stage.screen
    folder.stations.mkdir()
    screen.say("Each handheld has a key of its own, which the organisation's root lets write, events only.")
    couriers = [station for station in day.stations if station.name.startswith("courier")]
    expected = taken = 0
    for number, station in enumerate(couriers):
        expected += sum(file.events for file in station.files)
        taken += hand_in(stage, station, "delivered", shown=number == 0)
    screen.note(f"and {couriers[1].name.replace('-', ' ')} does the same")
    stage.check("couriers", taken == expected, f"{taken:,} deliveries, signed out of reach by two keys, are in the log")
    first = folder.scans / _kept(day.stations[0].files[0].name)
    screen.say("The network was bad, so courier 07 sends the first round once more.")
    _, before = stage.value(["checkpoint", str(folder.ledger)])
    code, said = stage.ask("submit", folder.ledger, first, *stage.keys)
    _, after = stage.value(["checkpoint", str(folder.ledger)])
    again = code == 0 and said is not None and said["repeated"] and before == after
    where = "" if said is None else f" (from entry {said['first_index']:,} on)"
    stage.check("resubmission", bool(again), f"answered with the first receipt{where}; nothing was appended")


def hand_in(stage: Stage, station: Station, what: str, *, shown: bool) -> int:
    """The day of a handheld: key, offline scans, submission; how many events came in (`what`: of what they tell)."""
    folder = stage.folder
    key, place = folder.stations / f"{station.name}.pem", folder.stations / station.name
    secret = ("--passphrase-file", folder.passphrase)
    files = [folder.scans / file.name for file in station.files]
    stage.do("keys", "create", key, *secret, shown=shown)
    stage.do(
        "keys", "authorise", folder.ledger, key, "--label", station.name, "--scope", "event", *stage.keys, shown=shown
    )
    stage.do("station", "create", place, _ledger_id(stage), "--key", key, *secret, shown=False)
    signed = stage.do("station", "sign", place, *files, "--key", key, *secret, shown=shown)
    for one in signed["signed"]:
        # What was submitted stays beside the scans: the station forgets what was acknowledged.
        shutil.copyfile(one["path"], folder.scans / _kept(Path(one["file"]).name))
    sent = stage.do("station", "send", place, folder.ledger, "--key", key, *stage.keys, shown=shown)
    if shown:
        for one in sent["sent"]:
            count = f"{one['events']:,} event{'s' if one['events'] != 1 else ''}"
            stage.screen.note(f"{count}, {what}: entry {one['first_index']:,} on")
    return sum(one["events"] for one in sent["sent"] if not one["repeated"])


def _kept(name: str) -> str:
    """The file beside a scan file that keeps the signed submission of it."""
    return f"{Path(name).stem}.tcs"


def _ledger_id(stage: Stage) -> str:
    from tracechain.ledger import Ledger

    with Ledger.open(stage.folder.ledger) as ledger:
        return ledger.ledger_id.hex()
