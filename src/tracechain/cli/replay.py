"""`tracechain replay`: the whole state of a log, by the log alone, as of now or of any moment; every judgement of its
rules, and every seal, worked out again."""

from __future__ import annotations

import textwrap
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import frozen

from tracechain.checkpoint import format_vkey
from tracechain.cli.clock import clock
from tracechain.cli.entries import human
from tracechain.cli.keyfiles import passphrase, read_vkey
from tracechain.cli.moments import Asked, asked_day
from tracechain.cli.opening import looks_like_bundle, open_to_read
from tracechain.cli.output import (
    bar,
    console,
    counted,
    json_option,
    moment,
    plain,
    print_json,
    say,
    say_wrapped,
    styled,
    table,
    waiting,
)
from tracechain.custody import Custody, Flag, is_pack, unpack_state
from tracechain.errors import DataError, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracechain.checkpoint import Checkpoint, NoteSigner
    from tracechain.verification.audit import Audit, AuditedSeal
    from tracechain.view import View

__all__ = ["replay"]

_MOST_ROWS = 20
_SEALED = {True: "worked out again", False: "NOT what the log comes to", None: "cannot be worked out any more"}


@click.command(short_help="Work out the whole state of a bundle, now or then.")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option(
    "--as-of", metavar="DATE",
    help="What was recorded by the end of that day in Beijing (YYYY-MM-DD), or by a time with its zone [all].",
)  # fmt: skip
@click.option(
    "--cosign", "cosign_key", type=click.Path(path_type=Path, dir_okay=False), metavar="KEYFILE",
    help="Sign the latest seal as an auditor, if the bundle is sound and comes to it. Takes --name, --key and --out.",
)  # fmt: skip
@click.option("--name", metavar="NAME", help="The auditor's key name, such as auditor.example.")
@click.option("--key", metavar="VKEY|FILE", help="The log's verifier key, as you know it from outside the bundle.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Where to write the signed seal note: it goes back to the ledger, for `tracechain seal note`.",
)  # fmt: skip
@click.option(
    "--passphrase-file", type=click.Path(path_type=Path), metavar="FILE",
    help="File whose first line is the passphrase of the auditor's key.",
)  # fmt: skip
@click.option(
    "--processes", type=click.IntRange(1, 64), default=1, show_default=True, help="With --cosign: how many verify it."
)
@json_option
def replay(
    bundle: Path, as_of: str | None, cosign_key: Path | None, name: str | None, key: str | None, out: Path | None,
    passphrase_file: Path | None, processes: int, as_json: bool,
) -> int:  # fmt: skip
    """Replay the log in BUNDLE (or a ledger) from nothing: what it came to then, and whether its rules were applied
    rightly.

    Every state and violation is judged again by contents alone, and every seal is worked out again. The log is taken
    at its word: whether it is sound, `tracechain verify` says; with --cosign that is checked as well, and the latest
    seal is signed. Exits with 1 when something was found.
    """
    from tracechain.replayed import entries_received
    from tracechain.verification.audit import audit

    asked = asked_day(as_of, clock()())
    auditor = None
    if cosign_key is not None:
        auditor = _auditor(bundle, cosign_key, name, key, out, passphrase_file, processes, whole=as_of is None)
    elif name is not None or key is not None or out is not None:
        raise click.UsageError("--name, --key and --out belong to --cosign.")
    if auditor is not None and not auditor.sound:
        return _refuse(bundle, as_json=as_json)
    with open_to_read(bundle, index=False) as opened:
        view = opened.view
        stop = view.size if as_of is None else entries_received(view, asked.millis)
        if not stop:
            raise InputError(f"{bundle}: nothing was recorded by {moment(asked.millis)}, there is nothing to replay")
        with bar("replaying") as shown:
            done = audit(view, stop, progress=shown.update)
        with waiting("looking at what it comes to"):
            told = _state_if_any(done.view, asked)
        fault = None if auditor is None else auditor.sign(view, done)
    if as_json:
        said = _as_json(done, told, view.size, None if as_of is None else asked)
        signed = (
            {} if auditor is None else {"verified": auditor.sound, "cosigned": fault is None, "not_cosigned": fault}
        )
        print_json({"bundle": str(bundle), **said, **signed})
    else:
        _tell(done, told, view.size, None if as_of is None else asked, verified=auditor is not None)
        if auditor is not None:
            _tell_signed(auditor, fault)
    return 0 if done.report and fault is None else 1


# ---- an auditor's signature --------------------------------------------------------------------------


