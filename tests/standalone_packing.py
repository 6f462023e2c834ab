"""What is in what, written again from docs/format.md sections 7.4, 11 and 11.3 alone.

    python standalone_packing.py LEDGER      the ledger's folder

Not a line of tracechain is imported; lmdb reads the database, the rest is the standard library (`read` stands in
standalone_custody.py, beside this file). The log is folded from its contents, and held against that are: the codes 40
to 42 of every row, and the states that they leave alone; the tables packed, emptied, mentions and times. Other
violations are taken from the rows, and hashes are not looked at: standalone_check.py does that. What was pruned is
taken as section 7.5 has it, by what standalone_pruned.py makes of the records. It prints counts and OK, exit 0; or the
first mismatch, exit 1.
"""

import struct
import sys
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

import lmdb

from standalone_custody import read
from standalone_pruned import Ledger

ADD, OBSERVE, DELETE = 1, 2, 3
ALREADY_PACKED, PACKING_CYCLE, NOT_PACKED = 40, 41, 42
PACKED, TANGLED, OUT = (1 << 40) - 1, 1 << 40, 1 << 41
DISPENSING = 12  # section 9.7, business steps
DAY = 86_400 * 10**9


def require(holds: bool, where: str, what: object) -> None:
    if not holds:
        raise ValueError(f"{where}: {what}"[:500])


def ids(groups: list[Any] | None) -> list[str]:  # section 9.3
    flat = groups or []
    return [prefix + suffix for at in range(0, len(flat), 2) for prefix in (flat[at],) for suffix in flat[at + 1]]


def product(code: str) -> str:  # section 11.3
    return code[: 12 if code.startswith("nmpa/") else 17]


def lot(items: list[Any]) -> str | None:  # section 7.3: of the ilmd, else of the extensions; namespaces in their order
    for fields in (items[14] or [], items[26] or []):
        said = {fields[at]: fields[at + 2] for at in range(0, len(fields), 3) if fields[at + 1] == "lotNumber"}
        for namespace in (1, 2, 3):
            if said.get(namespace) is not None:
                return said[namespace] if isinstance(said[namespace], str) else None
    return None


def mentioned(items: list[Any]) -> set[str]:  # section 11.3
    names = {party[1] for at in (12, 13) for party in items[at] or []}
    names |= {place for place in items[8:10] if place is not None and not place.startswith("geo:")}
    names |= {"urn:tracechain:sensors"} if items[18] else set()
    made = ids(items[22]) if items[0] == 4 else ids(items[5]) if (items[0], items[3]) == (1, ADD) else []
    number = lot(items)
    for one in {product(code) for code in made} if number is not None else ():
        name = f"{one}/10/{number}"
        digest = sha256(str(number).encode()).hexdigest()
        names.add(name if len(name.encode()) <= 480 else f"{one}/10/sha256:{digest}")
    if items[0] == 4:
        names |= {f"urn:tracechain:transformed:{product(code)}" for code in ids(items[5])}
    return names


