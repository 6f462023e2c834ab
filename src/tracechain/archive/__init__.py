"""Archives: contents and rows that are about to be pruned, in one signed file that can be verified against the
ledger's headers for ever (docs/format.md section 14, docs/archive.md).

    archive = write_archive(view, "2034-q1.tcarchive", plan.contents, plan.rows, signer)
    check_archive("2034-q1.tcarchive", verifier).raise_for_findings()
    with open_archive("2034-q1.tcarchive") as reader:
        reader.entry(1234).content

- `places`: which entries are held. `tree`: the proof that their headers are in the log.
- `directory`: what frames the file. `parts`: the bytes of a block.
- `writing`, `reading`, `checking`.
"""

from tracechain.archive.checking import ArchiveFinding, ArchiveReport, Code, check_archive
from tracechain.archive.reading import Archived, ArchiveReader, open_archive
from tracechain.archive.writing import Archive, write_archive

__all__ = [
    "Archive",
    "ArchiveFinding",
    "ArchiveReader",
    "ArchiveReport",
    "Archived",
    "Code",
    "check_archive",
    "open_archive",
    "write_archive",
]
