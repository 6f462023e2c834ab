"""Reading again what was verified before: what the verification of later entries rests on.

Of the entries before an older checkpoint the headers, the rows, and what the ledger and its authors signed are read;
of the events' contents only whether they are there.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from hashlib import sha256
from itertools import chain

from tracechain import merkle
from tracechain.derivation import INDEX_MASK, STATE_SHIFT
from tracechain.entry import (
    HEADER_SIZE,
    SALT_SIZE,
    EntryType,
    content_commitment,
    decode_rows,
    parse_header,
    row_hashes,
    row_root,
)
from tracechain.errors import DataError
from tracechain.record import SETTLING, KeyAuthorised, decode_record
from tracechain.retention.keeping import NO_PACK, expiry_codes, policy_of
from tracechain.retention.records import CONTENT, ROWS
from tracechain.seals import SEAL
from tracechain.signing import PublicKey
from tracechain.statement import decode_statement
from tracechain.verification.covering import RETAINED, RangeResult, Said, begins_pilot
from tracechain.verification.findings import Code, Findings
from tracechain.verification.links import believed, check_alone
from tracechain.verification.lost import CODES_UNKNOWN, LostKind, sum_of_codes
from tracechain.verification.seals import SealPass
from tracechain.verification.tree import Tree
from tracechain.view import View

__all__ = ["committed", "skim"]


def committed(view: View, index: int, header: bytes) -> bytes | None:
    """A content, if it is there and its header commits to it."""
    part = view.content(index)
    if part is None or content_commitment(part[:SALT_SIZE], part[SALT_SIZE:]) != header[64:96]:
        return None
    return part[SALT_SIZE:]


def skim(
    findings: Findings,
    view: View,
    stop: int,
    last: dict[str, int],
    keys: dict[bytes, PublicKey],
    tree: Tree,
    progress: Callable[[int, int], None] | None,
    seals: SealPass,
) -> RangeResult:
    """Read again what the verification of later entries rests on: headers, rows, and all but the events' contents."""
    frontier, result = merkle.Frontier(), RangeResult()
    leaves: list[bytes] = []
    all_rows = chain(view.all_rows(0, stop), [(stop, b"")])
    at, part = next(all_rows)
    there = chain((number for number, _ in view.contents(0, stop)), [stop])
    content = next(there)
    time = 0
    for index, header in view.headers(0, stop):
        if index in seals.sizes:
            frontier.extend(leaves)
            leaves.clear()
            seals.reached(index, last, frontier.root)
        leaves.append(sha256(b"\0" + header).digest())
        if len(header) != HEADER_SIZE:
            continue  # not what the older checkpoint signs: the root will tell
        now = int.from_bytes(header[8:16], "big")
        if now != time:
            if index:
                result.note_gap(index, header[4], now - time)
            time = now
        if header[4] != EntryType.EVENT:
            _skim_content(findings, view, index, header, keys, result)
        while at < index:
            at, part = next(all_rows)
        while content < index:
            content = next(there)
        own = part if at == index else None
        codes = _skim_rows(findings, view, index, header, own, last, result)
        gone = (CONTENT if content > index else 0) | (ROWS if own is None and header[40:44] != bytes(4) else 0)
        if gone and header[4] == EntryType.EVENT:
            _lose(result, index, header, gone, codes, leaves[-1])
        if len(leaves) == 4096:
            frontier.extend(leaves)
            leaves.clear()
            if progress is not None:
                progress(index + 1, view.size)
    frontier.extend(leaves)
    begin = 0
    for value in frontier.hashes:
        height = (frontier.size - begin).bit_length() - 1
        tree.add([(height, begin >> height, value)])
        begin += 1 << height
    return result


def _skim_content(
    findings: Findings, view: View, index: int, header: bytes, keys: dict[bytes, PublicKey], result: RangeResult
) -> None:
    content = committed(view, index, header)
    if content is None:
        findings.add(Code.CONTENT_COMMITMENT, index, "the content is not there, or not what the header commits to")
        return
    try:
        match header[4]:
            case EntryType.STATEMENT:
                s = decode_statement(content)
                result.statements.append(Said(index, s.author, s.first, s.count, s.previous, s.hash, frozenset()))
            case EntryType.RECORD:
                record = decode_record(content)
                if record.kind in SETTLING:
                    result.own.append((index, header[4], content))
                if policy_of(record) is not None:
                    result.policies.append(index)
                if record.kind in RETAINED:
                    result.retained.append(index)
                if record.kind == SEAL:
                    result.seals.append((index, result.statements[-1].index if result.statements else index))
                if result.profile is None and begins_pilot(record):
                    said = result.statements[-1] if result.statements else None
                    result.profile = index, index if said is None else max(index, said.index + said.count)
            case kind:
                result.own.append((index, kind, content))
                if kind == EntryType.KEY_AUTHORISED:
                    key = KeyAuthorised.decode(content).key
                    keys.setdefault(key.hash, key)
    except DataError as error:
        findings.add(Code.CONTENT_MALFORMED, index, str(error))


def _skim_rows(
    findings: Findings,
    view: View,
    index: int,
    header: bytes,
    part: bytes | None,
    last: dict[str, int],
    result: RangeResult,
) -> int:
    """Follow the chains, and hold the rows against the header: what comes later is judged by them. Returns the sum of
    the expiry codes of its packs."""
    if part is None:
        if header[40:44] == bytes(4):
            return NO_PACK
        if header[4] != EntryType.EVENT:
            findings.add(Code.ROWS_MISSING, index, "the rows are not there, and those of what is no event never go")
        return CODES_UNKNOWN
    try:
        rule_set, rows = decode_rows(part[SALT_SIZE:])
    except DataError as error:
        findings.add(Code.ROWS_MALFORMED, index, str(error))
        return CODES_UNKNOWN
    named = [None if row.previous is None else view.header(row.previous) for row in rows]
    leaves = [None if raw is None else sha256(b"\0" + raw).digest() for raw in named]
    if row_root(row_hashes(part[:SALT_SIZE], rule_set, rows, leaves)) != header[96:]:
        findings.add(Code.ROW_ROOT, index, "rows, their salt, or the entry before that a row names were altered")
    for row in rows:
        word = last.get(row.subject)
        before = row.previous
        # That a link is right was found before; only one whose other end went since is another now.
        if before is not None and (word or 0) & INDEX_MASK != before + 1 and believed(view, index, row, word):
            result.believed.extend((index, before))
            check_alone(findings, index, row, word, rule_set)
        last[row.subject] = row.state << STATE_SHIFT | index + 1
    result.note_rules(index, rule_set)
    return sum_of_codes(expiry_codes((row.subject, row.state) for row in rows))


def _lose(result: RangeResult, index: int, raw: bytes, what: int, codes: int, leaf: bytes) -> None:
    with contextlib.suppress(DataError):  # a header that cannot be read is not what the older checkpoint signs
        header = parse_header(raw)
        kind = LostKind(
            what, header.record_class, header.keep_until, header.policy, codes, header.row_count, header.first_rows
        )
        result.lost.add(index, header.time, result.lost.number(kind))
        result.lost.leaves += leaf
