"""A ledger to take excerpts from, and excerpts with something wrong in them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from attrs import define, evolve

from tracechain.bundle.entryfile import EntryFile
from tracechain.bundle.excerpt import Exported, SealProofs, export_absence, export_excerpt
from tracechain.bundle.names import entry_name
from tracechain.bundle.select import Selection, select_units
from tracechain.checkpoint import VerifierKey
from tracechain.event import SourceDest
from tracechain.ledger import Ledger
from tracechain.ledger.seals import prover
from tracechain.record import authorise
from tracechain.seals import prover_of, seals_of
from tracechain.testing import ORIGIN, Clock, Keys, new_ledger
from tracechain.testing.samples import (
    case_id,
    commission,
    destroy,
    observe,
    pack,
    pack_ids,
    receive,
    relabel,
    sell,
    sensor,
    ship,
    unpack,
)
from tracechain.testing.scanner import Scanner
from tracechain.view import View

KEYS = Keys()
VERIFIER = VerifierKey(ORIGIN, 1, KEYS.log.public_key)
PACKS = pack_ids(8)
CASE, PALLET = case_id(1), case_id(2)
NEW = pack_ids(1, start=900_001)[0]
MERCHANT = "urn:example:merchant"
ABSENT = "01/09521234001072/21/BJ000999"
NOW = 1_795_300_000_000


def make_ledger(path: Path) -> tuple[Ledger, Clock]:
    """Packs in a case on a pallet, scanned by a station and by the ledger's own process; one is relabelled; sealed
    twice, and something came after."""
    clock = Clock()
    ledger = new_ledger(path, keys=KEYS, clock=clock)
    ledger.authorise(authorise(ledger.ledger_id, KEYS.station, KEYS.root, "station", ["event"]))
    station = Scanner(KEYS.station, ledger.ledger_id)

    def scan(*events: Any) -> None:
        clock.advance(60_000)
        ledger.submit(station.make([evolve(one, event_time=clock.now * 1_000_000) for one in events], at=clock.now))

    def append(*events: Any) -> None:
        clock.advance(60_000)
        ledger.append([evolve(one, event_time=clock.now * 1_000_000) for one in events])

    scan(*(commission((one,)) for one in PACKS), pack(CASE, PACKS))
    append(pack(PALLET, (CASE,)), evolve(ship((PALLET,)), destinations=(SourceDest("owning_party", MERCHANT),)))
    ledger.seals.make()
    scan(receive((PALLET,)), unpack(PALLET, (CASE,)), unpack(CASE, PACKS), sensor("21.5"))
    append(relabel(PACKS[3:4], (NEW,)), sell(PACKS[:1]), destroy(PACKS[2:3]))
    clock.advance(60_000)
    ledger.seals.make()
    scan(observe(PACKS[1:2]), sell(PACKS[1:2]))
    return ledger, clock


def sealed(view: View) -> SealProofs:
    """The latest seal of any view, worked out from its rows."""
    latest = next(seals_of(view))
    return SealProofs(latest, prover_of(view, latest.body))


@define
class Maker:
    """Makes excerpts of one ledger in a folder."""

    ledger: Ledger
    folder: Path
    count: int = 0

    def path(self, name: str = "") -> Path:
        """A new name."""
        self.count += 1
        return self.folder / (name or f"excerpt-{self.count}")

    def units(self, *codes: str, name: str = "", seal: bool = True, **more: Any) -> Exported:
        """The histories of some codes."""
        with self.ledger.snapshot() as view:
            return self.of(view, select_units(view, codes), name=name, seal=seal, **more)

    def of(self, view: Any, selection: Selection, *, name: str = "", seal: bool = True, **more: Any) -> Exported:
        """Any selection."""
        proofs = SealProofs(*prover(view)) if seal else None
        return export_excerpt(view, self.path(name), selection, exported_ms=NOW, seal=proofs, **more)

    def absent(self, *codes: str, name: str = "", **more: Any) -> Exported:
        """The absence of some codes."""
        with self.ledger.snapshot() as view:
            proofs = SealProofs(*prover(view))
            return export_absence(view, self.path(name), codes, exported_ms=NOW, seal=proofs, **more)


# ---- with something wrong --------------------------------------------------------------------------


def rewrite(folder: Path, index: int, **changes: Any) -> None:
    """Change what the file of an entry says."""
    path = folder / entry_name(index)
    path.write_bytes(evolve(EntryFile.decode(path.read_bytes()), **changes).encode())


def files_of(folder: Path) -> Iterable[Path]:
    """All files, in order."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def proofs_in(path: Path, name: str) -> list[bytes]:
    """The encoded proofs of a list."""
    data, found = (path / name).read_bytes(), []
    while data:
        count = int.from_bytes(data[:4], "big")
        found.append(data[4 : 4 + count])
        data = data[4 + count :]
    return found


def put_proofs(path: Path, name: str, proofs: list[bytes]) -> None:
    """Write such a list."""
    (path / name).write_bytes(b"".join(len(one).to_bytes(4, "big") + one for one in proofs))
