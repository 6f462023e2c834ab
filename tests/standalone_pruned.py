"""Whether what is gone of a ledger went lawfully, written again from docs/format.md sections 5.9, 5.10 and 13 alone.

    python standalone_pruned.py LEDGER [NOW]     the ledger's folder; a time (ms) after which nothing can have come in
    python standalone_pruned.py VECTOR.json      a ledger as a vector

Not a line of tracechain is imported; lmdb reads the database, the rest is the standard library (`read` stands in
standalone_custody.py, beside this file). Hashes of what is left and signatures are not looked at: standalone_check.py
does that. Of holds only those are known that name packs (5.7), of policies those without witnesses. It prints counts
and OK, exit 0; or the finding, exit 1.
"""

import json
import sys
from bisect import bisect_left
from datetime import date, timedelta
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import lmdb

from standalone_custody import read

DAY, GAP, OPEN, ZERO_DAY = 86_400_000, 172_800_000, 2**32 - 1, 10_957
EVENT, RECORD, CLOCK = 3, 4, 7
Sets = tuple[set[int], set[int]]


class FindingError(ValueError):
    """Something is wrong; the first word is the code."""


def require(holds: object, code: str, *what: object) -> None:
    if not holds:
        raise FindingError(" ".join(map(str, (code, *what)))[:300])


def day_of(ms: int) -> int:
    return (ms + 8 * 3_600_000) // DAY


def floor(ms: int) -> int:
    received = date(1970, 1, 1) + timedelta(day_of(ms))
    return (date(received.year + 1, 12, 31) - date(1970, 1, 1)).days


def later(day: int, term: list[int]) -> int:  # section 5.9: calendar months, the last day of a short one, then days
    start = date(1970, 1, 1) + timedelta(day)
    months = start.year * 12 + start.month - 1 + 12 * term[0] + term[1]
    year, month = divmod(months, 12)
    last = (date(year + (month == 11), (month + 1) % 12 + 1, 1) - timedelta(1)).day
    return (date(year, month + 1, min(start.day, last)) - date(1970, 1, 1)).days + term[2]


def bound(one: list[Any], days: dict[int, int | None], received: int) -> int | None:  # None: void
    if one[0] == 1:
        if one[1] == 3 and 3 not in days:
            return None
        day = days.get(one[1])
        if day is not None:
            return later(day, one[2])
        return OPEN if one[3] is None else later(received, one[3])
    if one[0] == 4:
        one = [2, one[1], one[2]]
    if one[0] == 5:
        return OPEN
    found = [day for part in one[1:] if (day := bound(part, days, received)) is not None]
    return (max if one[0] == 2 else min)(found) if found else None


def keep_until(policy: list[Any], record_class: int, ms: int, codes: list[int], past: bool = False) -> int | None:
    """The day of a policy for an event with these expiry codes; None where no rule is for the class at all. `past`: as
    13.2, 4 has it, with all anchors but receipt and expiry long past."""
    received = day_of(ms)
    known: dict[int, int | None] = dict.fromkeys((1, 2), received) if not past else dict.fromkeys((1, 2, 4, 5), 0)
    known[0] = received
    found: list[int] = []
    rules = [rule for regime in policy[1] for rule in regime[2] if rule[6] is not None and not rule[5]]
    rules = [rule for rule in rules if not rule[2] or record_class in rule[2]]
    for rule in rules:
        if not rule[3] and not rule[4]:
            for code in codes or [-1]:
                day = bound(rule[6], known | ({3: ZERO_DAY + code if code else None} if code >= 0 else {}), received)
                found += [] if day is None else [day]
    if past:
        return max(found, default=-1) if rules else None
    return max(*found, floor(ms)) if found else None


def is_pack(subject: str) -> bool:
    return (subject.startswith("01/") and "/21/" in subject) or (subject.startswith("nmpa/") and len(subject) == 25)


def rows_of(part: bytes) -> list[tuple[str, int, int]]:  # (subject, previous, state)
    groups = read(part, 32)[0][1:]
    return [(g[0] + g[n], g[n + 2], g[n + 3]) for g in groups for n in range(1, len(g), 5)]


