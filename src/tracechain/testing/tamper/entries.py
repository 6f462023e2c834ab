"""Tamperings of the order: entries moved, added, left out, redated."""

from __future__ import annotations

from pathlib import Path

from attrs import evolve

from tracechain.entry import EntryType
from tracechain.ledger.ledger import DEFAULT_JUMP_LIMIT
from tracechain.record import ClockRecord, Genesis
from tracechain.testing.tamper.database import Log, edit
from tracechain.testing.tamper.registry import tampering
from tracechain.verification.findings import Code

__all__ = ["ENTRIES"]


def _batch(log: Log, number: int = 0) -> range:
    """The entries that a statement covers."""
    index = log.find(EntryType.STATEMENT, number)
    return range(index + 1, index + 1 + log.statement(index).count)


@tampering(Code.ENTRY_ORDER, Code.ENTRY_ORDER, Code.ENTRY_ORDER)
def entries_swapped(path: Path) -> None:
    """Two neighbouring events of one batch change places, with all their parts."""
    with edit(path) as log:
        one = _batch(log)[0]
        log.swap(one, one + 1)


@tampering(Code.STATEMENT_ROOT, Code.STATEMENT_ROOT, Code.STATEMENT_ROOT)
def events_reordered(path: Path) -> None:
    """The same, and each gets the author's number of its new place."""
    with edit(path) as log:
        one = _batch(log)[0]
        log.swap(one, one + 1)
        first, second = log.header(one).sequence, log.header(one + 1).sequence
        log.set_header(one, sequence=second)
        log.set_header(one + 1, sequence=first)


@tampering(Code.TAIL_SURPLUS, Code.ENTRY_DUPLICATED, Code.ENTRY_DUPLICATED)
def entry_duplicated(path: Path) -> None:
    """An event that names no unit is there once more, behind the end."""
    with edit(path) as log:
        index = next(i for i in range(len(log)) if log.header(i).type == EntryType.EVENT and log.rows[i] is None)
        log.insert(len(log), log.headers[index], log.contents[index], None)
        log.set_header(len(log) - 1, time=log.header(len(log) - 2).time)


@tampering(Code.STATEMENT_COVERAGE, Code.STATEMENT_COVERAGE, Code.STATEMENT_COVERAGE, also=[Code.ENTRY_ORDER])
def event_dropped(path: Path) -> None:
    """An event in the middle of a batch is left out; what follows moves up, and links are healed."""
    with edit(path) as log:
        log.remove(_batch(log, 1)[1])


@tampering(Code.STATEMENT_COVERAGE, Code.STATEMENT_COVERAGE, Code.STATEMENT_COVERAGE)
def event_dropped_and_renumbered(path: Path) -> None:
    """The same, and the events after it get the author's numbers of their new places."""
    with edit(path) as log:
        batch = _batch(log, 1)
        log.remove(batch[1])
        for index in batch[1:-1]:
            log.set_header(index, sequence=log.header(index).sequence - 1)


@tampering(Code.EVENT_UNCOVERED, Code.EVENT_UNCOVERED, Code.EVENT_UNCOVERED)
def event_slipped_in(path: Path) -> None:
    """An event that its author never stated stands at the end of a batch, with the next number of the author."""
    with edit(path) as log:
        end = _batch(log, 3).stop
        unit = next(i for i in range(len(log)) if log.header(i).type == EntryType.EVENT and log.rows[i] is None)
        header = log.header(end - 1)
        log.insert(end, log.headers[end - 1], log.contents[unit], None)
        log.set_header(end, sequence=header.sequence + 1, row_count=0, rows_length=0, first_rows=0, row_root=bytes(32))
        log.commit(end)


@tampering(Code.STATEMENT_ROOT, Code.STATEMENT_ROOT, Code.STATEMENT_ROOT)
def event_replaced(path: Path) -> None:
    """An event of another author stands in the place of one of a batch, about the same units."""
    with edit(path) as log:
        events = [i for i in range(len(log)) if log.header(i).type == EntryType.EVENT]
        mine = next(i for i in reversed(events) if log.header(i).author == log.header(events[-1]).author)
        units = [row.subject for row in log.row_list(mine)[1]]
        other = next(
            i
            for i in reversed(events)
            if log.header(i).author != log.header(mine).author and [r.subject for r in log.row_list(i)[1]] == units
        )
        log.contents[mine] = log.contents[other]
        log.commit(mine)


@tampering(Code.AUTHOR_GAP, Code.AUTHOR_GAP, Code.AUTHOR_GAP)
def statement_dropped(path: Path) -> None:
    """A whole statement of a station is left out, with its events; the station went on afterwards."""
    with edit(path) as log:
        station = log.statement(log.find(EntryType.STATEMENT, -1)).author_id
        dropped = [i for i in range(len(log)) if log.header(i).author == station and log.header(i).sequence in (2, 3)]
        for index in reversed(dropped):
            log.remove(index)