@frozen
class _Auditor:
    """Who signs, where the note goes, and whether the bundle is sound; `head` is what was verified of it."""

    signer: NoteSigner
    out: Path
    sound: bool
    head: Checkpoint | None = None

    def sign(self, view: View, done: Audit) -> str | None:
        """Sign the latest seal and write the note; why not, where that cannot be."""
        from tracechain.checkpoint import parse_note
        from tracechain.seals import note_of, sign_note

        if not done.report:
            return "the replay found something"
        if not done.seals:
            return "there is no seal in it"
        latest = done.seals[0]
        if latest.stands is not True:
            return f"the seal in entry {latest.sealed.index} {_SEALED[latest.stands]}"
        # The bundle was opened twice: what is signed has to be of the log that was verified.
        if self.head is None or not _is_of(view, self.head, (0, latest.sealed.index)):
            return "the bundle was changed since it was verified"
        said = note_of(view, latest.sealed.body)
        kept = dict(view.seal_notes()).get(said.seal.size)
        if kept is not None and parse_note(kept).text != said.format():
            return f"the note that is kept of the seal of {said.seal.size} entries says something else"
        # Signatures of other auditors stay with it.
        note = sign_note(said if kept is None else kept, self.signer)
        with self.out.open("x", encoding="utf-8", newline="\n") as file:
            file.write(note)
        return None


def _is_of(view: View, head: Checkpoint, indices: Sequence[int]) -> bool:
    """Whether a log has the tree of a checkpoint, and entries the contents that their headers commit to."""
    from tracechain.entry import SALT_SIZE, content_commitment, parse_header
    from tracechain.witnessing import roots_at

    if view.size != head.size or roots_at(view, [head.size]).get(head.size) != head.root:
        return False
    return all(
        (header := view.header(index)) is not None
        and (part := view.content(index)) is not None
        and content_commitment(part[:SALT_SIZE], part[SALT_SIZE:]) == parse_header(header).content_commitment
        for index in indices
    )


def _refuse(bundle: Path, *, as_json: bool) -> int:
    words = "the bundle is not sound: see `tracechain verify`"
    if as_json:
        print_json({"bundle": str(bundle), "good": False, "verified": False, "cosigned": False, "not_cosigned": words})
    else:
        say(f"{styled('✗ NOT COSIGNED', 'bad')}   {words}")
    return 1


def _auditor(
    bundle: Path, key_file: Path, name: str | None, key: str | None, out: Path | None, secret: Path | None,
    processes: int, *, whole: bool,
) -> _Auditor:  # fmt: skip
    """Who signs; the bundle is verified first."""
    from tracechain.bundle.check import check_whole
    from tracechain.checkpoint import NoteSigner
    from tracechain.signing import FileSigner

    verifier = read_vkey(key)
    if name is None or verifier is None or out is None:
        raise click.UsageError("--cosign takes --name, --key and --out.")
    if not whole:
        raise click.UsageError("--cosign signs what the whole log comes to: leave --as-of out.")
    if not looks_like_bundle(bundle):
        raise InputError(f"{bundle} is no bundle: a ledger's seal is signed with `tracechain seal cosign`")
    if out.exists():
        raise InputError(f"{out} exists: choose another name for the note")
    signer = NoteSigner(name, FileSigner.open(key_file, passphrase(secret)))
    with bar("verifying") as shown:
        report = check_whole(bundle, verifier=verifier, progress=shown.update, processes=processes)
    return _Auditor(signer, out, bool(report), report.checkpoint)


def _tell_signed(auditor: _Auditor, fault: str | None) -> None:
    if fault is None:
        vkey = format_vkey(auditor.signer.verifier)
        say(f"{styled('✓ COSIGNED', 'good')}   {plain(auditor.out)}: give it back, for `tracechain seal note`")
        say(f"  as {plain(vkey)}", "dim")
    else:
        say(f"{styled('✗ NOT COSIGNED', 'bad')}   {plain(fault)}")


# ---- what it comes to --------------------------------------------------------------------------------


def state_of(view: View, asked: Asked) -> dict[str, Any]:
    """What a log comes to, in plain values: what each command of its own tells more of.

    `asked` is the moment that is looked from: alerts go by it.
    """
    from tracechain.pilot import alerts, cases, stopped, violations
    from tracechain.recall import recalls
    from tracechain.tracing import stock

    custody: Counter[str] = Counter()
    flags: Counter[str] = Counter()
    others: Counter[str] = Counter()
    for subject, unit in view.units():
        if is_pack(subject):
            state = unpack_state(unit.state)
            custody[state.custody.name.lower()] += 1
            flags.update(state.flags())
        else:
            others[Custody(unit.state).name.lower() if unit.state <= Custody.DEAD else "?"] += 1
    return {
        "packs": {one.name.lower(): custody[one.name.lower()] for one in Custody if custody[one.name.lower()]},
        "flags": {one.name.lower(): flags[one.name.lower()] for one in Flag if flags[one.name.lower()]},
        "other_subjects": dict(sorted(others.items())),
        "stock": [{"product": row.product, "units": row.units} for row in stock(view)],
        "recalls": [
            {"id": one.id, "class": one.opened.recall_class, "opened_on": one.opened.on.isoformat(),
             "reason": one.opened.reason} for one in recalls(view) if one.open
        ],
        "cases": [{"id": one.id, "steps": len(one.steps)} for one in cases(view) if one.open],
        "stops": [{"kind": one.kind, "id": one.id} for one in stopped(view)],
        "violations": {one.name: one.count for one in violations(view)},
        "alerts": dict(Counter(one.kind.value for one in alerts(view, asked.millis))),
    }  # fmt: skip


