"""What is under hold: legal holds, open recalls and open cases, and which entries they cover (format.md section 5.7).

Nothing that is under hold goes, whatever a policy says. So who prunes and who verifies a pruning have to come to the
same answer, and a verifier may have no contents any more: what decides are the subjects of an entry's rows, which never
go together with its content.

- A criterion is asked of a pack with what the rows and the registers tell: its product, what was ever registered of
  that, its code. Its lot is not known once the contents are gone, nor is where it has been. What is not known may be so
  (Kleene's logic, as in `rules.recalled`), and whatever is not false is held. A hold of one lot therefore holds the
  whole product, and one by place or time alone holds every pack.
- An id is the pack, the product (or that of the lot) or the merchant of products of that name. Any other id (a
  container, a place, an order) holds the entries that have a row of it, and those whose content names it, as long as
  there is a content.
- What stood in an entry together with a held pack and is neither a pack nor a class of goods, is a held container, and
  what stands together with one is one too. Rows do not tell which of two is in the other, so it goes both ways.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from operator import attrgetter
from typing import Any, cast

from attrs import frozen

from tracechain.criteria import AllOf, AnyOf, Codes, Criterion, Not
from tracechain.custody import is_pack
from tracechain.encoding import pack, unpack_known
from tracechain.entry import SALT_SIZE, EntryType
from tracechain.errors import DataError, TracechainError
from tracechain.record import Record, decode_record
from tracechain.registers import CaseStep, HoldStep, Product, RecallStep, subject_of
from tracechain.retention.dates import day_of
from tracechain.rules.guards import class_of
from tracechain.rules.recalled import Known, meets
from tracechain.rules.standing import Registered, fold
from tracechain.view import View, unit_history

__all__ = ["Containers", "Hold", "Holding", "holds_in", "named_packs", "row_subjects", "watch"]

_KINDS = (HoldStep.KIND, RecallStep.KIND, CaseStep.KIND)
_PREFIXES = tuple(subject_of(kind, "") for kind in _KINDS)
_PRODUCT = subject_of(Product.KIND, "")
_RECORDS = (*_PREFIXES, _PRODUCT)
#: A code that no criterion lists: it stands for every pack of a product that is not named by itself.
_ANY_CODE = "\0"
_GTIN = len("01/") + 14
_PERSON, _PLACE, _WITHIN = "person/", "414/", "/254/"


@frozen
class Hold:
    """Why something stays. `kind` is hold, recall or case, `id` its own, `index` the entry that began it, `until` its
    last day (None: until it ends by a record)."""

    kind: str
    id: str
    index: int
    authority: str | None
    reason: str
    until: int | None = None
    criterion: Criterion | None = None
    about: tuple[str, ...] = ()

    @property
    def why(self) -> str:
        """In words: kind and id, by whose order, and the reason."""
        by = "" if self.authority is None else f" by {self.authority}"
        return f"{self.kind} {self.id}{by}: {self.reason}"

    def stands(self, day: int) -> bool:
        """Whether its last day has not passed."""
        return self.until is None or day <= self.until


class Containers:
    """What stood together with what: containers in groups, each with the products, and the packs named by a hold, that
    were seen with any of it. Fed with the subjects of the entries in order."""

    def __init__(self, named: frozenset[str] = frozenset()) -> None:
        self._named = named
        self._above: dict[str, str] = {}
        #: Of each group: its containers, the products of packs seen with them, and the named packs.
        self._seen: dict[str, tuple[list[str], set[str | None], set[str]]] = {}

    def link(self, subjects: Sequence[str]) -> None:
        """Take the subjects of one entry."""
        boxes = [one for one in subjects if _is_container(one)]
        if not boxes:
            return
        root = self.group(boxes[0])
        if root is None:
            root = boxes[0]
            self._above[root] = root
            self._seen[root] = [root], set(), set()
        for box in boxes[1:]:
            root = self._join(root, box)
        if len(boxes) < len(subjects):
            _, products, packs = self._seen[root]
            for one in subjects:
                if one in self._named:
                    packs.add(one)
                elif is_pack(one):
                    products.add(product_of(one))

    def group(self, container: str) -> str | None:
        """The name of a container's group; None for one that was never seen."""
        above = self._above
        at = above.get(container)
        if at is None or above[at] == at:
            return at
        while above[at] != at:
            above[container] = above[at]
            container, at = at, above[at]
        return at

    def of(self, root: str) -> tuple[list[str], set[str | None], set[str]]:
        """The containers of a group, the products and the named packs that were seen with them."""
        return self._seen[root]

    def roots(self) -> Iterator[str]:
        """Every group."""
        return iter(self._seen)

    def _join(self, root: str, box: str) -> str:
        other = self.group(box)
        if other is None:
            self._above[box] = root
            self._seen[root][0].append(box)
            return root
        if other == root:
            return root
        if len(self._seen[other][0]) > len(self._seen[root][0]):
            root, other = other, root
        boxes, products, packs = self._seen.pop(other)
        self._above[other] = root
        mine = self._seen[root]
        mine[0].extend(boxes)
        mine[1].update(products)
        mine[2].update(packs)
        return root