class Ledger:
    """What there is of a log, and what the records of it say of retention."""

    def __init__(self, headers: list[bytes], contents: list[bytes | None], rows: list[bytes | None]) -> None:
        self.headers, self.contents, self.rows = headers, contents, rows
        self.times = [int.from_bytes(h[8:16], "big") for h in headers]
        self.kinds = [h[4] for h in headers]
        self.events = {n for n, kind in enumerate(self.kinds) if kind == EVENT}
        self.policies: list[tuple[int, list[Any]]] = []
        self.intents: dict[int, tuple[int, list[Any], Sets]] = {}
        self.dones: list[tuple[int, int, Sets, Sets]] = []  # index, last index, executed, that of the intent
        self.went: dict[tuple[int, int], int] = {}  # (entry, 0 content or 1 rows) -> number of the done
        self.announced: list[tuple[int, int]] = []  # first and last record of the intent of each done
        self.holds: dict[str, tuple[set[str], str | None]] = {}

    def gone(self, n: int, what: int) -> bool:
        part = (self.contents, self.rows)[what][n]
        return part is None and (what == 0 or self.headers[n][40:44] != bytes(4))

    def waited(self, start: int, stop: int) -> int:
        gaps = ((n, self.times[n] - self.times[n - 1]) for n in range(start + 1, stop + 1))
        return sum(min(gap, GAP) for n, gap in gaps if self.kinds[n] != CLOCK)

    def in_force(self, n: int) -> tuple[int, list[Any]] | None:
        while self.kinds[n] in (EVENT, RECORD):
            n -= 1
        return next((one for one in reversed(self.policies) if one[0] < n), None)

    def members(self, flat: list[int], most: int = 2**40) -> set[int]:
        end, found = 0, set[int]()
        for skip, length in zip(flat[::2], flat[1::2], strict=True):
            require(length and (skip or not end), "PRUNE_RECORD", "ranges are not in their one spelling")
            found.update(n for n in self.events if end + skip <= n < end + skip + length)
            end += skip + length
            require(end <= most, "PRUNE_RECORD", "ranges reach over what was planned on")
        return found

    def told(self, sets: Sets) -> list[Any]:
        said = sha256(b"TCH0 prune".ljust(16, b"\0"))
        for n in sorted(sets[0] | sets[1]):
            what = bytes([(n in sets[0]) + 2 * (n in sets[1])])
            said.update(n.to_bytes(8, "big") + what + sha256(b"\0" + self.headers[n]).digest())
        return [len(sets[0]), len(sets[1]), said.digest()]

    def codes(self, n: int) -> list[list[int]]:  # the expiry codes that an entry's packs have, or can have had
        part = self.rows[n]
        if part is None:
            return [[]] if self.headers[n][40:44] == bytes(4) else [[], [1], [0]]
        return [[state >> 9 for subject, _, state in rows_of(part) if is_pack(subject)]]

    # ---- in the order of the log ----

    def check(self) -> str:
        parts: list[list[Any]] = []
        for n, kind in enumerate(self.kinds):
            for what in range(2):
                require(kind == EVENT or not self.gone(n, what), "CONTENT_MISSING" if what == 0 else "ROWS_MISSING", n)
            if kind == EVENT:
                self.check_header(n)
            if kind != RECORD:
                require(not parts, "PRUNE_RECORD", n, "parts are missing")
                continue
            record, _, subject, body = read(self.contents[n] or b"", 32)[0]
            if record == "retention" and subject == "urn:tracechain:retention":
                self.policies.append((n, body))
            elif record == "hold":
                self.hold(body)
            elif record in ("prune-intent", "prune-done"):
                require(subject == f"urn:tracechain:prune:{body[0]}" and body[1] == len(parts), "PRUNE_RECORD", n)
                parts.append(body)
                if len(parts) == body[2]:
                    (self.announce if record == "prune-intent" else self.execute)(n, parts)
                    parts = []
        require(not parts, "PRUNE_RECORD", "parts are missing")
        for what, code in enumerate(("CONTENT_MISSING", "ROWS_MISSING")):
            missing = [n for n in self.events if self.gone(n, what) and (n, what) not in self.went]
            require(not missing, code, missing)
            kept = [n for n in self.events if (n, what) in self.went and not self.gone(n, what)]
            kept = [n for n in kept if what == 0 or self.headers[n][40:44] != bytes(4)]
            require(not kept, "PRUNE_KEPT", kept)
        self.check_order()
        counts = [sum(what == one for _, one in self.went) for what in range(2)]
        return f"{len(self.headers)} entries, {counts[0]} contents and {counts[1]} rows pruned by {len(self.dones)}"

    def check_header(self, n: int) -> None:
        policy, said = self.in_force(n), int.from_bytes(self.headers[n][20:24], "big")
        require(
            int.from_bytes(self.headers[n][56:64], "big") == (2**64 - 1 if policy is None else policy[0]), "KEEP_UNTIL"
        )
        days = [OPEN]
        if policy is not None:
            found = [keep_until(policy[1], self.record_class(n), self.times[n], codes) for codes in self.codes(n)]
            days = [OPEN if day is None else min(day, OPEN) for day in found]
        require(said == days[0] if len(days) == 1 else said >= min(days), "KEEP_UNTIL", n, said, days)

    def record_class(self, n: int) -> int:
        return int.from_bytes(self.headers[n][16:18], "big")

    def hold(self, body: list[Any]) -> None:
        name, phase, _, _, _, _, until, criterion, about, case = body + [None] * (10 - len(body))
        require(criterion is None and case is None, "unknown:", "this script knows holds by packs only")
        if phase == "released":
            self.holds.pop(name, None)
        else:
            self.holds[name] = set(about or ()) or self.holds[name][0], until

    def announce(self, n: int, parts: list[list[Any]]) -> None:
        body, first = parts[0], n + 1 - len(parts)
        require(all([*one[3:7], *one[9:]] == [*body[3:7], *body[9:]] for one in parts), "PRUNE_RECORD", n)
        sets = tuple(set[int]().union(*(self.members(one[at], one[3]) for one in parts)) for at in (7, 8))
        assert len(sets) == 2
        size, _, named, wait = body[3:7]
        require(size <= first and max((*sets[0], *sets[1]), default=0) < size, "PRUNE_RECORD", n, "of what is to come")
        require(self.told(sets) == body[9:12], "PRUNE_RECORD", n, "counts or digest")
        policy = self.in_force(first)
        require(policy is not None and policy[0] == named, "PRUNE_POLICY", n, "is not in force")
        assert policy is not None
        require(self.waited(policy[0], first) >= policy[1][2] * DAY, "PRUNE_POLICY", n, "has not stood")
        for (_, before), (at, _) in pairwise(one for one in self.policies if one[0] <= policy[0]):
            require(self.waited(at, first) >= before[2] * DAY, "PRUNE_POLICY", n, "one that promised more was replaced")
        require(wait >= policy[1][2] and (body[12] or not policy[1][3]), "PRUNE_POLICY", n, "wait or archive")
        require(not policy[1][4], "unknown:", "this script knows no witnesses")
        self.intents[first] = n, body, sets

    def execute(self, n: int, parts: list[list[Any]]) -> None:
        body, first = parts[0], n + 1 - len(parts)
        require(body[3] in self.intents, "PRUNE_RECORD", n, "no intent, or one that was done before")
        last, intent, announced = self.intents.pop(body[3])
        kept = [set[int]().union(*(self.members(one[at]) for one in parts)) for at in (4, 5)]
        require(intent[0] == body[0] and kept[0] <= announced[0] and kept[1] <= announced[1], "PRUNE_RECORD", n)
        sets = announced[0] - kept[0], announced[1] - kept[1]
        require(self.told(sets) == body[6:9], "PRUNE_RECORD", n, "counts or digest")
        require(self.waited(last, first) >= intent[6] * DAY, "PRUNE_WAIT", n)
        today, named, policy = day_of(self.times[n]), self.in_force(body[3]), self.in_force(first)
        require(intent[4] <= today, "PRUNE_EARLY", n, "as of", intent[4])
        for event in sets[0]:
            require((event, 0) not in self.went, "PRUNE_RECORD", n, "twice")
            self.check_content(event, today, [one[1] for one in (named, policy) if one is not None])
        for event in sets[1]:
            before = self.went.get((event, 0))
            had = self.headers[event][40:44] != bytes(4)
            require(not had or (before is not None and self.dones[before][1] < body[3]), "PRUNE_ORDER", n, event)
            require((event, 1) not in self.went, "PRUNE_RECORD", n, "twice")
        number = len(self.dones)
        self.went |= {(event, what): number for what in range(2) for event in sets[what]}
        self.dones.append((first, n, sets, announced))

    def check_content(self, n: int, today: int, policies: list[list[Any]]) -> None:
        until = int.from_bytes(self.headers[n][20:24], "big")
        require(floor(self.times[n]) < today, "PRUNE_EARLY", n, "floor")
        require(until == OPEN or until < today, "PRUNE_EARLY", n, until)
        for policy in policies if until == OPEN else ():
            days = [
                keep_until(policy, self.record_class(n), self.times[n], codes, past=True) for codes in self.codes(n)
            ]
            require(None not in days and min(day for day in days if day is not None) < today, "PRUNE_EARLY", n, "open")
        subjects = {subject for subject, _, _ in rows_of(self.rows[n] or b"")} if self.rows[n] else set()
        for about, last in self.holds.values():
            over = last is not None and (date.fromisoformat(last) - date(1970, 1, 1)).days < today
            require(over or not about & subjects, "PRUNE_HELD", n)

    def check_order(self) -> None:  # 13.1
        latest, believed, first = dict[str, int](), list[int](), 0
        for n, part in enumerate(self.rows):
            for subject, previous, _ in rows_of(part) if part else ():
                if previous and self.gone(previous - 1, 1) and previous > latest.get(subject, 0):
                    require(subject not in latest, "PRUNE_ORDER", previous - 1, "older rows are left")
                    follower, named = self.went.get((n, 0)), self.went[previous - 1, 1]
                    require(follower is not None and follower < named, "PRUNE_ORDER", previous - 1, "follower is kept")
                    believed.append(previous - 1)
                latest[subject] = n + 1
        believed.sort()
        for n in sorted((n for n in self.events if self.gone(n, 1)), reverse=True):
            count = int.from_bytes(self.headers[n][40:44], "big")
            require(len(believed) - bisect_left(believed, n) >= count + first, "PRUNE_ORDER", n, "a latest row went")
            first += int.from_bytes(self.headers[n][52:56], "big")
        require(len(believed) >= first, "SUBJECT_LOST", first, len(believed))


