"""A whole bundle with everything in it that one can have, as a dictionary of files that a test changes.

files = whole_files(folder)                       made once
path = put(tmp_path / "bundle.zip", files | {"rows/000": b""})
"""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from person_samples import ANNA, BEN, Shop
from tracechain.bundle.container import create_container, open_container
from tracechain.bundle.whole import export_whole
from tracechain.checkpoint import NoteSigner, VerifierKey, add_signature, cosign
from tracechain.persons.disclosure import disclose
from tracechain.testing import ORIGIN, Keys, fixed_key
from tracechain.testing.samples import observe, pack_ids
from tracechain.witnessing import WitnessPolicy

__all__ = ["AUDITOR", "Whole", "put", "whole_bundle"]

AUDITOR = NoteSigner("auditor.example", fixed_key("auditor"))
WITNESSES = [NoteSigner(f"{name}.example/witness", fixed_key(name)) for name in ("one", "two", "three")]
POLICY = WitnessPolicy.of([one.cosigner for one in WITNESSES], 2)
LOG = NoteSigner(ORIGIN, Keys().log).verifier


@frozen
class Whole:
    """The files of the bundle, the key of its log, how many entries, the entry with two disclosures, that of the seal,
    an older note, and the clock's last time."""

    files: dict[str, bytes]
    verifier: VerifierKey
    size: int
    shown: int
    seal: int
    older: str
    now: int


def whole_bundle(folder: Path) -> Whole:
    """A log of some 700 entries with orders, a seal that an auditor signed, and two witnessed notes."""
    shop = Shop(folder)
    ledger = shop.ledger
    ids = pack_ids(50)
    shop.know(ANNA, "Anna")
    shown, _ = shop.sell(ANNA, "Anna")
    shop.sell(BEN, "Ben")
    for number in range(5):
        shop.clock.advance(60_000)
        ledger.append([observe(ids[(number + at) % 50 :][:3]) for at in range(50)])
    older = ledger.checkpoint()
    _cosign(shop, 0, 1)
    sealed = ledger.seals.make().sealed
    ledger.seals.add_note(ledger.seals.cosign(AUDITOR), [AUDITOR.verifier])
    for number in range(8):
        shop.clock.advance(60_000)
        ledger.append([observe(ids[(number + at) % 50 :][:2]) for at in range(50)])
    _cosign(shop, 1, 2)
    shop.clock.advance(60_000)
    ledger.append([observe(ids[:1])])
    with ledger.snapshot() as view:
        private = [disclose(view, ledger.vault, shown, name) for name in ("phone", "address")]
        done = export_whole(view, folder / "whole.zip", exported_ms=shop.clock.now, disclosures=private)
    ledger.close()
    with open_container(folder / "whole.zip") as container:
        files = {name: container.read(name, 1 << 28) or b"" for name in container.names()}
    return Whole(files, ledger.verifier, done.size, shown, sealed.index, older, shop.clock.now)


def _cosign(shop: Shop, *witnesses: int) -> None:
    note = shop.ledger.checkpoint()
    for one in witnesses:
        signer = WITNESSES[one]
        note = add_signature(note, cosign(note, signer.name, signer.signer, shop.clock.now // 1000 + one))
    shop.ledger.witnessed.add(note)


def put(path: Path, files: dict[str, bytes]) -> Path:
    """Write files as a bundle, a zip by its name."""
    with create_container(path) as writer:
        for name, data in files.items():
            writer.put(name, data)
    return path