class Holding:
    """What holds stand, as the log goes on: records are taken in its order, and entries are asked for.

    `named` are the packs that any hold of the log names by itself: those are remembered when they are seen with
    containers, others only by their product. `load` reads the records of a product's chain where it is asked for;
    without it, those that were taken are all there are. `see` gives the containers the first time they are needed.
    """

    def __init__(
        self,
        named: Iterable[str] = (),
        load: Callable[[str], Iterable[tuple[int, Record]]] | None = None,
        see: Callable[[Containers], None] | None = None,
    ) -> None:
        self.named = frozenset(named)
        self.containers = Containers(self.named)
        self._load = load
        self._see = see
        self._chains: dict[str, Registered] = {}
        #: Every step of each hold, recall and case that could follow, by subject.
        self._steps: dict[str, list[tuple[int, HoldStep | RecallStep | CaseStep]]] = {}
        self._products: dict[str, list[Product]] = {}
        self._all: tuple[Hold, ...] | None = None
        self._asked: _Asked | None = None

    # ---- what is said --------------------------------------------------------------------------

    def take(self, index: int, record: Record) -> None:
        """Take the next record of the log, of whatever kind. One that cannot follow changes nothing."""
        subject = record.subject
        if subject is None or not subject.startswith(_RECORDS):
            return
        if self._load is not None and subject.startswith(_PRODUCT):
            self.files(subject.removeprefix(_PRODUCT))
        before = self._chains.get(subject)
        with contextlib.suppress(TracechainError):
            now = self._chains[subject] = fold(before, index, record)
            if isinstance(now.value, Product):
                if before is None or now.value is not before.value:
                    self._products.setdefault(now.value.id, []).append(now.value)
            elif isinstance(now.value, HoldStep | RecallStep | CaseStep):
                self._steps.setdefault(subject, []).append((index, now.value))
                self._all = None
            self._asked = None

    def link(self, subjects: Sequence[str]) -> None:
        """Take the subjects of the rows of the next entry, where it has more than one or one that is no pack."""
        self.containers.link(subjects)
        self._asked = None

    @property
    def holds(self) -> tuple[Hold, ...]:
        """Every hold that was not released, recall and case that was not closed; oldest first."""
        if self._all is None:
            found = [one for steps in self._steps.values() if (one := self._hold(steps)) is not None]
            self._all = tuple(sorted(found, key=attrgetter("index")))
        return self._all

    def standing_on(self, day: int) -> tuple[Hold, ...]:
        """Those of them that stand on a day."""
        return tuple(one for one in self.holds if one.stands(day))

    def _hold(self, steps: list[tuple[int, HoldStep | RecallStep | CaseStep]]) -> Hold | None:
        index, first = steps[0]
        last = steps[-1][1]
        match first:
            case HoldStep():
                if last.phase == "released":
                    return None
                until: date | None = last.until  # type: ignore[union-attr]  # the steps of a chain are of one kind
                about = set(first.about) | (set() if first.case is None else self._about(first.case))
                day = None if until is None else day_of(until)
                return Hold(
                    "hold", first.id, index, first.authority, first.reason, day, first.criterion, tuple(sorted(about))
                )
            case RecallStep():
                if last.phase == "closed":
                    return None
                return Hold("recall", first.id, index, first.authority, first.reason, None, first.criterion)
            case _:
                if last.phase == "closed":
                    return None
                about = self._about(first.id)
                return Hold("case", first.id, index, first.authority, first.text, None, None, tuple(sorted(about)))

    def _about(self, case: str) -> set[str]:
        """What any step of a case is about."""
        steps = self._steps.get(subject_of(CaseStep.KIND, case), ())
        return {one for _, step in steps if isinstance(step, CaseStep) for one in step.about}

    def files(self, product: str) -> Sequence[Product]:
        """Every version of a product's file."""
        if self._load is not None and product not in self._products:
            found = self._products[product] = []
            subject = _PRODUCT + product
            for index, record in self._load(subject):
                with contextlib.suppress(TracechainError):
                    before = self._chains.get(subject)
                    now = self._chains[subject] = fold(before, index, record)
                    if isinstance(now.value, Product) and (before is None or now.value is not before.value):
                        found.append(now.value)
        return self._products.get(product, ())

    # ---- what it covers ------------------------------------------------------------------------

    def covers(self, subjects: Sequence[str], content: bytes | None, day: int) -> Hold | None:
        """The first hold on that day that covers an entry, by the subjects of its rows and its content (without salt)
        as long as it is there; None if none does."""
        return self.on(day).covers(subjects, content)

    def covers_all(self, entries: Iterable[tuple[Sequence[str], bytes | None]], day: int) -> list[Hold | None]:
        """The same of many entries."""
        asked = self.on(day)
        if not asked.holds:
            return [None for _ in entries]
        return [asked.covers(subjects, content) for subjects, content in entries]

    def on(self, day: int) -> _Asked:
        """The questions of a day: `covers` for many entries, as long as nothing more is taken or linked."""
        if self._asked is None or self._asked.day != day:
            self._asked = _Asked(self, day)
        return self._asked

    def see(self) -> None:
        """Know the containers, of which nothing is read as long as nobody asks."""
        if self._see is not None:
            see, self._see = self._see, None
            see(self.containers)


