"""What a ledger says, in words of both languages: ids with their names, states, steps and their details."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attrs import field, frozen

from tracechain import identifiers
from tracechain.custody import ACT_MASK, Act, unpack_state
from tracechain.errors import InputError, TracechainError
from tracechain.event import (
    Event,
    TransformationEvent,
    format_offset,
    format_time,
)
from tracechain.event.sale import (
    EXPIRY,
    EXPORT_RETURN_DOCUMENT,
    LOT,
    PAYMENT_DOCUMENT,
    amount,
    destination,
    documents,
    label,
    source,
)
from tracechain.formats.scan_rows import EVENTS
from tracechain.report.catalogue import Both, both, known
from tracechain.report.escaping import visible

__all__ = ["BEIJING", "BUYER", "Detail", "Name", "Names", "act_words", "clock_time", "details", "human", "moment",
           "state_words", "step_name", "step_words"]  # fmt: skip

BEIJING = 480  # minutes east of UTC: where receipt times are read
BUYER = "person/"
_TOKEN = 8  # hexadecimal digits that are shown of a buyer's token: 100,000 of them stay apart
_OWN_DOCUMENTS = "urn:tracechain:btt:"
_MOST = 3  # ids that a step names one by one
_UNITS = {"CEL": " °C", "P1": " %"}

# The first name wins, so that what two names stand for is called by the commoner one.
_STEPS: dict[tuple[type, str, str, str | None], str] = {}
for _name, _kind in EVENTS.items():
    for _disposition in (_kind.disposition, None):
        _STEPS.setdefault((_kind.build, _kind.action, _kind.biz_step, _disposition), _name)  # type: ignore[arg-type]  # EVENTS builds with classes

#: The step that an act of a row tells of, where the content is gone.
_ACTS: Mapping[Act, str] = {
    Act.SEE: "see", Act.END: "end", Act.NOTE: "note", Act.OBSERVE: "see", Act.COMMISSION: "commission",
    Act.SHIP: "ship", Act.BOND_IN: "bond_in", Act.RESERVE: "order", Act.CANCEL: "cancel", Act.CLEAR: "clear",
    Act.SELL: "sell", Act.SELL_PART: "sell_part", Act.DISPENSE: "deliver", Act.DISPENSE_PART: "deliver_part",
    Act.RETURN_IN: "return_in", Act.EXPORT_RETURN: "export_return", Act.CONFORM: "verify",
    Act.REJECT: "verify_failed", Act.HOLD: "hold", Act.RELEASE: "release", Act.RECALL: "recall", Act.STEAL: "steal",
    Act.REPAIR: "repair", Act.RELABEL_OLD: "relabel", Act.RELABEL_NEW: "relabel", Act.CONSUME: "transform",
    Act.PRODUCE: "transform", Act.EXPORT: "export", Act.DESTROY: "destroy", Act.UNDO: "undo",
    Act.APPLY_RETURN: "apply_return",
}  # fmt: skip


# ---- ids ---------------------------------------------------------------------------------------


def human(subject: str) -> str:
    """An id to be read by people, or any other text as it is; what cannot be seen is made visible."""
    try:
        return visible(identifiers.format_human(subject))
    except TracechainError:
        return visible(subject)


@frozen
class Name:
    """How an id is shown: `words` in both languages, and the id itself in `id`, '' where it says nothing more; `token`:
    it is the token of a buyer."""

    words: Both
    id: str = ""
    token: bool = False


@frozen
class Names:
    """Readable names by id. Buyers have none: what is erased in the vault must not live on in a page."""

    given: Mapping[str, str] = field(factory=dict)

    def of(self, subject: str | None) -> Name:
        """How to show an id; None and '' are not known."""
        if not subject:
            return Name(both("page.unknown"))
        shown = human(subject)
        if subject.startswith(BUYER):
            return Name(both("page.buyer", token=f"{visible(subject[len(BUYER) :][:_TOKEN])}…"), shown, token=True)
        name = self.name(subject)
        return Name((shown, shown)) if name is None else Name((name, name), shown)

    def name(self, subject: str) -> str | None:
        """The name that was given for an id."""
        name = None if subject.startswith(BUYER) else self.given.get(subject)
        return visible(name) if name else None


# ---- times and states --------------------------------------------------------------------------


def clock_time(nanos: int, offset: int = BEIJING) -> str:
    """A time by the clock that is `offset` minutes east of UTC: `2026-11-21 08:30:00 +08:00`."""
    zone = "Z" if offset == 0 else format_offset(offset)
    return f"{format_time(nanos, offset).replace('T', ' ').removesuffix(zone)} {zone}"


def moment(milliseconds: int) -> str:
    """A receipt time: Beijing time, seconds."""
    return clock_time(milliseconds // 1000 * 1_000_000_000)


def state_words(state: int) -> Both:
    """A state in words: custody and flags."""
    try:
        pack = unpack_state(state)
    except InputError:
        return f"state {state}", f"状态 {state}"
    words = [both(f"custody.{pack.custody.name}"), *(both(f"flag.{flag}") for flag in pack.flags())]
    return ", ".join(one for one, _ in words), "、".join(one for _, one in words)


# ---- steps -------------------------------------------------------------------------------------


def step_name(event: Event) -> str:
    """What scan files call such an event, or its business step, or its class."""
    action = getattr(event, "action", "")
    name = _STEPS.get((type(event), action, event.biz_step or "", event.disposition))
    if name is None:
        name = "transform" if isinstance(event, TransformationEvent) else event.biz_step or type(event).__name__
    elif name == "order" and documents(event, PAYMENT_DOCUMENT):
        name = "payment"  # the very same event but for its document
    elif name == "return_in" and documents(event, EXPORT_RETURN_DOCUMENT):
        name = "export_return"
    return name


def step_words(event: Event) -> Both:
    """An event in a word or two."""
    name = step_name(event)
    return known(f"step.{name}", visible(name.replace("_", " ")))


def act_words(act: int) -> Both:
    """What an entry did, by the act of its row alone."""
    try:
        return both(f"step.{_ACTS[Act(act & ACT_MASK)]}")
    except (ValueError, KeyError):
        return f"act {act}", f"步骤 {act}"


@frozen
class Detail:
    """One thing that a step says: `label` in both languages, and the value."""

    label: Both
    name: Name


def details(event: Event, subject: str, names: Names) -> list[Detail]:
    """What an event says of `subject` beside time, place and name."""
    return [Detail(label_, name) for label_, name in _details(event, subject, names)]


def _details(event: Event, subject: str, names: Names) -> Iterator[tuple[Both, Name]]:
    if len(event.epcs) > 1:
        yield both("detail.codes"), _plain(f"{len(event.epcs):,}")
    if isinstance(event, TransformationEvent):
        if subject in event.output_epcs:
            yield from _listed("detail.of", event.epcs, names)
        else:
            yield from _listed("detail.into", event.output_epcs, names)
    parent = getattr(event, "parent", None)
    if parent is not None and parent != subject:
        out = getattr(event, "action", "") == "DELETE"
        yield both("detail.from_container" if out else "detail.in"), names.of(parent)
    for key, master in (("detail.lot", LOT), ("detail.expires", EXPIRY)):
        if (said := label(event, master)) is not None:
            yield both(key), _plain(visible(said))
    if event.biz_location is not None and event.biz_location != event.read_point and event.read_point is not None:
        yield both("detail.location"), names.of(event.biz_location)
    carrier = source(event, "possessing_party") or destination(event, "possessing_party")
    if carrier is not None:
        yield both("detail.carrier"), names.of(carrier)
    seller = source(event, "owning_party")
    if seller is not None:
        yield both("detail.seller"), names.of(seller)
    target = destination(event, "location", "owning_party")
    if target is not None:
        yield both("detail.to"), names.of(target)
    if event.person is not None:
        token = event.person.hex()
        yield both("detail.buyer"), Name((f"{token[:_TOKEN]}…",) * 2, f"{BUYER}{token}", token=True)
    for one in event.biz_transactions[:_MOST]:
        kind = (one.type or "document").removeprefix(_OWN_DOCUMENTS)
        yield known(f"document.{kind}", visible(kind)), _plain(human(one.id))
    if (paid := amount(event)) is not None:
        yield both("detail.amount"), _plain(f"{paid:,.2f}")
    for element in event.sensors[:_MOST]:
        for report in element.reports[:_MOST]:
            if report.value is not None:
                unit = _UNITS.get(report.uom or "", f" {visible(report.uom)}" if report.uom else "")
                yield known(f"detail.{report.type}", visible(report.type)), _plain(f"{report.value}{unit}")


def _plain(text: str) -> Name:
    return Name((text, text))


def _listed(key: str, ids: Sequence[str], names: Names) -> Iterator[tuple[Both, Name]]:
    for one in ids[:_MOST]:
        yield both(key), names.of(one)
    if len(ids) > _MOST:
        yield both(key), Name(both("page.more", n=f"{len(ids) - _MOST:,}"))
