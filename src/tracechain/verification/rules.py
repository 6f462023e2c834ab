"""verify_rules: what the ledger says of its subjects, held against a replay of its log.

`verify` proves that rows are signed, linked, and within the table of `custody`. Rules that also depend on registers,
buyers, documents and dates it takes on trust. Here the log is folded from nothing, by contents alone, and every state,
every violation, the index, the rules' memories and what mentions what have to come out the same: so an operator with
all keys who let a violation vanish, made one up, or keeps a lot from a recall, is found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from attrs import define, field

from tracechain import custody, encoding
from tracechain.custody import Outcome
from tracechain.entry import HEADER_SIZE, SALT_SIZE, EntryType, Row, decode_rows
from tracechain.errors import DataError, InputError, TracechainError
from tracechain.replay import step
from tracechain.replayed import Remembering
from tracechain.retention.prunings import NEVER, judged_again, prunings, prunings_in_log
from tracechain.rules import shanghai_year
from tracechain.verification.findings import Code, Findings, Report
from tracechain.view import Unit, View

__all__ = ["JUDGED", "judge_again", "verify_rules"]

JUDGED = "every state and violation was judged again from the log alone, by the registers as they stood at each entry"

_BLOCK = 4096


@define
class _Replay(Remembering):
    """A State that remembers what the rules came to at the latest entry, too."""

    told: dict[str, Outcome] = field(factory=dict)

    def take(self, subject: str, index: int, outcome: Outcome) -> None:
        """Put what the rules came to."""
        self.told[subject] = outcome
        super().take(subject, index, outcome)


def verify_rules(
    view: View, *, index: bool = True, progress: Callable[[int, int], None] | None = None, most: int = 1000
) -> Report:
    """Replay the log and compare: ROW_STATE and ROW_VIOLATIONS where a row says something else than the rules come to,
    INDEX where the live index does.

    Trusts the log's own bytes, so `verify` it as well, which also says whether what is missing went lawfully: here
    contents that are not kept are taken as their rows state them, and counted. What cannot be read ends the replay and
    is a finding too. A subject that departed from the rules goes on to be judged by the rules, so its later rows may
    differ in consequence; such findings say where it began. Without `index` there is none to compare, as in a bundle.
    At most `most` findings are listed, the rest is counted.
    """
    return _Comparison(view, progress, most, index=index).run()


#: Called with the state after some of the entries.
Reached = Callable[[Remembering], None]


def judge_again(
    view: View,
    stop: int,
    cuts: Sequence[int] = (),
    reached: Reached | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
    most: int = 1000,
) -> tuple[Report, Remembering]:
    """The same of the first `stop` entries, without an index, and the state that the log comes to there. At each of the
    sizes `cuts` (ascending, up to `stop`), `reached` is called with the state then."""
    comparison = _Comparison(view, progress, most, index=False, stop=stop, cuts=cuts, reached=reached)
    return comparison.run(), comparison.state


class _Comparison:
    """One replay with what it found."""

    def __init__(
        self,
        view: View,
        progress: Callable[[int, int], None] | None,
        most: int,
        *,
        index: bool,
        stop: int | None = None,
        cuts: Sequence[int] = (),
        reached: Reached | None = None,
    ) -> None:
        self._view = view
        self._progress = progress
        self._findings = Findings(most)
        self._again = judged_again(view, prunings if index else prunings_in_log)
        self._index = index
        self._stop = view.size if stop is None else min(stop, view.size)
        self._cuts = [cut for cut in cuts if cut <= self._stop]
        self._reached = reached
        self.state = self._state = _Replay(log=view, again=self._again)
        #: Where a subject first differed from the rules.
        self._departed: dict[str, int] = {}
        self._rows = 0
        self._ended = False

    def run(self) -> Report:
        """The whole of it."""
        size, state = self._stop, self._state
        for cut in self._cuts:
            if self._go(cut) and self._reached is not None:
                self._reached(state)
        if self._go(size) and self._index:
            self._compare_index()
        notes = (JUDGED, *self._not_judged())
        return Report(
            tuple(self._findings.items), size, state.size, self._rows, 0, len(state.units), None, notes,
            self._findings.beyond,
        )  # fmt: skip

    def _go(self, end: int) -> bool:
        """Go on until so many entries are taken; whether that could be."""
        state = self._state
        for start in () if self._ended else range(state.size, end, _BLOCK):
            stop = min(start + _BLOCK, end)
            for header, content, rows in zip(*self._view.block(start, stop), strict=True):
                if not self._step(header, content):
                    break
                self._compare(state.size - 1, rows)
            if self._progress is not None:
                self._progress(state.size, self._stop)
            if state.size < stop:
                self._ended = True
                break
        return not self._ended

    def _not_judged(self) -> tuple[str, ...]:
        state = self._state
        if not state.lost:
            return ()
        words = (
            f"{state.lost} events whose contents are not kept were taken as their rows state them; {state.unjudged}"
            " others were judged by these while they were kept, and were not judged again for what rests on them"
        )
        return (words,)

    def _step(self, header: bytes | None, content: bytes | None) -> bool:
        """Take the next entry; False, and a finding, where the replay ends."""
        index = self._state.size
        words = "so the rules cannot be judged from here on"
        if header is None or len(header) != HEADER_SIZE:
            self._findings.add(Code.ENTRY_MISSING, index, f"its header is missing or cut, {words}")
            return False
        gone = content is None and header[4] == EntryType.EVENT
        if not gone and (content is None or len(content) < SALT_SIZE):
            self._findings.add(Code.CONTENT_MISSING, index, f"its content is missing or cut, {words}")
            return False
        if gone and self._again(index) == NEVER:
            words = "its content is missing, and no record says that it went; its rows are taken as they are"
            self._findings.add(Code.CONTENT_MISSING, index, words)
        self._state.told.clear()
        try:
            step(self._state, header, None if content is None else content[SALT_SIZE:])
        except TracechainError as error:
            self._findings.add(Code.CONTENT_MALFORMED, index, f"{error}; {words}")
            return False
        return True

    def _compare(self, index: int, part: bytes | None) -> None:
        told = self._state.told
        if part is not None and _says(part[SALT_SIZE:], self._state.rule_set, told):
            self._rows += len(told)
            return
        rows: tuple[Row, ...] = ()
        rule_set = self._state.rule_set
        if part is not None:
            try:
                rule_set, rows = decode_rows(part[SALT_SIZE:])
            except DataError as error:
                self._findings.add(Code.ROWS_MALFORMED, index, str(error))
                self._depart(index, told)
                return
        self._rows += len(rows)
        if rule_set != self._state.rule_set:
            self._findings.add(
                Code.ROWS_MALFORMED,
                index,
                f"its rows follow rule set {rule_set}, and set {self._state.rule_set} is in force",
            )
            self._depart(index, told)
            return
        known = 0
        for row in rows:
            expected = told.get(row.subject)
            if expected is None:
                self._add(
                    Code.ROW_SUBJECTS, index, "the entry does nothing to it, and there is a row of it", row.subject
                )
            else:
                known += 1
                self._compare_row(index, row, expected)
        if known != len(told):
            for subject in told.keys() - {row.subject for row in rows}:
                self._add(Code.ROW_SUBJECTS, index, "the entry is about it, and there is no row of it", subject)

    def _compare_row(self, index: int, row: Row, expected: Outcome) -> None:
        state, codes = expected
        if row.state == state and row.violations == codes:
            return
        began = self._departed.get(row.subject)
        after = "" if began is None else f"; it departed from the rules in entry {began}"
        if row.violations != codes:
            words = f"the row says {_named(row.violations)}, the rules give {_named(codes)}{after}"
            self._add(Code.ROW_VIOLATIONS, index, words, row.subject)
        if row.state != state:
            words = f"the row says {_described(row.state)}, the rules give {_described(state)}{after}"
            self._add(Code.ROW_STATE, index, words, row.subject)

    def _add(self, code: Code, index: int, detail: str, subject: str) -> None:
        self._findings.add(code, index, detail, subject)
        self._departed.setdefault(subject, index)

    def _depart(self, index: int, told: dict[str, Outcome]) -> None:
        for subject in told:
            self._departed.setdefault(subject, index)

    # ---- the index ----

    def _compare_index(self) -> None:
        """Hold the live index, and what it remembers for the rules, against the state that the log comes to."""
        units, mend = self._state.units, "run `tracechain reindex`"
        count = 0
        try:
            for subject, unit in self._view.units():
                count += 1
                if subject not in self._departed:
                    words = self._differs(subject, unit, units.get(subject))
                    if words:
                        self._findings.add(Code.INDEX, unit.last, f"{words}: {mend}", subject)
            if count != len(units):
                lost = (subject for subject in units if self._view.unit(subject) is None)
                for subject in lost:
                    words = f"the log names it, and the index does not know it: {mend}"
                    self._findings.add(Code.INDEX, units[subject].last, words, subject)
            last = self._view.header(self._view.size - 1) or b""
            least = shanghai_year(int.from_bytes(last[8:16], "big")) - 1  # of years before no account is kept
            for (person, year), yuan in self._state.spending.items():
                found = self._view.spent(person, year) if year >= least else yuan
                if found != yuan:
                    words = (
                        f"orders of buyer {person.hex()} in {year} come to {found} yuan in the index, {yuan} by the log"
                    )
                    self._findings.add(Code.INDEX, None, f"{words}: {mend}")
            self._compare_mentions(mend)
        except (DataError, UnicodeDecodeError) as error:
            self._findings.add(Code.INDEX, None, f"the index cannot be read ({error}): {mend}")

    def _compare_mentions(self, mend: str) -> None:
        """Hold what the index says of mentions against the log: what it left out, a recall would not find."""
        expected = self._state.mentions
        for name in {*expected, *self._view.names("")}:
            found: list[list[int]] = []
            for run in self._view.mentions(name):
                _extend(found, run.start, run.stop)
            if found != expected.get(name, []):
                words = f"the index has {name} mentioned by other entries than the log"
                self._findings.add(Code.INDEX, None, f"{words}: {mend}")

    def _differs(self, subject: str, unit: Unit, expected: Unit | None) -> str:
        if expected is None:
            return "the index knows it, and no entry of the log names it"
        if unit != expected:
            return (
                f"the index says {_described(unit.state)} since entry {unit.last}, the rules give"
                f" {_described(expected.state)} since entry {expected.last}"
            )
        if custody.is_pack(subject) and self._view.memory(subject) != self._state.memory(subject):
            return "the index remembers another lot, order, delivery or export of it than the rules give"
        if self._view.words((subject,))[0][1] != self._state.packed(subject):
            return "the index has it in something else than the log does"
        if self._view.emptied(subject) != self._state.emptied(subject):
            return "the index has it emptied by another entry than the log does"
        return ""


def _extend(runs: list[list[int]], start: int, stop: int) -> None:
    """Put a run of entries behind others; neighbouring ones are one."""
    if runs and runs[-1][1] == start:
        runs[-1][1] = stop
    else:
        runs.append([start, stop])


def _says(stored: bytes, rule_set: int, told: dict[str, Outcome]) -> bool:
    """Whether stored rows say just what the rules came to, subject by subject: the usual case, without making rows."""
    try:
        stated, *groups = cast("tuple[Any, ...]", encoding.unpack_known(stored))
        subjects = [group[0] + suffix for group in groups for suffix in group[1::5]]
        outcomes = [
            (state, codes or ()) for group in groups for state, codes in zip(group[4::5], group[5::5], strict=True)
        ]
    except (DataError, TypeError, ValueError, IndexError):
        return False
    return stated == rule_set and subjects == [*told] and outcomes == [*told.values()]


def _named(codes: tuple[int, ...]) -> str:
    return ", ".join(map(custody.describe, codes)) or "no violation"


def _described(state: int) -> str:
    try:
        found = custody.unpack_state(state)
    except InputError:
        return f"state {state}"
    expiry = () if found.expiry is None else (f"expires {found.expiry}",)
    return f"state {state} ({', '.join((found.custody.name.lower(), *found.flags(), *expiry))})"