class _Asked:
    """What is asked of the holds of one day, with answers by product."""

    def __init__(self, holding: Holding, day: int) -> None:
        self.day = day
        self.holds = holding.standing_on(day)
        self._holding = holding
        self._products: dict[str | None, Hold | None] = {}
        self._packs: dict[str, Hold | None] = {}
        self._boxes: dict[str, Hold | None] = {}
        self._ids: dict[str, Hold] = {}
        self._of_products: dict[str, Hold] = {}
        self._others: dict[str, Hold] = {}
        self._needles: list[tuple[bytes, Hold]] = []
        self._seen = False
        for hold in self.holds:
            codes = () if hold.criterion is None else _codes(hold.criterion)
            for one in (*hold.about, *(code for code in codes if not is_pack(code))):
                self._sort(one, hold)

    def _sort(self, one: str, hold: Hold) -> None:
        """What an id is."""
        product = product_of(one)
        if is_pack(one):
            self._ids.setdefault(one, hold)
        elif product is not None:
            self._of_products.setdefault(product, hold)
        else:
            self._others.setdefault(one, hold)
            # As a whole text: its canonical bytes begin with its length.
            self._needles.append((pack(one), hold))
            if one.startswith(_PLACE):
                self._needles.append((f"{one}{_WITHIN}".encode(), hold))
            elif one.startswith(_PERSON):
                with contextlib.suppress(ValueError):
                    self._needles.append((pack(bytes.fromhex(one[len(_PERSON) :])), hold))

    @property
    def reads(self) -> bool:
        """Whether contents matter: a hold is about an id that may stand in one."""
        return bool(self._needles)

    def covers(self, subjects: Sequence[str], content: bytes | None) -> Hold | None:
        """As Holding.covers."""
        if not self.holds:
            return None
        packs, products, others = self._packs, self._products, self._others
        named = self._holding.named
        for one in subjects:
            if one.startswith(("01/", "nmpa/")) or is_pack(one):
                if one in named or one in self._ids:
                    found = packs[one] if one in packs else self._pack(one)
                else:
                    product = product_of(one)
                    found = products[product] if product in products else self._product(product)
            else:
                found = others.get(one) or self._box(one)
            if found is not None:
                return found
        return None if content is None else self.named_in(content)

    def named_in(self, content: bytes) -> Hold | None:
        """The hold that is about something a content names and has no row of: an order, a place, a person."""
        for needle, hold in self._needles:
            if needle in content:
                return hold
        return None

    def _product(self, product: str | None) -> Hold | None:
        """What holds every pack of a product that no hold names by itself."""
        found = self._products[product] = self._ask(product, _ANY_CODE)
        return found

    def _pack(self, pack: str) -> Hold | None:
        found = self._packs[pack] = self._ids.get(pack) or self._ask(product_of(pack), pack)
        return found

    def _ask(self, product: str | None, code: str) -> Hold | None:
        files = () if product is None else self._holding.files(product)
        if product is not None and product in self._of_products:
            return self._of_products[product]
        for file in files:
            if file.merchant in self._others:
                return self._others[file.merchant]
        for hold in self.holds:
            if hold.criterion is not None and any(
                meets(hold.criterion, Known(product, file, 0, code)) is not False for file in files or (None,)
            ):
                return hold
        return None

    def _box(self, container: str) -> Hold | None:
        if not self._seen:
            self._seen = True
            self._holding.see()
        containers = self._holding.containers
        root = containers.group(container)
        if root is None:
            return None
        if root not in self._boxes:
            self._boxes[root] = self._group(*containers.of(root))
        return self._boxes[root]

    def _group(self, boxes: list[str], products: set[str | None], packs: set[str]) -> Hold | None:
        others = self._others
        if others and (found := next((others[one] for one in boxes if one in others), None)) is not None:
            return found
        for product in products:
            found = self._products[product] if product in self._products else self._product(product)
            if found is not None:
                return found
        return next((hold for pack in packs if (hold := self._pack(pack)) is not None), None)


