"""Bundles of real ledgers, to be checked by the library and by the script: between them they have everything.

    everything(folder)   a ledger with both rule sets, several authors, a revoked key, violations, containers, private
                         values, clamped and jumping receipt times, a lost epoch (settled), seals, auditors' notes,
                         witnessed notes, contents and rows that were pruned
    samples(folder)      bundles: name -> Sample

A `Sample` holds its files in memory, and what a verifier would bring with it; `write` makes a folder or zip of them.
"""

from __future__ import annotations

import contextlib
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import evolve, field, frozen

from excerpt_samples import ABSENT, PACKS, Maker, sealed
from excerpt_samples import make_ledger as make_excerpt_ledger
from pilot_world import BUYER, REGISTERED, World
from retained import day, policy
from tracechain.bundle.excerpt import Private, SealProofs, export_absence, export_excerpt
from tracechain.bundle.select import select_period, select_units
from tracechain.bundle.whole import export_whole
from tracechain.checkpoint import (
    NoteSigner,
    VerifierKey,
    add_signature,
    cosign,
    format_vkey,
    parse_checkpoint,
    parse_note,
)
from tracechain.errors import InputError
from tracechain.ledger import Ledger
from tracechain.ledger.seals import prover
from tracechain.persons.disclosure import disclose
from tracechain.private import private_fields
from tracechain.record import Record, authorise, revoke
from tracechain.retention.plan import plan
from tracechain.testing import ORIGIN, Clock, Keys, Random, fixed_key, new_ledger, open_ledger
from tracechain.testing.samples import case_id, commission, destroy, observe, pack, pack_ids, sensor, unpack
from tracechain.testing.scanner import Scanner, sample_ledger
from tracechain.view import View

__all__ = [
    "AUDITOR",
    "KEYS",
    "NOW",
    "VERIFIER",
    "WITNESSES",
    "Brought",
    "Sample",
    "everything",
    "read_bundle",
    "samples",
]

KEYS = Keys()
VERIFIER = VerifierKey(ORIGIN, 1, KEYS.log.public_key)
AUDITOR = NoteSigner("auditor.example/a", fixed_key("auditor"))
OTHER_AUDITOR = NoteSigner("auditor.example/b", fixed_key("other auditor"))
WITNESSES = tuple(
    NoteSigner(f"{name}.example/witness", fixed_key(name))
    for name in ("drugs-administration", "customs", "commerce", "health-commission")
)
#: 2030-01-01: later than everything here.
NOW = 1_893_456_000_000
DAY = 86_400_000


def witness_policy(quorum: int = 2, witnesses: tuple[NoteSigner, ...] = WITNESSES) -> str:
    """So many of these witnesses."""
    lines = [f"witness w{number} {format_vkey(one.cosigner)}" for number, one in enumerate(witnesses)]
    members = " ".join(f"w{number}" for number in range(len(witnesses)))
    return "\n".join([*lines, f"group all-of-them {quorum} {members}", "quorum all-of-them", ""])


@frozen(kw_only=True)
class Brought:
    """What a verifier has from elsewhere: texts of keys, an older note, a policy of witnesses; the time (ms)."""

    key: str | None = format_vkey(VERIFIER)
    since: str | None = None
    policy: str | None = None
    auditors: tuple[str, ...] = ()
    now: int | None = None


@frozen
class Sample:
    """A bundle: its files by name, and what is brought to check it."""

    name: str
    files: Mapping[str, bytes] = field(repr=lambda files: f"<{len(files)} files>")
    brought: Brought = Brought()

    def bring(self, **changes: Any) -> Sample:
        """The same files, checked by somebody else."""
        return evolve(self, brought=evolve(self.brought, **changes))

    def changed(self, files: Mapping[str, bytes | None]) -> Sample:
        """With other files; None takes one away."""
        found = {**self.files, **files}
        return evolve(self, files={name: data for name, data in found.items() if data is not None})


def read_files(path: Path) -> dict[str, bytes]:
    """The files of a folder or a zip."""
    if path.is_dir():
        return {one.relative_to(path).as_posix(): one.read_bytes() for one in sorted(path.rglob("*")) if one.is_file()}
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_folder(path: Path, files: Mapping[str, bytes]) -> Path:
    """Make a folder of them."""
    for name, data in files.items():
        place = path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    path.mkdir(exist_ok=True)
    return path


