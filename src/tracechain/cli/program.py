"""The command group, loaded lazily, and the one place where errors become lines and exit codes."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

import click

from tracechain.cli.output import complain
from tracechain.errors import TracechainError

__all__ = ["program", "run"]

# Command -> where it is. In the order of `tracechain --help`: the way of the data.
_COMMANDS = {
    "demo": "tracechain.cli.demo:demo",
    "init": "tracechain.cli.init:init",
    "keys": "tracechain.cli.keys:keys",
    "ingest": "tracechain.cli.ingest:ingest",
    "submit": "tracechain.cli.ingest:submit",
    "station": "tracechain.cli.station:station",
    "log": "tracechain.cli.log:log",
    "trace": "tracechain.cli.trace:trace",
    "where": "tracechain.cli.where:where",
    "stock": "tracechain.cli.stock:stock",
    "check": "tracechain.cli.check:check",
    "violations": "tracechain.cli.violations:violations",
    "alerts": "tracechain.cli.alerts:alerts",
    "register": "tracechain.cli.register:register",
    "recall": "tracechain.cli.recall:recall",
    "cases": "tracechain.cli.cases:cases",
    "retention": "tracechain.cli.retention:retention",
    "hold": "tracechain.cli.hold:hold",
    "archive": "tracechain.cli.archive:archive",
    "prune": "tracechain.cli.prune:prune",
    "subject": "tracechain.cli.subject:subject",
    "export": "tracechain.cli.export:export",
    "seal": "tracechain.cli.seal:seal",
    "verify": "tracechain.cli.verify:verify",
    "replay": "tracechain.cli.replay:replay",
    "witness": "tracechain.cli.witness:witness",
    "compare": "tracechain.cli.compare:compare",
    "checkpoint": "tracechain.cli.proofs:checkpoint",
    "prove": "tracechain.cli.proofs:prove",
    "reindex": "tracechain.cli.maintain:reindex",
    "backup": "tracechain.cli.maintain:backup",
    "restore": "tracechain.cli.maintain:restore",
    "settle": "tracechain.cli.maintain:settle",
    "clock": "tracechain.cli.maintain:clock",
}


class LazyGroup(click.Group):
    """Imports a command's module only when it is asked for: a short command should not wait for all others."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """All names, in order."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - likewise
        """The command, or None for an unknown name."""
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name].partition(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)
        return command


def _version() -> str:
    try:
        return version("tracechain")
    except PackageNotFoundError:
        return "unknown"


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(_version(), prog_name="tracechain", message="%(prog)s %(version)s")
def program() -> None:
    """One object, one code: a signed, append-only ledger of what happened to every medical pack.

    Every command has --json. Exit codes: 0 fine, 1 findings, 2 unusable input.
    """


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the program; the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A terminal that cannot show a character gets its number instead of a crash.
            stream.reconfigure(errors="backslashreplace")
    try:
        # Not `program.main`: that one leaves with 1, which means findings here, when whoever reads has gone.
        with program.make_context("tracechain", list(sys.argv[1:] if arguments is None else arguments)) as context:
            outcome = program.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as wanted:
        return wanted.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return 2
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx is not None else "tracechain"
        complain(f"{error.format_message()} See '{where} --help'.")
        return 2
    except click.ClickException as error:
        complain(error.format_message())
        return 2
    except TracechainError as error:
        complain(error)
        return 2
    except (KeyboardInterrupt, click.Abort):
        complain("interrupted; what was acknowledged before is in the ledger")
        return 130
    except BrokenPipeError:
        return _broken_pipe()
    except OSError as error:
        if error.errno == errno.EPIPE:
            return _broken_pipe()
        name = f"{os.fsdecode(error.filename)}: " if error.filename is not None else ""
        complain(f"{name}{error.strerror or error}: check that it is there, its permissions and the room on the disk")
        return 2
    except Exception as error:  # noqa: BLE001 - the last line of defence; nothing is swallowed in silence
        return _own_fault(error)
    return outcome if isinstance(outcome, int) else 0


def _broken_pipe() -> int:
    """Whoever read our output has gone: nothing to say, and no second error when Python closes stdout."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 141


def _own_fault(error: Exception) -> int:
    if os.environ.get("TRACECHAIN_DEBUG"):
        traceback.print_exception(error)
    complain(
        f"a fault of tracechain itself, please report it: {type(error).__name__}: {error}"
        " (TRACECHAIN_DEBUG=1 shows where)"
    )
    return 70