def product_of(subject: str) -> str | None:
    """The product of a pack, a lot or a class of goods, None of anything else."""
    if subject.startswith("01/"):
        return subject[:_GTIN] if len(subject) == _GTIN or subject[_GTIN : _GTIN + 1] == "/" else None
    return class_of(subject) if subject.startswith("nmpa/") else None


def _is_container(subject: str) -> bool:
    return not subject.startswith(("01/", "nmpa/", "urn:tracechain:")) and not is_pack(subject)


# ---- over a view ---------------------------------------------------------------------------------


def holds_in(view: View, stop: int | None = None) -> Holding:
    """What holds stand after the first `stop` entries (all by default). Reads the chains of holds, recalls and cases;
    those of products, and what stood with what, when something is asked of them."""
    end = view.size if stop is None else min(stop, view.size)
    records = [one for subject in _subjects(view) for one in _records(view, subject, end)]
    records.sort(key=lambda one: one[0])

    def load(subject: str) -> Iterable[tuple[int, Record]]:
        return _records(view, subject, end)

    def see(containers: Containers) -> None:
        for _, part in view.all_rows(0, end):
            if not _is_alone(part):
                containers.link(row_subjects(part))

    holding = Holding(named_packs(records), load, see)
    for index, record in records:
        holding.take(index, record)
    return holding


def watch(view: View) -> Holding:
    """A Holding in which nothing stands yet, to be told the records and the subjects of this view's entries in their
    order. It knows which packs to look out for, whoever names them later."""
    return Holding(named_packs([one for subject in _subjects(view) for one in _records(view, subject, view.size)]))


def _is_alone(part: bytes) -> bool:
    """Whether stored rows are one row, by their first bytes: then nothing stood together."""
    return part[SALT_SIZE : SALT_SIZE + 1] == b"\x92" and part[SALT_SIZE + 2 : SALT_SIZE + 3] == b"\x96"


def row_subjects(part: bytes) -> list[str]:
    """The subjects of stored rows (with their salt), in order."""
    _, *groups = cast("tuple[Any, ...]", unpack_known(part[SALT_SIZE:]))
    return [group[0] + suffix for group in groups for suffix in group[1::5]]


def _subjects(view: View) -> Iterator[str]:
    for prefix in _PREFIXES:
        for subject, _ in view.subjects(prefix):
            yield subject


def _records(view: View, subject: str, end: int) -> Iterator[tuple[int, Record]]:
    """The records of a chain before an index, oldest first."""
    for index in unit_history(view, subject) if view.unit(subject) is not None else ():
        if index >= end:
            return
        header, part = view.header(index), view.content(index)
        if header is None:
            raise DataError(f"{subject}: the header of entry {index} is missing; verify the ledger")
        if header[4] == EntryType.RECORD and part is not None:
            with contextlib.suppress(TracechainError):
                yield index, decode_record(part[SALT_SIZE:])


def named_packs(records: Iterable[tuple[int, Record]]) -> Iterator[str]:
    """The packs that holds, recalls and cases name by themselves."""
    for _, record in records:
        about: Iterable[str] = ()
        criterion: Criterion | None = None
        with contextlib.suppress(TracechainError):
            match record.kind:
                case HoldStep.KIND:
                    step = HoldStep.from_record(record)
                    about, criterion = step.about, step.criterion
                case RecallStep.KIND:
                    criterion = RecallStep.from_record(record).criterion
                case CaseStep.KIND:
                    about = CaseStep.from_record(record).about
        yield from (one for one in about if is_pack(one))
        if criterion is not None:
            yield from (code for code in _codes(criterion) if is_pack(code))


def _codes(criterion: Criterion) -> Iterator[str]:
    match criterion:
        case Codes():
            yield from criterion.codes
        case AllOf() | AnyOf():
            for part in criterion.parts:
                yield from _codes(part)
        case Not():
            yield from _codes(criterion.part)
