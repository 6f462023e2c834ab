"""The folder that the demo leaves behind, and where it looks for real EPCIS documents."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from tracechain.errors import InputError
from tracechain.formats.epcis import parse_document

__all__ = ["Folder", "RealDocument", "real_documents"]

MARKER = "made-by-tracechain-demo.txt"
MARKER_TEXT = (
    "`tracechain demo` made this folder, and replaces what it made when it runs again.\n"
    "The keys in keys/ and their passphrase lie open here: they are for this demonstration only.\n"
)
#: What the demo makes, and therefore may remove.
MADE = (
    "ledger",
    "ledger.anchor",
    "ledger.vkey",
    "ledger-later",
    "ledger-later.anchor",
    "later",
    "pruned.tcarchive",
    "erased.txt",
    "buyers.json",
    "scans",
    "registers",
    "keys",
    "stations",
    "copies",
    "checkpoint",
    "recall.html",
    "proof.tlog-proof",
    "inspection",
)


class Folder:
    """Paths inside the demo's folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.ledger = path / "ledger"
        self.anchor = path / "ledger.anchor"
        self.vkey = path / "ledger.vkey"
        self.scans = path / "scans"
        self.registers = path / "registers"
        self.keys = path / "keys"
        self.passphrase = self.keys / "passphrase.txt"
        self.stations = path / "stations"
        self.copies = path / "copies"
        #: The backup of the evening before the day, with the anchor that the ledger had then.
        self.eve = self.copies / "evening-before"
        #: What is put into the vault; only there until that is done.
        self.buyers = path / "buyers.json"
        #: The ledger eight years later, what is archived before it is pruned, and the personal values that it lost.
        self.later = path / "ledger-later"
        self.later_anchor = path / "ledger-later.anchor"
        #: The evening before, pruned likewise.
        self.small = self.copies / "evening-before-pruned"
        self.later_files = path / "later"
        self.pruned = path / "pruned.tcarchive"
        self.erased = path / "erased.txt"
        self.checkpoint = path / "checkpoint"
        self.recall = path / "recall.html"
        self.proof = path / "proof.tlog-proof"
        #: What passes between the operator, the witnesses, an auditor and an inspector.
        self.inspection = path / "inspection"
        self.policy = self.inspection / "witnesses.policy"
        #: What an inspector kept of an earlier visit.
        self.kept = self.inspection / "kept-on-thursday.note"
        self.auditor = self.inspection / "auditor.pem"
        self.auditor_vkey = self.inspection / "auditor.vkey"
        self.script = self.inspection / "verify_bundle.py"

    def authority(self, name: str, suffix: str = "pem") -> Path:
        """A file of an authority: its key, or with another suffix what is of that key."""
        return self.inspection / f"{name}.{suffix}"

    def bundle(self, name: str) -> Path:
        """A bundle: those of whole logs are folders, to look around in, the others are zip files."""
        return self.inspection / (name if name in ("whole", "evening") else f"{name}.zip")

    def page(self, name: str) -> Path:
        """What the stand-alone script said of a bundle."""
        return self.inspection / f"{name}.html"

    def prepare(self) -> None:
        """Make it, or empty it of what the demo made before. InputError for a folder that is somebody else's."""
        marker = self.path / MARKER
        try:
            if self.path.exists() and not marker.is_file():
                if not self.path.is_dir():
                    raise InputError(f"{self.path} is a file: name a folder with --dir")
                if any(self.path.iterdir()):
                    raise InputError(
                        f"{self.path} is there and was not made by the demo (it has no {MARKER}): nothing was touched;"
                        " name another folder with --dir"
                    )
            self.path.mkdir(parents=True, exist_ok=True)
            for name in MADE:
                self.remove(self.path / name)
            marker.write_text(MARKER_TEXT, "utf-8")
            self.scans.mkdir()
            self.registers.mkdir()
        except OSError as error:
            raise InputError(f"{self.path} cannot be prepared ({error}): name another folder with --dir") from error

    @staticmethod
    def remove(path: Path) -> None:
        """Remove a file or a folder of the demo's own, if it is there; a link is removed, not followed."""
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


@frozen
class RealDocument:
    """A document that somebody else wrote: its path, events in it, and why it is left out, if it is."""

    path: Path
    name: str
    events: int
    fault: str = ""


def real_documents() -> Iterator[RealDocument]:
    """The EPCIS documents of `../shared/epcis` that are said to be valid, beside the current folder or the sources.

    Nothing where there are none. A document that we refuse nevertheless has its `fault`.
    """
    for base in (Path.cwd(), Path(__file__).resolve().parents[4]):
        folder = base / ".." / "shared" / "epcis"
        if (folder / "manifest.json").is_file():
            break
    else:
        return
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    for listed in manifest["files"]:
        name = listed["file"]
        if listed.get("schema_valid") is not True or not name.startswith(("gs1-examples/", "openepcis-valid/")):
            continue
        path = folder / name
        try:
            events = len(parse_document(path.read_bytes(), Path(name).name))
        except (InputError, OSError) as error:
            yield RealDocument(path, name, 0, str(error))
        else:
            yield RealDocument(path, name, events)