def write_zip(path: Path, files: Mapping[str, bytes], *, packed: bool = False) -> Path:
    """Make a zip of them: the same bytes from the same files, where they are not packed."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED)
    return path


# ---- a ledger with everything ------------------------------------------------------------------------


def _cosigned(note: str, *signed: tuple[int, int]) -> str:
    """With the cosignatures of witnesses (by number) at times (s)."""
    for number, time in signed:
        witness = WITNESSES[number]
        note = add_signature(note, cosign(note, witness.name, witness.signer, time))
    return note


class _Maker:
    """Plays the history of `everything`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.world = World(folder, (), station=True)
        self.opened = 0
        #: What a witness signed of entries that were lost.
        self.lost_note = ""

    @property
    def ledger(self) -> Ledger:
        return self.world.ledger

    def later(self, days: int = 0) -> None:
        """Some days pass; each has an event of a pack of its own."""
        for _ in range(days):
            self.world.clock.advance(DAY)
            self.opened += 1
            self.ledger.append([evolve(observe(pack_ids(1, start=7000 + self.opened)), event_time=self.world.now)])

    def reopen(self) -> None:
        self.ledger.close()
        self.opened += 1
        self.world.ledger = open_ledger(
            self.world.path, keys=KEYS, clock=self.world.clock, random=Random(2000 + self.opened)
        )

    def witness(self, *numbers: int, later: int = 30) -> None:
        """Some witnesses sign what there is."""
        time = self.world.clock.now // 1000 + later
        note = self.ledger.checkpoint()
        self.ledger.witnessed.add(_cosigned(note, *((number, time + number) for number in numbers)))

    def plain(self) -> None:
        """By rule set 1: two stations, containers, a pack that is gone, a key that is revoked."""
        ledger, world = self.ledger, self.world
        ledger.authorise(authorise(ledger.ledger_id, KEYS.other_station, KEYS.root, "old", ("event", "note")))
        other = Scanner(KEYS.other_station, ledger.ledger_id, Random(102))
        old = pack_ids(6, start=500)
        ledger.append([commission(old[:4]), pack(case_id(1), old[:3]), sensor("21.5")], record_class=1)
        world.clock.advance(60_000)
        ledger.submit(other.make([observe(old[2:5]), Record("note", ("seal broken",), case_id(1))], record_class=2))
        ledger.append([unpack(case_id(1), old[:1]), destroy(old[3:4]), observe(old[3:4]), pack(case_id(2), old[:2])])
        self.witness(0, 1)
        world.clock.advance(-5_000)
        ledger.append([observe(old[1:2])])
        ledger.revoke(revoke(ledger.ledger_id, KEYS.other_station.public_key.hash, KEYS.root, "scanner lost"))
        ledger.seals.make()

    def ended(self) -> None:
        """Packs that come and go, and may be pruned years later."""
        for number in range(3):
            codes = pack_ids(2, start=800 + 2 * number)
            events = [commission(codes), evolve(destroy(codes), read_point="414/9521234000020")]
            self.ledger.append([evolve(one, event_time=self.world.now) for one in events])
            self.world.clock.advance(60_000)

    def pilot(self) -> None:
        """By rule set 2, with violations, private values and packs in containers."""
        world, ledger = self.world, self.ledger
        world.register(*REGISTERED)
        packs = world.packs[:6]
        world.submit(world.commission(*packs))
        world.keep(world.ship(*packs))
        world.submit(world.bond_in(*packs))
        world.keep(world.order(*packs[:2]))
        world.keep(world.pay(*packs[:2]))
        world.keep(world.clear(*packs[:2]))
        world.keep(world.sell(*packs[:2]))
        # What breaks rules is kept as evidence.
        ledger.append([world.sell(*packs[:2]), evolve(world.deliver(*packs[2:4]), event_time=world.now + 1)])
        world.submit(evolve(pack(case_id(7), packs[4:6]), event_time=world.now))
        ledger.append([evolve(pack(case_id(8), packs[5:6]), event_time=world.now)])
        world.keep(world.deliver(*packs[:1]))
        self.witness(1, 2, 3)

    def lost(self) -> None:
        """A backup is put back; what was lost is settled."""
        world = self.world
        self.ledger.close()
        copy = self.folder / "backup"
        shutil.copytree(world.path, copy)
        self.opened += 1
        world.ledger = open_ledger(world.path, keys=KEYS, clock=world.clock, random=Random(2000 + self.opened))
        self.later(2)
        self.lost_note = _cosigned(self.ledger.checkpoint(), (0, world.clock.now // 1000 + 1))
        self.ledger.close()
        shutil.rmtree(world.path)
        shutil.copytree(copy, world.path)
        world.ledger = Ledger.restore(
            world.path, signer=KEYS.log, author=KEYS.author, clock=world.clock, random=Random(3000), reason="disk died"
        )
        self.ledger.settle_epoch(1, "scanned again", KEYS.root)
        self.ledger.seals.make()
        self.witness(0, 1, 2)

    def order(self) -> None:
        """Somebody orders, of whom the vault knows things; the packs have expired meanwhile."""
        world, ledger = self.world, self.ledger
        fields, kept = private_fields({"phone": "+86-10-5550199", "address": "Xinhua Road 7"}, Random(77))
        ledger.vault.put_private(kept, BUYER)
        ledger.append([evolve(world.order(*world.packs[2:3]), private=fields)])

    def prune(self) -> None:
        """Years later contents go, and rows after them."""
        world = self.world
        world.clock.set(1_862_000_000_000 + DAY)
        self.ledger.accept_clock("closed for years")
        self.later(1)
        for name in ("first", "second"):
            with self.ledger.snapshot() as view:
                due = plan(view, as_of=day(world.clock.now))
            self.ledger.announce(due, name=name, reason="Due")
            self.later(3)
            self.ledger.prune(name)
            self.reopen()


def everything(folder: Path) -> tuple[Ledger, str]:
    """A ledger that has everything, open; and a witnessed note of entries that it lost."""
    maker = _Maker(folder)
    maker.plain()
    maker.ledger.retain(policy())
    maker.later(4)
    maker.ended()
    maker.pilot()
    maker.lost()
    maker.prune()
    maker.order()
    ledger = maker.ledger
    ledger.seals.make()
    ledger.seals.add_note(ledger.seals.cosign(AUDITOR))
    ledger.seals.add_note(ledger.seals.cosign(OTHER_AUDITOR))
    maker.witness(0, 2, 3)
    maker.later(1)
    maker.witness(1, 2)
    maker.later(1)
    return ledger, maker.lost_note


# ---- bundles -----------------------------------------------------------------------------------------


def _disclosures(view: View, ledger: Ledger) -> list[Any]:
    found = []
    for index in range(view.size):
        for name in ("phone", "address"):
            with contextlib.suppress(InputError):
                found.append(disclose(view, ledger.vault, index, name))
    assert len(found) == 2
    return found


def read_bundle(path: Path) -> dict[str, bytes]:
    """The files of a bundle, without what comes with every version anew."""
    return {name: data for name, data in read_files(path).items() if name not in ("README.txt", "verify_bundle.py")}


def _from_everything(folder: Path) -> Iterator[Sample]:
    ledger, lost = everything(folder)
    older = dict(ledger.witnessed.notes())
    asked = Brought(
        policy=witness_policy(), auditors=tuple(format_vkey(one.verifier) for one in (AUDITOR, OTHER_AUDITOR)), now=NOW
    )
    with ledger, ledger.snapshot() as view:
        since = older[min(older)]
        head = parse_checkpoint(parse_note(since).text)
        seal = SealProofs(*prover(view))
        export_whole(view, folder / "whole.zip", exported_ms=NOW, disclosures=_disclosures(view, ledger))
        files = read_bundle(folder / "whole.zip")
        files[f"witnessed/{parse_checkpoint(parse_note(lost).text).size}"] = lost.encode()
        yield Sample("everything", files, evolve(asked, since=since))
        private = Private(ledger.vault, frozenset(("phone",)), "Order of the court")
        chosen = (*pack_ids(3), *pack_ids(2, start=500), *pack_ids(2, start=800))
        more: dict[str, Any] = {"exported_ms": NOW, "seal": seal}
        export_excerpt(
            view, folder / "units", select_units(view, chosen), private=private, since=[head], **more
        )  # fmt: skip
        yield Sample("units", read_bundle(folder / "units"), evolve(asked, since=since))
        start = int.from_bytes((view.header(20) or b"")[8:16], "big")
        export_excerpt(view, folder / "period", select_period(view, start, start + DAY), **more)
        yield Sample("period", read_bundle(folder / "period"), asked)
        export_absence(view, folder / "absence.zip", [ABSENT, "00/000000000000000000", "zz:z"], **more)
        yield Sample("absence", read_bundle(folder / "absence.zip"), asked)


def _from_others(folder: Path) -> Iterator[Sample]:
    ledger, _ = make_excerpt_ledger(folder / "ledger")
    with ledger:
        maker = Maker(ledger, folder)
        yield Sample("relabelled", read_bundle(maker.units(PACKS[3], PACKS[0]).path))
        yield Sample("unsealed", read_bundle(maker.units(PACKS[4], seal=False).path))
    sample_ledger(folder / "contradiction", contradiction=True)
    with new_ledger(folder / "small", keys=KEYS, clock=Clock()) as ledger:
        ledger.append([commission(pack_ids(2)), pack(case_id(1), pack_ids(2))], record_class=1)
    with open_ledger(folder / "small", keys=KEYS) as ledger:
        ledger.seals.make()
    for name in ("contradiction", "small"):
        with Ledger.open(folder / name) as ledger, ledger.snapshot() as view:
            export_whole(view, folder / f"{name}.zip", exported_ms=NOW)
        yield Sample(name, read_bundle(folder / f"{name}.zip"))
    with Ledger.open(folder / "small") as ledger, ledger.snapshot() as view:
        selection = select_units(view, pack_ids(1))
        export_excerpt(view, folder / "excerpt", selection, exported_ms=NOW, seal=sealed(view))
        yield Sample("excerpt", read_bundle(folder / "excerpt"))


def samples(folder: Path) -> dict[str, Sample]:
    """Bundles of all kinds, made in a folder: name -> sample. The same ones each time."""
    for name in ("one", "two"):
        (folder / name).mkdir()
    return {one.name: one for one in (*_from_everything(folder / "one"), *_from_others(folder / "two"))}
