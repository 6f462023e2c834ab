"""Witnesses on the command line: whose cosignatures are asked for, and between which of their times entries came."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracechain.cli.keyfiles import read_vkey
from tracechain.cli.output import console, counted, moment, plain, say, table
from tracechain.errors import InputError, KeyUseError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracechain.checkpoint import VerifierKey
    from tracechain.verification import Witnessed
    from tracechain.witnessing import WitnessPolicy

__all__ = [
    "read_text", "read_witnesses", "second", "tell_witnessed", "witness_option", "witness_options", "witness_policy",
    "witnessed_json", "witnessed_verdict",
]  # fmt: skip

_MOST_ROWS = 12
_LAST_SECOND = (1 << 63) // 1_000_000_000 - 86_400  # of what nanoseconds in 64 bits can tell


def witness_option(command: Any) -> Any:
    """The option --witness, that may be given several times."""
    return click.option(
        "--witness", "witnesses", multiple=True, metavar="VKEY|FILE",
        help="A witness's verifier key, as you know it from outside, or a file with it. May be given several times.",
    )(command)  # fmt: skip


def witness_options(command: Any) -> Any:
    """The options --witness, --quorum and --policy of commands that check by witnesses."""
    command = click.option(
        "--policy", "policy_file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
        help="A witness policy (C2SP tlog-policy) instead of --witness and --quorum.",
    )(command)  # fmt: skip
    command = click.option(
        "--quorum", type=click.IntRange(1, 100), metavar="N", help="How many of the witnesses are enough [all]."
    )(command)
    return witness_option(command)


def read_text(path: Path, what: str, cap: int) -> str:
    """A text file as it is; InputError for one that is too long or no UTF-8."""
    with path.open("rb") as file:
        data = file.read(cap + 1)
    if len(data) > cap:
        raise InputError(f"{path} is no {what}: it has over {cap} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no {what}: byte {error.start} is not UTF-8") from None


def read_witnesses(given: Iterable[str]) -> tuple[VerifierKey, ...]:
    """Verifier keys of witnesses; KeyUseError for a log's key."""
    from tracechain.checkpoint import COSIGNATURE

    keys = []
    for one in given:
        key = read_vkey(one)
        assert key is not None, "one was given"
        if key.algorithm != COSIGNATURE:
            raise KeyUseError(f"{key.name}: this is the key of a log, not of a witness (`tracechain witness init`)")
        keys.append(key)
    return tuple(keys)


def witness_policy(given: tuple[str, ...], quorum: int | None, file: Path | None) -> WitnessPolicy | None:
    """The policy that was given in whichever way; None where there is none."""
    from tracechain.witnessing import WitnessPolicy, parse_policy
    from tracechain.witnessing.policy import MAX_POLICY

    if file is not None:
        if given or quorum is not None:
            raise InputError("--policy says who is asked for: leave out --witness and --quorum")
        with file.open("rb") as stream:
            data = stream.read(MAX_POLICY + 1)
        try:
            return parse_policy(data)
        except InputError as error:
            raise InputError(f"{file}: {error}") from None
    if not given:
        if quorum is not None:
            raise InputError("--quorum says how many witnesses are enough: name them with --witness")
        return None
    return WitnessPolicy.of(read_witnesses(given), quorum)


def second(seconds: int | None) -> str:
    """A witness's time for people; nothing for None."""
    if seconds is None:
        return ""
    # Anybody may sign for a time that no calendar here reaches.
    return moment(seconds * 1000) if seconds <= _LAST_SECOND else f"{seconds:,} s after 1970"


def witnessed_verdict(witnessed: Witnessed | None, size: int) -> str:
    """How far a log of `size` entries is witnessed, in capitals: what was not seen never looks as if it was."""
    if witnessed is None or not witnessed.notes:
        return "UNWITNESSED"
    return f"WITNESSED TO {size - witnessed.behind:,} OF {size:,} ENTRIES" if witnessed.behind else "WITNESSED"


def tell_witnessed(witnessed: Witnessed) -> None:
    """Between which times entries came, the latest last."""
    say(f"  witnesses: {plain(witnessed.policy)}")
    if not witnessed.notes:
        return
    names = {note.size: ", ".join(plain(key.name) for key, _ in note.times) for note in witnessed.notes}
    shown = table()
    shown.add_column("  entries", no_wrap=True)
    shown.add_column("received after", no_wrap=True)
    shown.add_column("and before", no_wrap=True)
    shown.add_column("as cosigned by", overflow="fold")
    left_out = len(witnessed.brackets) - _MOST_ROWS
    for run in witnessed.brackets[-_MOST_ROWS:]:
        who = names.get(run.stop, "")
        before = "not witnessed yet" if run.before_s is None else second(run.before_s)
        shown.add_row(f"  {run.start:,} to {run.stop - 1:,}", second(run.after_s) or "-", before, who)
    console().print(shown)
    if left_out > 0:
        say(f"  and {counted(left_out, 'bracket')} before these (--json)", "dim")


def witnessed_json(witnessed: Witnessed | None) -> dict[str, Any] | None:
    """The same for programs: times in seconds since 1970."""
    if witnessed is None:
        return None
    return {
        "policy": witnessed.policy,
        "notes": [
            {
                "size": note.size, "by": note.by_s, "from": note.from_s,
                "witnesses": [{"name": key.name, "time": time} for key, time in note.times],
            }
            for note in witnessed.notes
        ],
        "brackets": [
            {"start": run.start, "stop": run.stop, "after": run.after_s, "before": run.before_s, "early": early}
            for run, early in zip(witnessed.brackets, witnessed.early, strict=True)
        ],
        "not_witnessed": witnessed.behind,
    }  # fmt: skip