@tampering(Code.ENTRY_MISSING, None, None)
def tail_truncated(path: Path) -> None:
    """The last batch is gone from the tables; checkpoint and tip still count it."""
    with edit(path) as log:
        del_from = _batch(log, -1).start - 1
        for parts in (log.headers, log.contents, log.rows):
            del parts[del_from:]


@tampering(Code.STATEMENT_ROOT, Code.STATEMENT_ROOT, Code.STATEMENT_ROOT)
def record_class_changed(path: Path) -> None:
    """An event gets another record class: it could be deleted earlier."""
    with edit(path) as log:
        log.set_header(_batch(log)[1], record_class=9)


@tampering(Code.TIME_DECREASED, Code.TIME_DECREASED, Code.TIME_DECREASED)
def receipt_time_decreased(path: Path) -> None:
    """A batch is dated an hour before the one that precedes it."""
    with edit(path) as log:
        batch = _batch(log, 2)
        for index in range(batch.start - 1, batch.stop):
            log.set_header(index, time=log.header(index).time - 3_600_000)


@tampering(Code.TIME_JUMP, Code.TIME_JUMP, Code.TIME_JUMP, also=[Code.CLOCK_RECORD])
def receipt_time_ahead(path: Path) -> None:
    """Everything from a batch on is dated two years later, and no clock record says so."""
    with edit(path) as log:
        for index in range(_batch(log, 2).start - 1, len(log)):
            log.set_header(index, time=log.header(index).time + 24 * DEFAULT_JUMP_LIMIT)


@tampering(Code.TIME_FLAG, Code.TIME_FLAG, Code.TIME_FLAG)
def clamp_hidden(path: Path) -> None:
    """A batch claims that the clock stood behind although its receipt time grew."""
    with edit(path) as log:
        batch = _batch(log, 2)
        for index in range(batch.start - 1, batch.stop):
            log.set_header(index, flags=1)


@tampering(Code.TIME_FLAG, Code.TIME_FLAG, Code.TIME_FLAG)
def time_within_batch(path: Path) -> None:
    """The last events of a batch are dated later than its statement."""
    with edit(path) as log:
        log.set_header(_batch(log, 1)[-1], time=log.header(_batch(log, 1)[-1]).time + 1)


@tampering(Code.CONTENT_COMMITMENT, Code.CONTENT_COMMITMENT, Code.CLOCK_RECORD)
def clock_record_altered(path: Path) -> None:
    """A clock record tells of another jump than the one that happened."""
    with edit(path) as log:
        index = log.find(EntryType.CLOCK)
        jump = ClockRecord.decode(log.content(index))
        log.set_content(index, evolve(jump, start=jump.start + 1).encode())


@tampering(
    Code.CONTENT_COMMITMENT, Code.CONTENT_COMMITMENT, Code.STATEMENT_LEDGER, also=[Code.KEY_RECORD, Code.AUTHOR_UNKNOWN]
)
def genesis_replaced(path: Path) -> None:
    """Another genesis with the same keys and origin: all that authors and root signed was for another ledger."""
    with edit(path) as log:
        genesis = Genesis.decode(log.content(0))
        log.set_content(0, evolve(genesis, nonce=bytes(32)).encode())


@tampering(Code.TAIL_SURPLUS, Code.GENESIS, Code.GENESIS)
def genesis_again(path: Path) -> None:
    """A second genesis at the end."""
    with edit(path) as log:
        log.insert(len(log), log.headers[0], log.contents[0], None)
        log.set_header(len(log) - 1, time=log.header(len(log) - 2).time)


@tampering(Code.GENESIS, Code.GENESIS, Code.GENESIS)
def genesis_dropped(path: Path) -> None:
    """The log begins with what was its second entry."""
    with edit(path) as log:
        log.remove(0)


@tampering(Code.AUTHOR_UNKNOWN, Code.AUTHOR_UNKNOWN, Code.AUTHOR_UNKNOWN)
def key_record_dropped(path: Path) -> None:
    """The record that let a station in is left out."""
    with edit(path) as log:
        log.remove(log.find(EntryType.KEY_AUTHORISED, 1))


ENTRIES = (
    entries_swapped, events_reordered, entry_duplicated, event_dropped, event_dropped_and_renumbered, event_slipped_in,
    event_replaced, statement_dropped, tail_truncated, record_class_changed, receipt_time_decreased,
    receipt_time_ahead, clamp_hidden, time_within_batch, clock_record_altered, genesis_replaced, genesis_again,
    genesis_dropped, key_record_dropped,
)  # fmt: skip