class Fold:
    """What a log comes to, entry by entry. `words` are those of the table packed, by subject."""

    def __init__(self, dones: dict[int, int] | None = None) -> None:
        self.words: dict[str, int] = {}
        self.emptied: dict[str, int] = {}
        self.mentions: dict[str, list[int]] = {}
        #: The latest claimed times of blocks: of events with rows, and of all events.
        self.times: dict[int, int] = {}
        self.most: dict[int, int] = {}
        self.broken: list[tuple[int, str, int]] = []
        self.packings = 0
        self._packed_by: dict[int, tuple[str, int]] = {}  # index -> parent and time of an Aggregation event
        self._claimed: dict[str, int] = {}
        self._states: dict[str, int] = {}
        #: Entry that lost its content -> the record that says so; subject -> the latest of them of its entries.
        self._dones = dones or {}
        self._until: dict[str, int] = {}

    def take(self, index: int, header: bytes, content: bytes | None, rows: bytes | None) -> None:
        """The next entry: content and rows without their salts. ValueError where its rows say something else."""
        flat = read(rows)[0][1:] if rows is not None else []
        cells = {group[0] + group[at]: group[at + 1 : at + 5] for group in flat for at in range(1, len(group), 5)}
        codes = {subject: row[3] or [] for subject, row in cells.items()}
        found: dict[str, int] = {}
        if content is None:  # section 7.5
            for subject, row in cells.items():
                self.words[subject], self._states[subject] = TANGLED, row[2]
                self._until[subject] = max(self._until.get(subject, 0), self._dones[index])
            return
        excused: set[str] = set()
        if header[4] == 3:
            items = read(content)[0]
            items += [None] * (29 - len(items))
            for name in mentioned(items):
                self.mentions.setdefault(name, []).append(index)
            self._follow(index, int.from_bytes(header[8:16], "big"), items, cells)
            self._leave(items)
            if items[0] == 2 and items[4] is not None:
                self.packings += 1
                self._packed_by[index] = items[4], items[1]
                excused = self._excused(index, items)
                found = self._pack(index, items, codes, excused)
        elif header[4] == 4:
            self._tangle(cells)
        for subject, row in cells.items():
            here = f"entry {index}, {subject}"
            own = [code for code in codes[subject] if ALREADY_PACKED <= code <= NOT_PACKED]
            require(
                subject in excused or own == ([found[subject]] if subject in found else []),
                here,
                f"{own}, and packing gives {found}",
            )
            require(not own or row[2] == self._states.get(subject, 0), here, "the state is not the one before")
            self._states[subject] = row[2]
        self.broken += [(index, subject, code) for subject, code in found.items()]

    def _tangle(self, subjects: Iterable[str]) -> None:
        for subject in subjects:
            self.words[subject] = self.words.get(subject, 0) | TANGLED

    def _follow(self, index: int, received: int, items: list[Any], subjects: Iterable[str]) -> None:  # section 11
        time = items[1]
        ahead = time > received * 1_000_000 + DAY
        self._tangle(s for s in subjects if items[19] or ahead or time < self._claimed.get(s, time))
        self._claimed |= dict.fromkeys(subjects, time)
        for latest in (self.times, self.most) if subjects else (self.most,):
            if not ahead:
                latest[index // 4096] = max(latest.get(index // 4096, time), time)

    # ---- section 7.4 ----

    def _in(self, subject: str) -> str | None:
        word = self.words.get(subject, 0)
        if not word & PACKED or word & OUT:
            return None
        parent = self._packed_by[(word & PACKED) - 1][0]
        return None if self.emptied.get(parent, 0) > word & PACKED else parent

    def _excused(self, index: int, items: list[Any]) -> set[str]:
        """The epcs that were judged by what was known before some of it went."""
        around, at = list[str](), items[4]
        while at is not None and at not in around:
            around.append(at)
            at = self._in(at)
        some = ids(items[5])
        if any(self._until.get(one, 0) > index for one in around):
            return set(some)
        return {one for one in some if self._until.get(one, 0) > index}

    def _pack(self, index: int, items: list[Any], codes: dict[str, list[int]], excused: set[str]) -> dict[str, int]:
        action, parent, epcs = items[3], items[4], ids(items[5])
        if items[19]:
            self._take_back(action, (parent, items[1]), [c for c in epcs if not codes[c]])
            return {}
        if action == DELETE and not epcs and not items[10]:
            self.emptied[parent] = index + 1
            return {}
        around: list[str] = []
        at: str | None = parent
        while at is not None and at not in around:
            around.append(at)
            at = self._in(at)
        found: dict[str, int] = {}
        for c, where in [(c, self._in(c)) for c in epcs]:
            word = self.words.get(c, 0)
            if c in excused:
                own = [code for code in codes[c] if ALREADY_PACKED <= code <= NOT_PACKED]
                if action == ADD and PACKING_CYCLE not in own:
                    self.words[c] = word & TANGLED | index + 1
                elif action == DELETE and not own:
                    self.words[c] = word | OUT
                if own:
                    found[c] = own[0]
            elif action == DELETE:
                if where == parent:
                    self.words[c] = word | OUT
                else:
                    found[c] = NOT_PACKED
            elif action == ADD and c in around:
                found[c] = PACKING_CYCLE
            elif where != parent:
                if where is not None:
                    found[c] = ALREADY_PACKED
                if action == ADD:
                    self.words[c] = word & TANGLED | index + 1
        return found

    def _leave(self, items: list[Any]) -> None:
        ends = items[0] == 4 or (items[0] == 1 and (items[3] == DELETE or items[6] == DISPENSING))
        for c in ids(items[5]) if ends and not items[19] else ():
            if self.words.get(c, 0) & PACKED:
                self.words[c] |= OUT

    def _take_back(self, action: int, stated: tuple[str, int], epcs: list[str]) -> None:
        for c in epcs:
            word = self.words.get(c, 0)
            if not word & PACKED:
                continue
            packed_by = self._packed_by[(word & PACKED) - 1]
            if action == ADD and packed_by == stated:
                self.words[c] = word | OUT
            elif action == DELETE and packed_by[0] == stated[0]:
                self.words[c] = word & ~OUT


# ---- on disk (section 11) ----


def words_of(tables: dict[str, dict[bytes, bytes]]) -> dict[str, int]:
    """The words of the table packed, by subject: of tail, delta and base the first that has one."""
    recent: dict[int, int] = {}
    for name in (b"packed delta", b"packed tail"):
        both = tables["meta"].get(name, b"")
        numbers = struct.unpack(f"<{len(both) // 8}Q", both)
        half = len(numbers) // 2
        recent |= dict(zip(numbers[:half], numbers[half:], strict=True))
    found = {}
    for subject, key in tables["units"].items():
        number = int.from_bytes(key, "big")
        block, at = divmod(number, 250)
        stored = tables["packed"].get(block.to_bytes(8, "big"), bytes(2000))[8 * at : 8 * at + 8]
        found[subject.decode()] = recent.get(number, int.from_bytes(stored, "little"))
    return found


def main(ledger: str) -> str:
    folder = Path(ledger) / "ledger"
    generation = folder / (folder / "CURRENT").read_text("ascii").strip()
    names = ("headers", "contents", "rows", "meta", "units", "packed", "emptied", "mentions", "times")
    with lmdb.open(str(generation), readonly=True, lock=False, max_dbs=32) as environment:
        opened = [environment.open_db(name.encode(), create=False) for name in names]
        with environment.begin() as transaction:
            tables = {name: dict(transaction.cursor(one)) for name, one in zip(names, opened, strict=True)}
    columns = [[table.get(key) for key in tables["headers"]] for table in (tables["contents"], tables["rows"])]
    prunings = Ledger([*tables["headers"].values()], *columns)
    if None in columns[0]:
        prunings.check()
    fold = Fold({n: prunings.dones[number][0] for (n, what), number in prunings.went.items() if what == 0})
    for index, (key, header) in enumerate(tables["headers"].items()):
        rows = tables["rows"].get(key)
        content = tables["contents"].get(key)
        fold.take(index, header, content and content[32:], rows and rows[32:])
    for subject, word in words_of(tables).items():
        said = fold.words.get(subject, 0)
        require(word == said, "packed", f"{subject} has {word:#x}, and the log gives {said:#x}")
    emptied = {key.decode(): int.from_bytes(value, "big") for key, value in tables["emptied"].items()}
    require(emptied == fold.emptied, "emptied", emptied)
    mentions: dict[str, list[int]] = {}
    for key, count in tables["mentions"].items():
        first = int.from_bytes(key[-8:], "big")
        mentions.setdefault(key[:-8].decode(), []).extend(range(first, first + int.from_bytes(count, "big")))
    require(mentions == fold.mentions, "mentions", mentions)
    times = {
        int.from_bytes(key, "big"): int.from_bytes(value, "big", signed=True) for key, value in tables["times"].items()
    }
    require(fold.times.keys() <= times.keys() <= fold.most.keys(), "times", times)
    for block, time in times.items():
        require(fold.times.get(block, time) <= time <= fold.most[block], "times", f"block {block}: {time}")
    tangled = sum(word & TANGLED > 0 for word in fold.words.values())
    return f"{fold.packings} packings, {len(fold.broken)} violations, {tangled} tangled, {len(mentions)} names"


if __name__ == "__main__":
    try:
        print(main(*sys.argv[1:]), "OK", sep="\n")
    except Exception as error:  # noqa: BLE001 - whatever is wrong with the data is told in one line, with exit code 1
        sys.exit(f"MISMATCH: {error!s:.500} ({type(error).__name__})")
