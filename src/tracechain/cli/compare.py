"""`tracechain compare`: whether two people were shown the same log."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from attrs import field, frozen

from tracechain.cli.keyfiles import read_vkey
from tracechain.cli.opening import looks_like_bundle, open_to_read
from tracechain.cli.output import console, json_option, plain, print_json, say, say_wrapped, styled, table
from tracechain.cli.witness_words import read_text, read_witnesses, second, witness_option
from tracechain.errors import InputError

if TYPE_CHECKING:
    from tracechain.checkpoint import VerifierKey
    from tracechain.view import View
    from tracechain.witnessing import Comparison, Head

__all__ = ["compare"]

_MAX_NOTE = 1 << 16
_PATH = click.Path(path_type=Path)
_VERDICTS = {
    "same": ("✓ THE SAME", "good"), "extends": ("✓ ONE EXTENDS THE OTHER", "good"), "fork": ("✗ FORK", "bad"),
    "rollback": ("✗ ROLLBACK", "bad"), "lost": ("✗ ENTRIES WERE LOST", "bad"), "unknown": ("? CANNOT TELL", "warn"),
}  # fmt: skip


@frozen
class _Given:
    """What was named: the note, and the log where there is one; or a bundle's proofs."""

    path: Path
    note: str
    view: View | None = None
    hashes: Mapping[int, tuple[bytes, ...]] = field(factory=dict)


@click.command(short_help="Compare two checkpoints, ledgers or bundles.")
@click.argument("a", type=_PATH)
@click.argument("b", type=_PATH)
@click.option("--with", "third", type=_PATH, metavar="PATH", help="A ledger or whole bundle to tell by.")
@click.option("--key", metavar="VKEY|FILE", help="The log's verifier key, as you know it from outside.")
@witness_option
@json_option
def compare(a: Path, b: Path, third: Path | None, key: str | None, witnesses: tuple[str, ...], as_json: bool) -> int:
    """Whether A and B, as two people were shown them, are of one log: the same, one extends the other, or a FORK.

    A and B are files with a checkpoint, cosigned or not, ledgers, or bundles. Two checkpoints of different sizes do
    not tell by themselves: a ledger or a whole bundle does, as A, as B or as --with. Exits with 1 for anything but the
    same and a proven extension, and without --key.
    """
    from tracechain.witnessing import compare as compare_heads
    from tracechain.witnessing import open_head, parting

    log, known = read_vkey(key), read_witnesses(witnesses)
    with contextlib.ExitStack() as stack:
        given = [_open(stack, path) for path in (a, b)]
        heads = [open_head(one.note, log, known) for one in given]
        found = compare_heads(heads[0], heads[1])
        apart = None
        if not found and found.ask is not None:
            found = _tell_by(heads, given, None if third is None else _open(stack, third), log, found)
        if given[0].view is not None and given[1].view is not None:
            apart = parting(given[0].view, given[1].view)
    wrong = [words for head in heads for words in head.wrong]
    if as_json:
        print_json(
            {
                "relation": str(found.relation), "words": found.words, "ask": found.ask, "first_difference": apart,
                "authenticity": "checked" if log is not None else "not_checked", "wrong": wrong,
                "checkpoints": [
                    {
                        "path": str(one.path), "origin": head.checkpoint.origin, "size": head.size,
                        "root": head.checkpoint.root.hex(),
                        "cosigned": [{"name": key.name, "time": time} for key, time in head.times],
                    }
                    for one, head in zip(given, heads, strict=True)
                ],
            }
        )  # fmt: skip
    else:
        _tell(given, heads, found, apart)
        for words in wrong:
            say_wrapped(f"{plain(words)}: it does not count", 2, "warn")
        if log is None:
            say("  authenticity not checked: --key names the log's verifier key", "warn")
    return 0 if found and log is not None else 1


def _open(stack: contextlib.ExitStack, path: Path) -> _Given:
    """A note in a file, the head of a ledger, or that of a bundle."""
    if not path.is_dir() and not looks_like_bundle(path):
        return _Given(path, read_text(path, "checkpoint", _MAX_NOTE))
    if looks_like_bundle(path):
        excerpt = _excerpt(path)
        if excerpt is not None:
            return excerpt
    view = stack.enter_context(open_to_read(path, index=False)).view
    return _Given(path, view.checkpoint, view)


def _excerpt(path: Path) -> _Given | None:
    """An excerpt: its checkpoint, and the consistency proofs that it brings; None for a whole bundle."""
    from tracechain.bundle.container import open_container
    from tracechain.bundle.manifest import WHOLE_KIND, read_manifest
    from tracechain.checkpoint import decode_base64
    from tracechain.errors import ProofError

    with open_container(path) as container:
        if read_manifest(container).kind == WHOLE_KIND:
            return None
        note = container.read("checkpoint", _MAX_NOTE)
        if note is None:
            raise InputError(f"{path} has no checkpoint")
        hashes = {}
        for name in container.names():
            size = name.removeprefix("consistency/")
            if size == name or not (size.isascii() and size.isdigit()):
                continue
            lines = (container.read(name, 8192) or b"").decode("ascii", "replace").split("\n")[:-1]
            with contextlib.suppress(ProofError):
                hashes[int(size)] = tuple(decode_base64(line, "a hash", ProofError) for line in lines)
    return _Given(path, note.decode("utf-8", "replace"), None, hashes)


def _tell_by(
    heads: list[Head], given: list[_Given], third: _Given | None, log: VerifierKey | None, found: Comparison
) -> Comparison:
    """What a log or a proof that was given tells, the first that tells anything."""
    from tracechain.witnessing import Relation
    from tracechain.witnessing import compare as compare_heads

    for one in (*given, *(() if third is None else (third,))):
        if one.view is not None:
            told = compare_heads(heads[0], heads[1], log=one.view, key=log)
            if told.relation is not Relation.UNKNOWN:
                return told
    sizes = sorted(head.size for head in heads)
    for one, head in zip(given, heads, strict=True):
        hashes: Sequence[bytes] | None = one.hashes.get(sizes[0])
        if hashes is not None and head.size == sizes[1]:
            return compare_heads(heads[0], heads[1], hashes=hashes)
    return found


def _tell(given: list[_Given], heads: list[Head], found: Comparison, apart: int | None) -> None:
    words, style = _VERDICTS[str(found.relation)]
    say(styled(words, style))
    shown = table(header=False)
    for one, head in zip(given, heads, strict=True):
        times = ", ".join(f"{plain(key.name)} {second(time)}" for key, time in head.times)
        shown.add_row(
            f"  {plain(one.path)}", f"{head.size:,} entries", plain(head.checkpoint.origin),
            f"root {head.checkpoint.root.hex()[:16]}", times,
        )  # fmt: skip
    console().print(shown)
    say_wrapped(plain(found.words), 2)
    if apart is not None:
        say(f"  they part at entry {apart:,}", "bad")
    if found.ask is not None:
        say_wrapped(f"ask for: {plain(found.ask)} (--with)", 2)