def _state_if_any(view: View, asked: Asked) -> dict[str, Any]:
    """The same; of a log with damaged rows nothing but that."""
    try:
        return state_of(view, asked)
    except DataError as error:
        empty: dict[str, Any] = {name: {} for name in ("packs", "flags", "other_subjects", "violations", "alerts")}
        return empty | {"stock": [], "recalls": [], "cases": [], "stops": [], "fault": str(error)}


def _seal_json(one: AuditedSeal) -> dict[str, Any]:
    body = one.sealed.body
    return {
        "index": one.sealed.index, "receipt_time_ms": one.sealed.time, "size": body.size, "ids": body.ids,
        "map_root": body.map_root.hex(), "stands": one.stands,
    }  # fmt: skip


def _as_json(done: Audit, told: dict[str, Any], size: int, asked: Asked | None) -> dict[str, Any]:
    report = done.report
    return {
        "size": size,
        "entries": report.entries,
        "as_of_ms": None if asked is None else asked.millis,
        "good": bool(report),
        "verified": False,
        **told,
        "subjects": report.units,
        "rows_judged": report.rows,
        "seals": [_seal_json(one) for one in done.seals],
        "findings": [
            {"code": str(f.code), "index": f.index, "subject": f.subject, "detail": f.detail} for f in report.findings
        ],
        "findings_not_listed": report.beyond,
        "notes": list(report.notes),
    }


# ---- for people --------------------------------------------------------------------------------------


def _tell(done: Audit, told: dict[str, Any], size: int, asked: Asked | None, *, verified: bool) -> None:
    report = done.report
    when = "" if asked is None else f", as of {moment(asked.millis)}"
    of = "" if report.size == size else f" of {size:,}"
    if report:
        say(f"{styled('✓ REPLAYED', 'good')}   {report.entries:,}{of} entries{when}")
    else:
        total = len(report.findings) + report.beyond
        found = styled(f"✗ {counted(total, 'finding')}", "bad")
        say(f"{found} in {report.entries:,}{of} entries{when}")
        _tell_findings(done)
    packs = sum(told["packs"].values())
    say(f"  {counted(packs, 'pack')}, {counted(sum(told['other_subjects'].values()), 'other subject')}")
    _tell_counts("packs", told["packs"])
    _tell_counts("marked", told["flags"])
    _tell_counts("others", told["other_subjects"])
    _tell_counts("in hand", {human(row["product"]): row["units"] for row in told["stock"] if row["product"]})
    _tell_counts("rules broken", told["violations"])
    _tell_counts("alerts", told["alerts"])
    _tell_named(
        "open recall", [f"{one['id']}, class {one['class']}, since {one['opened_on']}" for one in told["recalls"]]
    )
    _tell_named("open case", [one["id"] for one in told["cases"]])
    _tell_named("stopped", [f"{one['kind']} {human(one['id'])}" for one in told["stops"]])
    for one in done.seals[:_MOST_ROWS]:
        style = {True: "good", False: "bad", None: "warn"}[one.stands]
        body = one.sealed.body
        say(
            f"  {styled('seal'.ljust(12), 'dim')}  entry {one.sealed.index:,}: complete to {body.size:,},"
            f" {body.ids:,} ids, {styled(_SEALED[one.stands], style)}"
        )
    if "fault" in told:
        say_wrapped(f"what it comes to cannot be told: {plain(told['fault'])}", 2, "bad")
    taken = () if verified else ("the log was taken at its word: whether it is sound, `tracechain verify` says",)
    for note in (*report.notes, *taken):
        say_wrapped(plain(note), 2, "dim")


def _tell_findings(done: Audit) -> None:
    shown = table()
    shown.add_column("code", style="red", no_wrap=True)
    shown.add_column("entry", justify="right", style="cyan", no_wrap=True)
    shown.add_column("what was found", overflow="fold")
    for one in done.report.findings[:_MOST_ROWS]:
        about = f"{human(one.subject)}: " if one.subject else ""
        shown.add_row(str(one.code), "" if one.index is None else f"{one.index:,}", about + plain(one.detail))
    console().print(shown)
    more = len(done.report.findings) - _MOST_ROWS + done.report.beyond
    if more > 0:
        say(f"and {more:,} more (--json)", "warn")


def _tell_counts(name: str, counts: dict[str, int]) -> None:
    """Numbers, the largest first, in lines that fit the window."""
    ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    if ordered:
        words = ", ".join(f"{count:,} {what}" for what, count in ordered[:_MOST_ROWS])
        more = len(ordered) - _MOST_ROWS
        words += f", and {more:,} more" if more > 0 else ""
        lines = textwrap.wrap(words, max(40, console().width) - 16, break_long_words=False, break_on_hyphens=False)
        for number, line in enumerate(lines):
            say(f"  {styled(('' if number else name).ljust(12), 'dim')}  {line}")


def _tell_named(name: str, texts: list[str]) -> None:
    for text in texts[:_MOST_ROWS]:
        say(f"  {styled(name.ljust(12), 'dim')}  {plain(text)}")
    if len(texts) > _MOST_ROWS:
        say(f"  {''.ljust(12)}  and {len(texts) - _MOST_ROWS:,} more (--json)", "dim")