def load(path: Path) -> Ledger:
    if path.is_file():
        entries = json.loads(path.read_text("utf-8"))["entries"]
        columns = [
            [one[name] and bytes.fromhex(one[name]) for one in entries] for name in ("header", "content", "rows")
        ]
        return Ledger(*columns)
    folder = path / "ledger"
    generation = folder / (folder / "CURRENT").read_text("ascii").strip()
    with lmdb.open(str(generation), readonly=True, lock=False, max_dbs=32) as environment:
        names = [environment.open_db(name, create=False) for name in (b"headers", b"contents", b"rows")]
        with environment.begin() as transaction:
            headers, contents, rows = (dict(transaction.cursor(name)) for name in names)
    numbers = [n.to_bytes(8, "big") for n in range(len(headers))]
    return Ledger([headers[n] for n in numbers], [contents.get(n) for n in numbers], [rows.get(n) for n in numbers])


def main(path: str, now: str = "") -> str:
    ledger = load(Path(path))
    require(not now or ledger.times[-1] <= int(now), "TIME_AHEAD")
    return ledger.check()


if __name__ == "__main__":
    try:
        print(main(*sys.argv[1:]), "OK", sep="\n")
    except Exception as error:  # noqa: BLE001 - whatever is wrong with the data is told in one line, with exit code 1
        sys.exit(f"MISMATCH: {error!s:.300} ({type(error).__name__})")
