"""Seals: where every subject of the log stood at one moment (docs/format.md section 5.12).

A seal is the root of a sorted map, id -> (latest entry, its leaf, state). By it is shown that a history is complete up
to the seal, or that a code was never there.

- `items`: items, buckets, `map_root` of a stream of items
- `proofs`: `Presence` and `Absence`, encoded, decoded, checked
- `maps`: `SealMap`, a map that changes with the log; `Prover`, which makes proofs
- `working`: a map worked out of the rows of any View
- `body`, `note`: what the record in the log says, and what an auditor signs
- `chain`: the seals of a log
"""

from tracechain.seals.body import SEAL, SEAL_SUBJECT, SealBody
from tracechain.seals.chain import Sealed, latest_seal, note_of, read_seal, seals_of
from tracechain.seals.items import Bucket, Item, MapRoot, buckets, ends_bucket, item_hash, map_root
from tracechain.seals.maps import Prover, SealMap
from tracechain.seals.note import SealNote, merge_notes, open_seal_note, parse_seal_note, sign_note
from tracechain.seals.proofs import MAX_PROOF_BYTES, Absence, Presence, check_code
from tracechain.seals.working import item_hashes, prover_of, row_words, units_map, words_at

__all__ = [
    "MAX_PROOF_BYTES",
    "SEAL",
    "SEAL_SUBJECT",
    "Absence",
    "Bucket",
    "Item",
    "MapRoot",
    "Presence",
    "Prover",
    "SealBody",
    "SealMap",
    "SealNote",
    "Sealed",
    "buckets",
    "check_code",
    "ends_bucket",
    "item_hash",
    "item_hashes",
    "latest_seal",
    "map_root",
    "merge_notes",
    "note_of",
    "open_seal_note",
    "parse_seal_note",
    "prover_of",
    "read_seal",
    "row_words",
    "seals_of",
    "sign_note",
    "units_map",
    "words_at",
]
