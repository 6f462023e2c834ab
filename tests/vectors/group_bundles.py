"""Frozen bundles: small ones of every kind, right ones and wrong ones, with the verdict on each.

    bundles/v0-<case>.zip     the bundle, its files not packed, so that the same files make the same bytes everywhere
    bundles/v0-<case>.json    what it shows, what is brought to check it, and the verdict: outcome, exit, first finding

The verdicts are written here by hand and not by what verification says.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from bundle_samples import KEYS, Brought, Sample, samples, write_zip
from bundle_texts import LOG, flipped
from tracechain.checkpoint import Checkpoint, parse_checkpoint, parse_note, sign_checkpoint
from tracechain.record import key_subject

CLEAN: tuple[str, int, None] = ("clean", 0, None)
UNREADABLE: tuple[str, int, None] = ("unreadable", 2, None)
Case = tuple[str, Sample, tuple[str, int, Any]]


def _found(code: str, index: int | None = None, subject: str | None = None) -> tuple[str, int, Any]:
    return "findings", 1, [code, index, subject]


def _flip(sample: Sample, name: str, offset: int) -> Sample:
    return sample.changed({name: flipped(sample.files[name], offset, 0)})


def _right(made: dict[str, Sample]) -> dict[str, Case]:
    return {
        "whole": ("A whole log of a few entries, with a seal.", made["small"], CLEAN),
        "whole-everything": (
            "A whole log with both rule sets, a lost epoch, seals, auditors, witnesses, disclosures, prunings.",
            made["everything"],
            CLEAN,
        ),
        "whole-no-key": (
            "Without a key from elsewhere authenticity is not checked.",
            made["small"].bring(key=None),
            ("clean", 1, None),
        ),
        "excerpt": ("The history of a pack.", made["excerpt"], CLEAN),
        "excerpt-units": (
            "Histories of packs, some of them pruned, with a disclosure, witnesses, auditors and an older checkpoint.",
            made["units"],
            CLEAN,
        ),
        "excerpt-relabelled": ("A pack that was relabelled, and what it was in.", made["relabelled"], CLEAN),
        "absence": ("Three codes that are not in the ledger.", made["absence"], CLEAN),
    }


def _wrong(made: dict[str, Sample]) -> dict[str, Case]:
    small, excerpt = made["small"], made["excerpt"]
    head = parse_checkpoint(parse_note(small.files["checkpoint"].decode()).text)
    other = sign_checkpoint(Checkpoint(head.origin, head.size, bytes(32)), [LOG]).encode()
    number = head.size
    return {
        "whole-contradiction": (
            "An author signed two statements for one number.",
            made["contradiction"],
            _found("EQUIVOCATION", 53),
        ),
        "whole-content": (
            "A bit of the genesis record's salt is another.",
            _flip(small, f"contents/000.p/{number}", 4),
            _found("CONTENT_COMMITMENT", 0),
        ),
        "whole-header": (
            "A bit of the last header is another.",
            _flip(small, f"tile/entries/000.p/{number}", 130 * number - 1),
            _found("BUNDLE_TILE", 0),
        ),
        "whole-tile": (
            "A bit of a tile is another.",
            _flip(small, f"tile/0/000.p/{number}", 0),
            _found("BUNDLE_TILE", 0),
        ),
        "whole-other-root": (
            "The checkpoint signs another root.",
            small.changed({"checkpoint": other}),
            _found("TREE_ROOT"),
        ),
        "whole-no-checkpoint": (
            "There is no checkpoint.",
            small.changed({"checkpoint": None}),
            _found("CHECKPOINT_MISSING"),
        ),
        "whole-surplus": (
            "A file for which there is no place.",
            small.changed({"more": b""}),
            _found("BUNDLE_SURPLUS"),
        ),
        "whole-entries-missing": (
            "The headers are not there.",
            small.changed({f"tile/entries/000.p/{number}": None}),
            _found("ENTRY_MISSING", 0),
        ),
        "whole-unwitnessed": (
            "Two witnesses are demanded, and there is none.",
            small.bring(policy=made["everything"].brought.policy),
            _found("WITNESS_QUORUM"),
        ),
        "whole-manifest": ("bundle.json is of another format.", small.changed({"bundle.json": b"{}"}), UNREADABLE),
        "excerpt-proof": (
            "An entry without its proof.",
            excerpt.changed({"entries/000.proof": None}),
            _found("PROOF", 0),
        ),
        "excerpt-seal": (
            "The seal is not there.",
            excerpt.changed({"seal/items": None}),
            _found("CHAIN_INCOMPLETE", 1, key_subject(KEYS.author.public_key.hash)),
        ),
        "absence-none": (
            "No proof of absence is there.",
            made["absence"].changed({"seal/absent": None}),
            _found("ABSENCE"),
        ),
    }


def _said(brought: Brought) -> dict[str, Any]:
    return {
        "key": brought.key, "since": brought.since, "policy": brought.policy, "auditors": list(brought.auditors),
        "now": brought.now,
    }  # fmt: skip


def files() -> dict[str, bytes]:
    """All files of the folder `bundles` but its README: name -> bytes."""
    found: dict[str, bytes] = {}
    with tempfile.TemporaryDirectory() as folder:
        made = samples(Path(folder))
        for name, (about, sample, (outcome, code, first)) in {**_right(made), **_wrong(made)}.items():
            found[f"v0-{name}.zip"] = write_zip(Path(folder) / f"{name}.zip", sample.files).read_bytes()
            case = {
                "about": about, "kind": "bundle", "brought": _said(sample.brought), "outcome": outcome, "exit": code,
                "first": first,
            }  # fmt: skip
            found[f"v0-{name}.json"] = (json.dumps(case, indent=1, ensure_ascii=False) + "\n").encode()
    return found
